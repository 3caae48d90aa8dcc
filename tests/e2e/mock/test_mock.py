#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on the simulated cloud with 50 nodes; its machines boot 20 times faster than a usual cloud's minute.

The cases are one story, told in the order of their names.
"""

import ipaddress
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

NODES = 50
NETWORK = "10.250.0.0/16"
BOOT_MS = 60_000 // 20
UNIT = "simulated"

CATALOG = f"""\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: {NETWORK}
    mock_boot_ms: {BOOT_MS}
    mock_api_latency_ms: 5
"""


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=5 / 20, settle_s=0)
        cls.group = cls.unit = None

    def setUp(self):
        if self.group is None and "test_01" not in self.id():
            self.fail("there is no UnitGroup: see test_01")

    def assert_nodes(self, numbers):
        nodes = self.unit.nodes()
        self.assertEqual([node["node_no"] for node in nodes], list(numbers))
        for node in nodes:
            self.assertEqual(node["state"], "RUNNING", node["error_message"])
            self.assertIn(ipaddress.ip_address(node["cloud_instance_address"]), ipaddress.ip_network(NETWORK))
            self.assertRegex(node["cloud_instance_id"], "^mock-")
        for key in ("cloud_instance_address", "cloud_instance_id", "node_id"):
            self.assertEqual(len({node[key] for node in nodes}), len(nodes), f"{key} is not unique")
        return nodes

    def test_01_booting_is_visible_before_the_answer(self):
        MainJob.group = self.sdk.create_ugroup("fifty")
        MainJob.unit = self.group.create_unit(
            UNIT, vcp_cci.unit(UNIT, "mock", vcp_cci.mock(tags={"project": "test"}), num_nodes=NODES), wait_for=False)
        vc = self.group.first_seen
        self.assertEqual(vc["state"], "APPLYING")
        self.assertEqual(vc["unit"][0]["state"], "BOOTING")
        self.assertEqual([node["state"] for node in vc["unit"][0]["node"]], ["BOOTING"] * NODES)

    def test_02_unit_gets_running(self):
        self.group.wait_unit_applied(UNIT)
        self.assertEqual(self.unit.read()["state"], "RUNNING", self.unit.read()["error_message"])
        self.assert_nodes(range(1, NODES + 1))
        self.assertEqual(self.group.read()["state"], "RUNNING")

    def test_03_add_nodes(self):
        self.unit.add_nodes(2)
        self.unit.add_nodes(addresses=["10.250.200.7"])
        nodes = self.assert_nodes(range(1, NODES + 4))
        self.assertEqual(nodes[-1]["cloud_instance_address"], "10.250.200.7")

    def test_04_delete_nodes(self):
        self.unit.delete_nodes(1)
        self.unit.delete_nodes(addresses=["10.250.200.7"])
        self.assert_nodes(range(2, NODES + 3))
        self.assertEqual(self.unit.read()["state"], "RUNNING")

    def test_05_other_users_neither_see_nor_touch_it(self):
        self.controller.vcc("user", "add", "somebody")
        token = json.loads(self.controller.vcc("token", "create", "--user", "somebody", "--json"))["token"]
        stranger = vcp_client.Occtr(self.controller.url, token, self.controller.ca)
        self.assertEqual(stranger.config(), [])
        for call in (lambda: stranger.vc(self.group.vcid), lambda: stranger.delete_vc(self.group.vcid)):
            with self.assertRaises(vcp_client.VcpError) as refused:
                call()
            self.assertEqual(refused.exception.status, 403)
            self.assertIn("VCPAuthException", refused.exception.message)
        boss = vcp_client.Occtr(self.controller.url, self.controller.super_token, self.controller.ca)
        self.assertEqual(boss.config(), [])
        boss.privileged = True
        self.assertEqual([vc["vcid"] for vc in boss.config()], [self.group.vcid])

    def test_06_a_restart_changes_nothing(self):
        before = self.group.read()
        data = self.controller.data_dir
        kept = pathlib.Path(data, "dev", "throwaway")
        kept.unlink()
        self.controller.stop()
        MainJob.controller = Controller(data=data, providers=["mock"])
        kept.touch()
        MainJob.addClassCleanup(self.controller.stop)
        self.sdk.occtr.url, self.sdk.occtr.token = self.controller.url, self.controller.token
        self.assertEqual(self.group.read(), before)

    def test_07_unit_answers_after_its_last_node(self):
        vcid = self.group.vcid
        for node in self.unit.nodes()[:-1]:
            self.sdk.occtr.delete_node(vcid, UNIT, node["node_id"])
        self.unit.wait_nodes_applied()
        self.assertEqual(self.unit.delete_nodes(1), [])
        self.assertEqual(self.unit.read()["state"], "RUNNING")

    def test_08_cleanup_leaves_nothing(self):
        self.unit.add_nodes(NODES, wait_for=False)  # the delete overtakes the boot
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        self.assertEqual(self.sdk.df_ugroups(), [])


if __name__ == "__main__":
    harness.main()
