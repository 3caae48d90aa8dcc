#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Disks on the simulated cloud through REST: made, attached by reference, kept while in use, given back; on a cloud that
loses answers, and once with the server killed in between.

The cases are one story, told in the order of their names.
"""

import json
import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 300
    mock_fail:
      create_disk: "0.3 lost"
      attach: "0.3 lost"
      destroy_disk: "0.3 UNAVAILABLE"
      observe_disk: "0.1 UNAVAILABLE"
"""


class Storage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(cls.controller.remove)
        cls.connect()
        cls.disks = cls.machines = None

    @classmethod
    def connect(cls):
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.1, settle_s=0)

    def setUp(self):
        if self.disks is None and "test_1" not in self.id():
            self.fail("there are no disks: see test_1")

    def disk_list(self):
        return self.disks.find("ebs")["disk"]

    def reference(self, disk):
        return f"vcp:{self.disks.vcid}:ebs:{disk['disk_id']}"

    def compute(self, volumes, **more):
        return vcp_cci.unit("web", "mock", vcp_cci.mock(volumes=volumes), **more)

    def node(self):
        return self.machines.find("web")["node"][0]

    def cloud(self):
        """Ids of what exists in the simulated cloud."""
        records = {}
        for line in pathlib.Path(self.controller.data_dir, "mock-cloud.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            records.setdefault(record["id"], {}).update(record)
        return sorted(name for name, record in records.items() if record["state"] != "terminated")

    def refused(self, status, call):
        with self.assertRaises(vcp_client.VcpError) as refusal:
            call()
        self.assertEqual(refusal.exception.status, status, refusal.exception.message)
        return refusal.exception.message

    def test_1_disks_are_made(self):
        Storage.disks = self.sdk.create_ugroup("disks", "storage")
        self.disks.create_unit("ebs", vcp_cci.disk_unit("ebs", "mock", vcp_cci.mock_disk(8), num_disks=2), wait_for=False)
        unit = self.disks.first_seen["unit"][0]
        self.assertEqual(unit["state"], "BOOTING")
        self.assertEqual([disk["state"] for disk in unit["disk"]], ["BOOTING"] * 2)
        self.disks.wait_unit_applied("ebs")
        self.assertEqual([disk["disk_no"] for disk in self.disk_list()], [1, 2])
        for disk in self.disk_list():
            self.assertEqual((disk["state"], disk["in_use"], disk["cloud_disk_size"]), ("RUNNING", False, 8))
            self.assertRegex(disk["cloud_disk_id"], "^mockvol-")
            self.assertEqual(self.sdk.occtr.call("", 200, "GET", f"/vcs/{self.disks.vcid}/ebs/{disk['disk_id']}").json(), disk)
        self.assertEqual(self.cloud(), sorted(disk["cloud_disk_id"] for disk in self.disk_list()))
        self.sdk.occtr.add_node(self.disks.vcid, "ebs", 1)
        self.disks.wait_unit_applied("ebs")
        self.assertEqual(len(self.disk_list()), 3)
        self.sdk.occtr.delete_node(self.disks.vcid, "ebs", self.disk_list()[2]["disk_id"])
        self.disks.wait_unit_applied("ebs")
        self.assertEqual([disk["disk_no"] for disk in self.disk_list()], [1, 2])

    def test_2_a_machine_gets_them_by_reference(self):
        Storage.machines = self.sdk.create_ugroup("machines")
        first = self.disk_list()[0]
        self.machines.create_unit("web", self.compute([self.reference(first)]))
        self.assertEqual(self.node()["state"], "RUNNING", self.node()["error_message"])
        self.assertEqual(self.node()["volumes"], [{"volume_id": first["cloud_disk_id"]}])
        self.assertEqual([disk["in_use"] for disk in self.disk_list()], [True, False])

    def test_3_what_cannot_be_attached_is_refused_with_the_request(self):
        first = self.reference(self.disk_list()[0])
        add = lambda volumes, **more: self.machines.sdk.occtr.add_unit(  # noqa: E731
            self.machines.vcid, "two", self.compute(volumes, **more).replace("name: web", "name: two"))
        self.assertIn("in use by another node", self.refused(409, lambda: add([first])))
        self.refused(400, lambda: add([first.replace("ebs", "other")]))
        self.refused(400, lambda: add([self.reference(self.disk_list()[1])], num_nodes=2))
        self.refused(409, lambda: self.sdk.occtr.add_node(self.machines.vcid, "web", 1))
        self.controller.vcc("user", "add", "somebody")
        token = json.loads(self.controller.vcc("token", "create", "--user", "somebody", "--json"))["token"]
        stranger = vcp_client.Occtr(self.controller.url, token, self.controller.ca)
        theirs = stranger.create_vc(vcp_cci.vc("theirs"))
        message = self.refused(403, lambda: stranger.add_unit(
            theirs, "web", self.compute([self.reference(self.disk_list()[1])])))
        self.assertIn("VCPAuthException", message)
        stranger.delete_vc(theirs)

    def test_4_a_disk_in_use_is_kept(self):
        with self.assertRaisesRegex(vcp_client.VcpError, "not completed"):
            self.disks.cleanup()
        unit = self.disks.find("ebs")
        self.assertEqual((self.disks.read()["state"], unit["state"]), ("RUNNING", "RUNNING"))
        self.assertEqual([(disk["disk_no"], disk["in_use"]) for disk in unit["disk"]], [(1, True)])  # the free one is gone
        self.assertIn("in use by node 1 of unit web of UnitGroup machines", unit["disk"][0]["error_message"])
        self.assertEqual(self.node()["state"], "RUNNING")
        objects = json.loads(self.controller.vcc("purge", self.disks.vcid, "--dry-run", "--json"))["objects"]
        self.assertEqual([(thing["kind"], thing["cloud_id"]) for thing in objects],
                         [("disk", unit["disk"][0]["cloud_disk_id"])])

    def test_5_the_server_dies_while_the_disk_is_given_back_and_taken(self):
        self.sdk.occtr.delete_node(self.machines.vcid, "web", self.node()["node_id"])
        pid = self.controller.pid
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: not pathlib.Path(f"/proc/{pid}/exe").exists(), "the server is gone")
        Storage.controller = Controller(data=self.controller.data_dir, providers=["mock"])
        Storage.addClassCleanup(self.controller.remove)
        self.connect()
        self.disks.sdk = self.machines.sdk = self.sdk
        self.machines.wait_unit_applied("web")
        self.assertEqual(self.machines.find("web")["node"], [])
        disk = self.disk_list()[0]
        self.assertEqual((disk["state"], disk["in_use"], disk["error_message"]), ("RUNNING", False, ""))
        self.sdk.occtr.add_node(self.machines.vcid, "web", 1)
        self.machines.wait_unit_applied("web")
        self.assertEqual(self.node()["volumes"], [{"volume_id": disk["cloud_disk_id"]}])
        self.assertTrue(self.disk_list()[0]["in_use"])

    def test_6_events_tell_the_life_of_the_disk(self):
        events = self.controller.vcc("events", "--vcid", self.disks.vcid)
        for words in ("disk 1 of unit ebs", "to node 1 of unit web", "from node 1 of unit web", "to node 2 of unit web"):
            self.assertIn(words, events)

    def test_7_cleanup_in_the_right_order_leaves_nothing(self):
        self.machines.cleanup()
        self.disks.cleanup()
        self.assertEqual(self.sdk.df_ugroups(), [])
        self.assertEqual(self.cloud(), [])


if __name__ == "__main__":
    harness.main()
