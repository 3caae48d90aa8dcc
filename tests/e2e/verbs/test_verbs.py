#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Power, stop and start, suspend and resume, watch and clear_processing as the SDK and its users ask for them, on a
simulated cloud whose answers get lost now and then. The cases are one story, told in the order of their names.
"""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

NODES = 10
UNIT = "ten"

CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 300
    mock_api_latency_ms: 5
    mock_fail:
      power: "0.15 lost"
      destroy: "0.1 lost"
"""


class Verbs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.1, settle_s=0)
        cls.group = cls.sdk.create_ugroup("verbs")
        cls.unit = cls.group.create_unit(UNIT, vcp_cci.unit(UNIT, "mock", vcp_cci.mock(), num_nodes=NODES))

    def cloud(self):
        """Machines of the simulated cloud by id, as its file says."""
        machines = {}
        for line in pathlib.Path(self.controller.data_dir, "mock-cloud.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            machines.setdefault(record["id"], {}).update(record)
        return machines

    def in_cloud(self, state):
        return {key for key, machine in self.cloud().items() if machine["state"] == state}

    def assert_states(self, state, nodes=None):
        nodes = nodes or self.unit.nodes()
        self.assertEqual({node["state"] for node in nodes}, {state}, [node["error_message"] for node in nodes])
        return nodes

    def operate(self, operation, transient, settled):
        """On the unit: the first read after the 202 shows it, and it gets there."""
        self.unit.operate(operation, wait_for=False)
        self.assertLessEqual({node["state"] for node in self.unit.nodes()}, {transient, settled})
        self.unit.wait_nodes_applied()
        return self.assert_states(settled)

    def conflict(self, call):
        with self.assertRaises(vcp_client.VcpError) as refused:
            call()
        self.assertEqual(refused.exception.status, 409)
        self.assertRegex(refused.exception.message,
                         rf"UTC: VCPStateConflictException: {self.group.vcid}:{UNIT}:\| Conflict: ")

    def test_01_ten_nodes_one_by_one(self):
        before = self.unit.nodes()
        nodes = self.unit.operate_nodes("power_off")
        self.assert_states("POWER_OFF", nodes)
        self.assertEqual(self.unit.read()["state"], "POWER_OFF")
        self.assertEqual(self.in_cloud("stopped"), {node["cloud_instance_id"] for node in before})
        nodes = self.unit.operate_nodes("power_on")
        self.assert_states("RUNNING", nodes)
        for key in ("node_id", "cloud_instance_id", "cloud_instance_address"):
            self.assertEqual([node[key] for node in nodes], [node[key] for node in before])
        self.assertEqual(self.in_cloud("running"), {node["cloud_instance_id"] for node in before})

    def test_02_some_of_them(self):
        self.unit.operate_nodes("power_off", {1, 2})
        self.assertEqual(self.unit.read()["state"], "INDEFINITE")
        self.operate("power_off", "SHUTTING_DOWN", "POWER_OFF")
        self.conflict(lambda: self.unit.operate("suspend"))
        self.operate("power_on", "BOOTING", "RUNNING")

    def test_03_suspend_and_resume(self):
        self.operate("suspend", "SUSPENDING", "SUSPENDED")
        self.conflict(lambda: self.unit.operate("power_on"))
        self.operate("resume", "RESUMING", "RUNNING")
        self.assertEqual(len(self.in_cloud("running")), NODES)

    def test_04_stop_and_start(self):
        before = self.unit.nodes()
        nodes = self.operate("stop", "STOPPING", "STOPPED")
        self.assertEqual(self.in_cloud("running"), set())
        self.assertEqual([node["node_id"] for node in nodes], [node["node_id"] for node in before])
        self.assertEqual({node["cloud_instance_id"] for node in nodes}, {""})
        self.conflict(lambda: self.unit.operate("resume"))
        nodes = self.operate("start", "BOOTING", "RUNNING")
        self.assertFalse({node["cloud_instance_id"] for node in nodes} & {node["cloud_instance_id"] for node in before})
        self.assertEqual(self.in_cloud("running"), {node["cloud_instance_id"] for node in nodes})

    def test_05_the_last_goal_wins(self):
        for operation in ("suspend", "resume", "power_off", "power_on", "stop", "start", "power_off"):
            self.unit.operate(operation, wait_for=False)
        self.unit.wait_nodes_applied()
        nodes = self.assert_states("POWER_OFF")
        self.assertEqual(self.in_cloud("stopped"), {node["cloud_instance_id"] for node in nodes})
        self.assertEqual(self.in_cloud("running"), set())
        self.operate("power_on", "BOOTING", "RUNNING")

    def test_06_watch_and_unwatch(self):
        self.assertEqual({node["watch_mode"] for node in self.unit.operate("unwatch")}, {False})
        self.assertEqual([node["watch_mode"] for node in self.unit.operate_nodes("watch", {3})],
                         [number == 3 for number in range(1, NODES + 1)])
        self.assertEqual({node["watch_mode"] for node in self.unit.operate("watch")}, {True})
        self.assert_states("RUNNING")

    def test_07_backup_is_refused(self):
        node = self.unit.nodes()[0]
        self.conflict(lambda: self.sdk.occtr.backup(self.group.vcid, UNIT, node["node_id"]))

    def test_08_clear_processing(self):
        self.unit.add_nodes(3, wait_for=False)
        self.sdk.occtr.unit_operation(self.group.vcid, UNIT, "clear_processing")
        states = [node["state"] for node in self.unit.nodes()]
        self.assertFalse(set(states) & vcp_client.PENDING, states)
        self.controller.vcc("clear-processing", self.group.vcid, UNIT)  # nothing is under way: nothing changes
        self.assertEqual([node["state"] for node in self.unit.nodes()], states)
        self.unit.operate("start")
        self.assert_states("RUNNING")

    def test_09_a_state_set_by_hand_is_held_against_the_cloud_on_demand(self):
        node = self.unit.nodes()[0]
        place = (self.group.vcid, UNIT, str(node["node_no"]))
        with self.assertRaises(subprocess.CalledProcessError) as refused:
            self.controller.vcc("node-state", "set", *place, "POWER_OFF", "--verify")
        self.assertIn("the cloud says RUNNING of the machine; for POWER_OFF it should say STOPPED", refused.exception.stderr)
        self.assert_states("RUNNING")
        with pathlib.Path(self.controller.data_dir, "mock-cloud.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": node["cloud_instance_id"], "state": "stopped"}) + "\n")
        self.assertIn("as the cloud does", self.controller.vcc("node-state", "set", *place, "POWER_OFF", "--verify"))
        self.assertEqual(self.unit.nodes()[0]["state"], "POWER_OFF")

    def test_10_delete_overtakes(self):
        self.unit.operate("power_off", wait_for=False)
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        harness.wait_until(lambda: not self.in_cloud("running") | self.in_cloud("stopped"), "the cloud is empty")


if __name__ == "__main__":
    harness.main()
