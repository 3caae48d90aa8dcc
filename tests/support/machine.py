# SPDX-License-Identifier: Apache-2.0
"""Machines of a simulated cloud that can be logged in to: each has a root of its own, an overlay over this machine's, in
its own mount and process namespaces, and a real sshd on a loopback address that it was booted with. What is done to it
stays in it. It starts as a cloud's image does, without docker, and is configured by the user data that the controller
gave to the cloud. Its disk outlives its power.
"""

import ctypes
import io
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tarfile
import tempfile
import unittest

import harness
from machine_programs import CONTAINERS_CONF, DOCKER, PROGRAMS, START, STORAGE_CONF

SUPPORT = pathlib.Path(__file__).resolve().parent
SSHD_CONFIG = """Include /etc/ssh/sshd_config.d/*.conf
{port}
ListenAddress {address}
HostKey /etc/ssh/machine_key
PidFile /run/sshd.pid
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100:30:200
SetEnv PATH=/opt/machine/bin:/usr/bin:/bin
"""
# Memory for the disks, and a first overlay to see whether there can be any.
RACK = """
set -e
mount -t tmpfs -o size=4g tmpfs "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
umount root
rm -rf upper work root
mkdir ready
exec sleep infinity
"""
NEEDED = ("/usr/sbin/sshd", "podman", "runc", "sudo", "nsenter", "unshare", "useradd", "busybox")


def skip_without():
    if os.geteuid() != 0:
        raise unittest.SkipTest("machines need root: namespaces, overlays and sshd")
    for program in NEEDED:
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            raise unittest.SkipTest(f"{program} is not installed")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def image_archive(folder):
    """The root of the test's base image, with a start script as the published ones have it."""
    (folder / "docker").write_text(f'#!/bin/sh\nexec cat >"{folder}/image.tar"\n')
    (folder / "docker").chmod(0o755)
    subprocess.run([str(SUPPORT / "base-image"), str(folder), "image"], check=True, timeout=120)
    with tarfile.open(folder / "image.tar", "a") as archive:
        for applet in ("base64", "chmod", "mkdir"):
            link = tarfile.TarInfo(f"./bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        start = tarfile.TarInfo("./bin/start")
        start.mode, start.size = 0o755, len(START)
        archive.addfile(start, io.BytesIO(START.encode()))
    return folder / "image.tar"


class Rack:
    """Where the machines of a test stand: memory of their own, gone with the test."""

    def __init__(self):
        skip_without()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vcc-rack."))
        self.machines = []
        # Holds the mount namespace with the disks; machines come and go in it.
        self.keeper = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", RACK, "sh", str(self.dir)],
            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        harness.wait_until(lambda: self.inside("ready").is_dir() or self.keeper.poll() is not None, "the rack is there")
        if self.keeper.poll() is not None:
            self.dir.rmdir()
            raise unittest.SkipTest("this machine has no mount namespaces, or no overlays over its root")
        self.image = image_archive(self.inside())

    def inside(self, *parts):
        """A path of the rack, seen from outside of it."""
        return pathlib.Path(f"/proc/{self.keeper.pid}/root{self.dir}", *parts)

    def machine(self, address, user_data, **options):
        self.machines.append(Machine(self, address, user_data, **options))
        return self.machines[-1]

    def stop(self):
        for machine in self.machines:
            machine.power_off()
        self.keeper.kill()
        self.keeper.wait(60)
        self.dir.rmdir()


class Machine:
    """A new one, switched off. `sshd_line` stands in its sshd_config from the beginning."""

    def __init__(self, rack, address, user_data, *, sshd_line=""):
        self.rack, self.address, self.process = rack, address, None
        self.dir = rack.inside(address)
        self.disk = self.dir / "disk" / "upper"
        for folder in (self.disk / "opt/machine/bin", self.disk / "opt/machine/hold", self.dir / "hold", self.dir / "disk/work",
                       self.dir / "root", self.disk / "etc/ssh/sshd_config.d", self.disk / "etc/sudoers.d"):
            folder.mkdir(parents=True)
        for name, text in PROGRAMS.items():
            self.write(f"opt/machine/bin/{name}", text, 0o755)
        self.write("opt/machine/docker", DOCKER, 0o755)
        self.write("opt/machine/containers.conf", CONTAINERS_CONF)
        self.write("opt/machine/storage.conf", STORAGE_CONF)
        shutil.copy(rack.image, self.disk / "opt/machine/image.tar")
        self.write("etc/ssh/sshd_config", SSHD_CONFIG.format(address=address, port=sshd_line))
        self.write("etc/sudoers", 'Defaults secure_path="/opt/machine/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n'
                                  "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
        self.write("etc/hosts", f"127.0.0.1 localhost {os.uname().nodename}\n")  # sudo asks for its name
        self.write("etc/resolv.conf", "nameserver 192.0.2.1\n")
        self.new_host_key()
        self.write("opt/machine/first-boot", self.first_boot(user_data))

    def first_boot(self, user_data):
        """What cloud-init does with the user data, and an image without docker and chrony."""
        head, _, body = user_data.partition("\n")
        assert head == "#cloud-config", head
        config = json.loads(body)
        assert set(config) == {"users", "write_files", "runcmd"}, f"user data does more than it should: {sorted(config)}"
        default, user = config["users"]
        assert default == "default"
        name, home = user["name"], f"/home/{user['name']}"
        lines = ["set -eux", "rm -f /usr/bin/docker /usr/local/bin/docker /usr/sbin/chronyd /etc/chrony/chrony.conf",
                 f"id {name} || useradd -m -s {user['shell']} {name}",
                 # Without PAM a locked password locks the key out too.
                 f"usermod -p '*' {name}", f"mkdir -p -m 700 {home}/.ssh"]
        for number, key in enumerate(user["ssh_authorized_keys"]):
            self.write(f"opt/machine/key-{number}", key + "\n")
            lines.append(f"cat /opt/machine/key-{number} >>{home}/.ssh/authorized_keys")
        lines += [f"chown -R {name}: {home}", f"echo '{name} {user['sudo'][0]}' >/etc/sudoers.d/90-cloud-init-users"]
        for number, file in enumerate(config["write_files"]):
            self.write(f"opt/machine/file-{number}", file["content"])
            lines.append(f"install -D -m 644 /opt/machine/file-{number} {file['path']}")
        lines += [f"sh -c '{command[2]}'" for command in config["runcmd"]]
        return "\n".join(lines) + "\n"

    def write(self, path, text, mode=0o644):
        (self.disk / path).write_text(text)
        (self.disk / path).chmod(mode)

    def read(self, path):
        """A file that the machine has written, or None."""
        try:
            return (self.disk / path).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def new_host_key(self):
        for name in ("machine_key", "machine_key.pub"):
            (self.disk / "etc/ssh" / name).unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.disk / "etc/ssh/machine_key")],
                       check=True)

    def power_on(self):
        boot = self.rack.inside("machine_boot")
        shutil.copy(SUPPORT / "machine_boot", boot)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["nsenter", f"--mount=/proc/{self.rack.keeper.pid}/ns/mnt", "unshare", "--mount", "--pid", "--fork",
             "--kill-child=KILL", "sh", str(self.rack.dir / "machine_boot"), str(self.rack.dir / self.address)],
            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)

    def power_off(self):
        """At once, as by a power cut: nothing in it is asked."""
        if self.process is not None:
            first = os.pidfd_open(self.first_process())
            self.process.kill()
            self.process.wait(60)
            self.process = None
            select.select([first], [], [], 60)  # with it the kernel ends all others
            os.close(first)

    def hold(self, name):
        (self.dir / "hold" / name).touch()

    def held(self, name):
        return (self.dir / "hold" / f"{name}.reached").exists()

    def let_go(self, name):
        for file in (name, f"{name}.reached"):
            (self.dir / "hold" / file).unlink(missing_ok=True)

    def logins(self):
        return (self.read("var/log/sshd.log") or "").count("Accepted publickey")

    def first_process(self):
        """Process 1 of the machine, as it is called here."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(harness.wait_until(children.read_text, "the machine has a process"))

    def run(self, *command):
        """What a command prints in the machine."""
        return subprocess.run(["nsenter", "--mount", "--pid", "--root", "--target", str(self.first_process()), *command],
                              capture_output=True, text=True, check=True, timeout=60).stdout

    def containers(self):
        ids = self.run("/usr/bin/docker", "ps", "-a", "-q", "--no-trunc").split()
        return json.loads(self.run("/usr/bin/docker", "inspect", *ids)) if ids else []
