# SPDX-License-Identifier: Apache-2.0
"""Existing servers for a Python test: wraps tests/support/ssh-peer and base-image."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parent
IMAGE = "localhost/vcp/base:test"


class Peer:
    """`hosts` real OpenSSH servers and one container engine behind them all. Raises SkipTest where that cannot be."""

    def __init__(self, hosts):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vcc-peer."), "peer")
        command = [str(SUPPORT / "ssh-peer"), "up", str(self.dir), "--hosts", str(hosts), "--owner", str(os.getpid())]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if answer.returncode == 77:
            self.dir.parent.rmdir()
            raise unittest.SkipTest(answer.stdout.strip().removeprefix("SKIP: "))
        if answer.returncode != 0:
            raise RuntimeError(f"ssh-peer failed: {answer.stderr}")
        facts = json.loads(answer.stdout)
        self.hosts, self.port, self.user = facts["hosts"], facts["port"], facts["user"]
        self.docker_command, self.authorized_keys = facts["docker"], pathlib.Path(facts["authorized_keys"])
        subprocess.run([str(SUPPORT / "base-image"), str(self.dir), IMAGE], check=True, timeout=120)

    def authorize(self, public_key):
        with self.authorized_keys.open("a", encoding="utf-8") as file:
            file.write(public_key.strip() + "\n")

    def docker(self, *arguments):
        return subprocess.run([self.docker_command, *arguments], capture_output=True, text=True, check=True, timeout=120).stdout

    def containers(self):
        """What `docker inspect` says of every container of the engine, running or not, by its vcp.address label."""
        ids = self.docker("ps", "-a", "-q").split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {container["Config"]["Labels"].get("vcp.address", ""): container for container in found}

    def folder(self, index):
        """The folder of server `index` (0 based): bin/, home/, host_key, sshd.pid."""
        return self.dir / f"host-{index + 1}"

    def change_host_key(self, index):
        """The server comes back with another identity, as a machine that was installed anew."""
        folder = self.folder(index)
        self.kill_sshd(index)
        for name in ("host_key", "host_key.pub"):
            (folder / name).unlink()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key")], check=True)
        self.start_sshd(index)

    def kill_sshd(self, index):
        """kill -9 of the server's sshd; logins that are under way go on."""
        os.kill(int((self.folder(index) / "sshd.pid").read_text()), signal.SIGKILL)

    def start_sshd(self, index):
        folder = self.folder(index)
        with (folder / "log").open("ab") as log:
            subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log, start_new_session=True,
                             env={**os.environ, "VCP_TEST_SSH_PEER": str(self.dir)})

    def stop(self):
        subprocess.run([str(SUPPORT / "ssh-peer"), "down", str(self.dir)], check=True, timeout=120)
        self.dir.parent.rmdir()
