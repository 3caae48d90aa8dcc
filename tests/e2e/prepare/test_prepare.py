#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Machines of a cloud from first contact to RUNNING: the driver aws against our small EC2, whose instances are machines of
machine.py. They are made as the user data says, prepared over ssh, switched off and on, and killed in each step.
"""

import base64
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402
from fake_cloud_server import FakeCloudServer  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402
from machine import Rack  # noqa: E402

KEY, REGION = "AKIAALICEALICEALICE0", "ap-northeast-1"
NETWORK = "127.60.0."
FAST = {"accounts": {KEY: "alice"}, "network": NETWORK, "lag_ms": 100, "boot_ms": 300, "stop_ms": 200, "end_ms": 200}
CATALOG = f"""\
cci_version: '1.0'
aws:
  default:
    private_network_ipmask: {NETWORK}0/24
    ntp_servers: [192.0.2.123, ntp.example.org]
    cloud_instance_dns_servers: [192.0.2.53, 192.0.2.54]
    boot_deadline_s: 240
    aws_region: {REGION}
    aws_vpc_subnet_id: subnet-0a1b2c3d
    aws_vpc_security_group_id: sg-0a1b2c3d
    aws_endpoint_url: {{url}}
onpremises:
  default: {{{{}}}}
"""
WAIT_S = 200
# What the programs of a machine hold at, in the order of the steps.
STEPS = ("resolv", "chrony", "docker.io", "docker.io.unpacked", "reload", "sshd", "pull")
START_SCRIPT = "#!/bin/sh\necho started >>/starts\n"
ODD = ["SPACES=one two  three", "QUOTES=it's \"quoted\" `tick`", "DOLLAR=$HOME ${PATH} $(id) \\n", "SHELL=a;b|c&d>e<f*g?!~"]
REGISTRIES = ["127.0.0.1:5000", "127.0.0.1:5001"]


class Prepare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rack = Rack()
        cls.addClassCleanup(cls.rack.stop)
        cls.cloud = FakeCloudServer(build_dir() / "plugins" / "aws" / "aws_fake_cloud.so", FAST)
        cls.addClassCleanup(cls.cloud.stop)
        cls.proxy = FaultyProxy(cls.cloud.url)
        cls.addClassCleanup(cls.proxy.stop)
        cls.data = tempfile.mkdtemp(prefix="vcc-prepare.")
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        cls.addClassCleanup(pathlib.Path(cls.data + ".master.key").unlink, missing_ok=True)
        cls.start_controller()
        cls.addClassCleanup(lambda: cls.controller.stop())

    @classmethod
    def start_controller(cls):
        cls.controller = Controller(CATALOG.format(url=cls.proxy.url), providers=["aws", "onpremises"], data=cls.data)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.1, settle_s=0)

    def setUp(self):
        self.proxy.seen.clear()
        self.name = self.id().rsplit(".", 1)[1]
        self.group = self.sdk.create_ugroup(self.name)
        self.addCleanup(self.leave_nothing)

    def leave_nothing(self):
        if self.group.read() is not None:
            self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        for machine in self.rack.machines:
            machine.power_off()

    def nodes(self):
        return self.sdk.occtr.vc(self.group.vcid)["unit"][0]["node"]

    def wait_for(self, state):
        def settled():
            nodes = self.nodes()
            if any(node["state"] == "ERROR" for node in nodes) and state != "ERROR":
                self.fail(f"{nodes}\n{self.controller.log()[-3000:]}")
            return all(node["state"] == state for node in nodes)
        harness.wait_until(settled, f"all nodes are {state}", WAIT_S)
        return self.nodes()

    def make(self, count=1, **options):
        """A unit whose machines stand in the rack, switched off. `options` are theirs."""
        cci = vcp_cci.unit("unit", "aws", vcp_cci.aws(KEY, "secret"), num_nodes=count, image="vcp/base:test",
                           environment=[*ODD, "USER_INIT_COMMAND=" + base64.b64encode(START_SCRIPT.encode()).decode()])
        self.group.create_unit("unit", cci, wait_for=False)
        harness.wait_until(lambda: all(node["cloud_instance_address"] for node in self.nodes()), "they have addresses")
        [run] = [form for form in self.proxy.seen if form["Action"] == "RunInstances" and "DryRun" not in form]
        user_data = base64.b64decode(run["UserData"]).decode()
        return [self.rack.machine(node["cloud_instance_address"], user_data, **options) for node in self.nodes()]

    def end_state(self, machine):
        """What a preparation leaves; the same whatever happened on the way."""
        [container] = machine.containers()
        listeners = subprocess.run(["ss", "-ltnH", f"src {machine.address}"], capture_output=True, text=True, check=True)
        return {
            "dns": machine.read("etc/resolv.conf"),
            "time": machine.read("etc/chrony/chrony.conf"),
            "docker": json.loads(machine.run("/bin/cat", "/run/docker.json")),
            "sshd": machine.read("etc/ssh/sshd_config").replace(machine.address, "ADDRESS"),
            "port": machine.read("etc/ssh/sshd_config.d/10-vcp.conf"),
            "jobs": machine.run("/bin/sh", "-c", "ls -A ~ubuntu/.vcp-jobs"),
            "half": machine.read("opt/machine/half"),
            "container": (container["State"]["Status"], container["HostConfig"]["RestartPolicy"]["Name"]),
            "ports": sorted(line.split()[3].rsplit(":", 1)[1] for line in listeners.stdout.splitlines()),
        }

    WHOLE = {
        "dns": "nameserver 192.0.2.53\nnameserver 192.0.2.54\n",
        "time": "server 192.0.2.123 iburst\nserver ntp.example.org iburst\ndriftfile /var/lib/chrony/chrony.drift\n"
                "makestep 1 3\nrtcsync\n",
        "docker": {"insecure-registries": REGISTRIES},
        "port": "Port 20022\n",
        "jobs": "",
        "half": None,
        "container": ("running", "unless-stopped"),
        "ports": ["20022", "22"],
    }

    def assert_whole(self, machine):
        found = self.end_state(machine)
        self.assertEqual({key: found[key] for key in self.WHOLE}, self.WHOLE)
        self.assertNotRegex(found["sshd"], r"(?m)^Port 22$")

    def test_1_a_machine_gets_what_it_lacks_and_keeps_it(self):
        [machine] = self.make(sshd_line="Port 22")
        begun = time.monotonic()
        machine.power_on()
        [node] = self.wait_for("RUNNING")
        took = time.monotonic() - begun
        print(f"\nFIGURE prepare: from power on to RUNNING {took:.1f} s, {machine.logins()} ssh logins", flush=True)
        self.assert_whole(machine)
        # A look, the start of the job and of the container; the others ask for the job, more of them the longer it takes:
        # at about 2, 6 and 11 s, and from then on every 7 s and more.
        self.assertLessEqual(machine.logins(), 6 + math.ceil(max(0, took - 12) / 7))
        [container] = machine.containers()
        for item in ODD:
            self.assertIn(item, container["Config"]["Env"])
        self.assertEqual(container["Config"]["Image"], "harbor.vcloud.nii.ac.jp/vcp/base:test")
        self.assertEqual(machine.run("/usr/bin/docker", "exec", container["Id"], "cat", "/starts"), "started\n")
        programs = machine.read("var/log/machine-programs.log")
        for item in ("$(id)", "tick", "a;b"):
            self.assertNotIn(item, programs)

        # Power: address, disk and container stay, the start script runs again, nothing is prepared anew.
        self.sdk.occtr.unit_operation(self.group.vcid, "unit", "power_off")
        self.wait_for("POWER_OFF")
        machine.power_off()
        self.sdk.occtr.unit_operation(self.group.vcid, "unit", "power_on")
        machine.power_on()
        [again] = self.wait_for("RUNNING")
        self.assertEqual(again["cloud_instance_address"], node["cloud_instance_address"])
        self.assert_whole(machine)
        [restarted] = machine.containers()
        self.assertEqual(restarted["Id"], container["Id"])
        self.assertEqual(machine.run("/usr/bin/docker", "exec", container["Id"], "cat", "/starts"), "started\n" * 2)
        self.assertEqual([line for line in machine.read("var/log/machine-programs.log").splitlines() if "apt-get" in line],
                         [line for line in programs.splitlines() if "apt-get" in line])

        # Another host key: nobody logs in, and the text says what to do.
        self.sdk.occtr.unit_operation(self.group.vcid, "unit", "power_off")
        self.wait_for("POWER_OFF")
        machine.power_off()
        machine.new_host_key()
        logins = machine.logins()
        self.sdk.occtr.unit_operation(self.group.vcid, "unit", "power_on")
        machine.power_on()
        [node] = self.wait_for("ERROR")
        self.assertIn("another key", node["error_message"])
        self.assertIn("HOST_KEY_CHANGED", self.controller.log())
        self.assertEqual(machine.logins(), logins)

    def test_2_killed_in_each_step_it_comes_to_the_same_end(self):
        machines = dict(zip(STEPS, self.make(len(STEPS), sshd_line="Port 22")))
        for step, machine in machines.items():
            machine.hold(step)
            machine.power_on()
        for step, machine in machines.items():
            harness.wait_until(lambda: machine.held(step), f"a machine is at {step}", WAIT_S)  # pylint: disable=cell-var-from-loop
        progress = json.loads(self.controller.vcc("status", "--json"))
        self.assertEqual(progress["engine"]["unsettled"], len(STEPS))
        # The controller dies, and each machine loses its power in another step.
        os.kill(self.controller.pid, signal.SIGKILL)
        for step, machine in machines.items():
            machine.power_off()
            machine.let_go(step)
            machine.power_on()
        harness.wait_until(lambda: not pathlib.Path(f"/proc/{self.controller.pid}/exe").exists(), "the server is gone")
        type(self).start_controller()
        self.group = self.sdk.get_ugroup(self.name)
        self.wait_for("RUNNING")
        for step, machine in machines.items():
            with self.subTest(step):
                self.assert_whole(machine)

    def test_3_a_job_goes_on_while_the_controller_is_away(self):
        [machine] = self.make()
        machine.hold("docker.io")
        machine.power_on()
        harness.wait_until(lambda: machine.held("docker.io"), "docker is being installed", WAIT_S)
        harness.wait_until(lambda: "installing docker" in self.progress(), "it is shown", WAIT_S)
        os.kill(self.controller.pid, signal.SIGKILL)
        harness.wait_until(lambda: not pathlib.Path(f"/proc/{self.controller.pid}/exe").exists(), "the server is gone")
        machine.let_go("docker.io")
        type(self).start_controller()
        self.group = self.sdk.get_ugroup(self.name)
        self.wait_for("RUNNING")
        self.assert_whole(machine)
        installed = [line for line in machine.read("var/log/machine-programs.log").splitlines() if "install docker.io" in line]
        self.assertEqual(len(installed), 1)

    def progress(self):
        answer = subprocess.run(
            ["curl", "-s", "--unix-socket", self.controller.admin_socket,
             f"http://admin/admin/v1/vcs/{self.group.vcid}/progress"], capture_output=True, text=True, check=True)
        return " ".join(node["progress"] for unit in json.loads(answer.stdout)["units"] for node in unit["node"])

    def test_4_a_step_that_cannot_succeed_says_why(self):
        [machine] = self.make()
        (machine.disk / "opt/machine/image.tar").unlink()
        machine.power_on()
        [node] = self.wait_for("ERROR")
        self.assertIn("pulling image harbor.vcloud.nii.ac.jp/vcp/base:test", node["error_message"])
        self.assertIn("image.tar", node["error_message"])
        self.assertIn("reaches its registry", node["error_message"])

    def onprem(self, verb, address, status=0):
        answer = subprocess.run([str(build_dir() / "bin" / "vcc"), "--socket", self.controller.admin_socket, "onprem", verb,
                                 address], capture_output=True, text=True, check=False, timeout=WAIT_S)
        self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)
        return answer.stdout + answer.stderr

    def test_5_an_existing_server_is_only_looked_at_until_somebody_asks(self):
        key = self.sdk.occtr.publickey()
        user_data = "#cloud-config\n" + json.dumps({
            "users": ["default", {"name": "ubuntu", "shell": "/bin/bash", "sudo": ["ALL=(ALL) NOPASSWD:ALL"],
                                  "ssh_authorized_keys": [key.strip()]}],
            "write_files": [{"path": "/etc/ssh/sshd_config.d/05-ours.conf", "content": "Port 22\n"}], "runcmd": []})
        server = self.rack.machine(NETWORK + "250", user_data)
        server.power_on()
        harness.wait_until(lambda: "Server listening" in (server.read("var/log/sshd.log") or ""), "sshd answers")
        said = self.onprem("check", server.address, status=1)
        for part in ("sshd answers on port 22, not on port 20022", "there is no docker command", "sudo apt-get install -y docker.io",
                     "echo 'Port 20022' | sudo tee /etc/ssh/sshd_config.d/10-vcp.conf", "127.0.0.1:5000"):
            self.assertIn(part, said)
        self.assertIsNone(server.read("var/log/machine-programs.log"), "a look ran something that changes")
        self.assertIsNone(server.read("etc/docker/daemon.json"))

        said = self.onprem("prepare", server.address)
        self.assertIn("port 20022, ssh-ed25519", said)
        self.assertEqual(server.read("etc/ssh/sshd_config.d/05-ours.conf"), "#Port 22\n")
        self.assertEqual(server.read("etc/resolv.conf"), "nameserver 192.0.2.1\n")
        self.assertIsNone(server.read("etc/chrony/chrony.conf"))
        self.onprem("check", server.address)

        # As a node it is used, and then nobody prepares it any more.
        cci = vcp_cci.unit("unit", "onpremises", vcp_cci.onpremises([server.address]), image="vcp/base:test")
        self.group.create_unit("unit", cci, wait_for=False)
        self.wait_for("RUNNING")
        self.assertIn("it is in use by node 1 of unit unit", self.onprem("prepare", server.address, status=1))
        self.assertIn("node 1 of unit unit", self.onprem("check", server.address))
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")

        # A stranger's container is shown, and stays.
        server.run("/usr/bin/docker", "run", "-d", "--name", "strange", "--label", "vcp.vcc=another", "--label",
                   f"vcp.address={server.address}", "-e", f"PRIVATE_IP={server.address}",
                   "harbor.vcloud.nii.ac.jp/vcp/base:test")
        said = self.onprem("check", server.address, status=1)
        self.assertIn("base container strange of another controller is on it", said)
        self.assertIn("sudo docker rm -f -v ", said)
        self.assertIn("base container strange is on it", self.onprem("prepare", server.address, status=1))
        self.assertEqual(len(server.containers()), 1)

    def test_6_servers_that_may_not_be_asked(self):
        for address, cause in (("224.0.0.1", "multicast"), ("host; id", "not an IPv4 address"), ("$(id)", "not an IPv4 address")):
            self.assertIn(cause, self.onprem("check", address, status=1))
        unreachable = self.onprem("check", NETWORK + "251", status=1)
        self.assertIn("missing", unreachable)


if __name__ == "__main__":
    harness.main()
