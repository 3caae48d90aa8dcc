#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on real input: real sshd, a real container engine, and a client that sends what the SDK sends.

The cases are one story, told in the order of their names; each builds on the one before.
"""

import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import peer  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

# Values that a shell, a YAML parser or a naive splitter would change. `: ` and ` #` cannot stand in a CCI: the SDK
# writes plain YAML scalars.
ENVIRONMENT = [
    "AUTHORIZED_KEYS=c3NoLXJzYSBBQUFBRVhBTVBMRSB1c2VyQGV4YW1wbGUK",
    "SPACES=one two  three",
    """QUOTES=it's "quoted" `tick`""",
    "EQUALS=a=b==c",
    "DOLLAR=$HOME ${PATH} $(id) \\n \\ end",
    "SHELL_WORDS=a;b|c&d>e<f*g?h[i]j{k,l}!~%^()",
    "JAPANESE=\u30ce\u30fc\u30c8",
    "LINES=bGluZSBvbmUKbGluZSB0d28K",  # newlines travel as base64
    "COMMAS=1,2,3",
    "EMPTY=",
    "NUMBER=0123",
    "DASH=--privileged",
]
SET_BY_CONTROLLER = {"PRIVATE_IP", "MY_PRIVATE_IP", "VCCCTR_IPADDR", "VCCC_ID", "SERF_NODE_ID"}
SET_BY_ENGINE = {"PATH", "HOME", "HOSTNAME", "TERM", "container"}
UNIT = "servers"

CATALOG = """\
cci_version: '1.0'
onpremises:
  default:
    ssh_port: {port}
    allow_host_mounts: true
    boot_deadline_s: 120
    release_timeout_s: 30
"""


def environment_of(container):
    return dict(item.split("=", 1) for item in container["Config"]["Env"])


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.peer = peer.Peer(4)
        cls.addClassCleanup(cls.peer.stop)
        cls.shared = tempfile.mkdtemp(prefix="vcc shared ")
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        cls.controller = Controller(CATALOG.format(port=cls.peer.port), providers=["onpremises"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.25, settle_s=0)
        cls.peer.authorize(cls.sdk.occtr.publickey())
        cls.group = cls.unit = None

    def setUp(self):
        if self.group is None and "test_01" not in self.id():
            self.fail("there is no UnitGroup: see test_01")

    def addresses(self):
        return [node["cloud_instance_address"] for node in self.unit.nodes()]

    def assert_runs(self, *addresses):
        """Exactly one running container per address, and none besides."""
        found = self.peer.containers()
        self.assertEqual(sorted(found), sorted(addresses))
        for address, container in found.items():
            self.assertEqual(container["State"]["Status"], "running", address)

    def test_01_booting_is_visible_before_the_answer(self):
        MainJob.group = self.sdk.create_ugroup("real-servers")
        self.assertEqual(self.group.read()["state"], "RUNNING")
        cci = vcp_cci.unit(
            UNIT, "onpremises", vcp_cci.onpremises(self.peer.hosts[:2], self.peer.user), image=peer.IMAGE,
            volumes=[f"{self.shared}:/srv/shared dir", "/sys/fs/cgroup:/sys/fs/cgroup:ro", "/var/lib/docker"],
            environment=ENVIRONMENT,
            docker_opt={"dns": ["192.0.2.53"], "dns_search": ["example.org"], "add_host": ["head:192.0.2.10"], "hostname": "node-of-test"})
        MainJob.unit = self.group.create_unit(UNIT, cci, wait_for=False)
        vc = self.group.first_seen
        self.assertEqual((vc["state"], vc["unit"][0]["state"]), ("APPLYING", "BOOTING"))
        nodes = vc["unit"][0]["node"]
        self.assertEqual([node["state"] for node in nodes], ["BOOTING", "BOOTING"])
        self.assertEqual([node["node_no"] for node in nodes], [1, 2])
        self.assertEqual([node["cloud_instance_address"] for node in nodes], self.peer.hosts[:2])

    def test_02_unit_gets_running(self):
        self.group.wait_unit_applied(UNIT)
        unit = self.unit.read()
        self.assertEqual(unit["state"], "RUNNING", unit["error_message"])
        for node in unit["node"]:
            self.assertEqual(node["state"], "RUNNING", node["error_message"])
            self.assertRegex(node["container_date"], r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d UTC$")
        self.assertEqual(self.group.read()["state"], "RUNNING")
        self.assert_runs(*self.peer.hosts[:2])

    def test_03_container_has_exactly_the_requested_environment(self):
        wanted = dict(item.split("=", 1) for item in ENVIRONMENT)
        vcid = self.group.vcid
        for node in self.unit.nodes():
            address = node["cloud_instance_address"]
            found = environment_of(self.peer.containers()[address])
            for name, value in wanted.items():
                self.assertEqual(found.get(name), value, name)
            self.assertEqual(set(found) - SET_BY_ENGINE, set(wanted) | SET_BY_CONTROLLER)
            self.assertEqual(found["PRIVATE_IP"], address)
            self.assertEqual(found["MY_PRIVATE_IP"], address)
            self.assertEqual(found["VCCC_ID"], vcid)
            self.assertEqual(found["SERF_NODE_ID"], f"{vcid}:{UNIT}:{node['node_no']}")
            self.assertRegex(found["VCCCTR_IPADDR"], r"^\d+\.\d+\.\d+\.\d+$")
            # And what the process itself sees, not only what the engine wrote down.
            seen = self.peer.docker("exec", self.peer.containers()[address]["Id"], "cat", "/proc/1/environ").split("\0")
            for item in ENVIRONMENT:
                self.assertIn(item, seen)

    def test_04_container_has_the_requested_volumes_and_options(self):
        for address, container in self.peer.containers().items():
            mounts = {mount["Destination"]: mount for mount in container["Mounts"]}
            self.assertEqual(mounts["/srv/shared dir"]["Source"], self.shared)
            self.assertTrue(mounts["/srv/shared dir"]["RW"])
            self.assertEqual(mounts["/sys/fs/cgroup"]["Source"], "/sys/fs/cgroup")
            self.assertFalse(mounts["/sys/fs/cgroup"]["RW"])
            self.assertEqual(mounts["/var/lib/docker"]["Type"], "volume")
            self.assertEqual(mounts["/dev"]["Source"], "/dev")
            host = container["HostConfig"]
            self.assertTrue(host["Privileged"])
            self.assertEqual(host["NetworkMode"], "host")
            self.assertEqual(host["RestartPolicy"]["Name"], "unless-stopped")
            self.assertEqual(host["Dns"], ["192.0.2.53"])
            self.assertEqual(host["DnsSearch"], ["example.org"])
            self.assertEqual(host["ExtraHosts"], ["head:192.0.2.10"])
            self.assertEqual(container["Config"]["Hostname"], "node-of-test")
            self.assertEqual(container["Config"]["Labels"]["vcp.vcid"], self.group.vcid)
            self.assertEqual(container["Config"]["Labels"]["vcp.address"], address)

    def test_05_tables_of_the_sdk(self):
        self.assertEqual([row[3] for row in self.sdk.df_ugroups()], ["real-servers"])
        self.assertEqual([(row[4], row[6], row[7]) for row in self.sdk.df_nodes()],
                         [(1, "RUNNING", self.peer.hosts[0]), (2, "RUNNING", self.peer.hosts[1])])
        self.assertEqual(self.group.df_nodes(), self.sdk.df_nodes())

    def test_06_add_a_node(self):
        before = self.peer.containers()
        nodes = self.unit.add_nodes(addresses=[self.peer.hosts[2]])
        self.assertEqual([(node["node_no"], node["state"]) for node in nodes], [(1, "RUNNING"), (2, "RUNNING"), (3, "RUNNING")])
        self.assertEqual(self.unit.read()["state"], "RUNNING")
        self.assert_runs(*self.peer.hosts[:3])
        after = self.peer.containers()
        for address, container in before.items():
            self.assertEqual(after[address]["Id"], container["Id"], "a running container was replaced")

    def test_07_delete_a_node(self):
        nodes = self.unit.delete_nodes(addresses=[self.peer.hosts[1]])
        self.assertEqual([node["node_no"] for node in nodes], [1, 3])
        self.assertEqual(self.unit.read()["state"], "RUNNING")
        self.assert_runs(self.peer.hosts[0], self.peer.hosts[2])

    def test_07a_suspend_and_resume(self):
        before = self.peer.containers()
        nodes = self.unit.operate("suspend")
        self.assertEqual([node["state"] for node in nodes], ["SUSPENDED"] * 2, [node["error_message"] for node in nodes])
        for address, container in self.peer.containers().items():
            self.assertEqual(container["Id"], before[address]["Id"])
            self.assertIn(container["State"]["Status"], ("exited", "stopped"), address)
        nodes = self.unit.operate("resume")
        self.assertEqual([node["state"] for node in nodes], ["RUNNING"] * 2, [node["error_message"] for node in nodes])
        self.assert_runs(self.peer.hosts[0], self.peer.hosts[2])
        for address, container in self.peer.containers().items():
            self.assertEqual(container["Id"], before[address]["Id"], "another container was started")

    def test_07b_stop_and_start(self):
        nodes = self.unit.operate("stop")
        self.assertEqual([node["state"] for node in nodes], ["STOPPED"] * 2, [node["error_message"] for node in nodes])
        self.assert_runs()
        self.unit.operate("start")
        self.assert_runs(self.peer.hosts[0], self.peer.hosts[2])

    def test_07c_power_is_refused(self):
        for operation in ("power_off", "power_on"):
            with self.assertRaises(vcp_client.VcpError) as refused:
                self.unit.operate(operation)
            self.assertEqual(refused.exception.status, 409)
            self.assertIn("provider onpremises cannot switch machines off and on", refused.exception.message)
        self.assertEqual(self.unit.read()["state"], "RUNNING")

    def test_08_unit_answers_after_its_last_node(self):
        self.assertEqual(self.unit.delete_nodes(2), [])
        unit = self.unit.read()
        self.assertEqual((unit["state"], unit["node"]), ("RUNNING", []))
        self.assert_runs()

    def test_09_released_servers_can_be_used_again(self):
        nodes = self.unit.add_nodes(addresses=[self.peer.hosts[1], self.peer.hosts[3]])
        self.assertEqual([(node["node_no"], node["state"]) for node in nodes], [(4, "RUNNING"), (5, "RUNNING")])
        self.assert_runs(self.peer.hosts[1], self.peer.hosts[3])

    def test_10_cleanup_leaves_nothing(self):
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        self.assertEqual(self.sdk.df_ugroups(), [])
        self.assert_runs()


if __name__ == "__main__":
    harness.main()
