#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The sweep and `vcc check` on the simulated cloud: what nobody knows is found, and deleted only when that is allowed.

The cases are one story, told in the order of their names.
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
from controller import Controller, build_dir  # noqa: E402

NODES = 3
UNIT = "web"
OTHER_VCC = "f" * 32
STRAY = "mock-0000000000000stray"
THEIRS = "mock-000000000000theirs"

CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 100
"""


class Sweep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(lambda: cls.controller.stop())  # pylint: disable=unnecessary-lambda
        cls.connect()
        cls.group = None

    @classmethod
    def connect(cls):
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.2, settle_s=0)
        cls.vcc_id = json.loads(cls.controller.vcc("status", "--json"))["vcc_id"]
        cls.stray_name = f"vcp-{cls.vcc_id[:8]}-" + "0" * 19 + "a"

    @classmethod
    def restart(cls, providers=("mock",), **environment):
        data = cls.controller.data_dir
        kept = pathlib.Path(data, "dev", "throwaway")
        kept.unlink()
        cls.controller.stop()
        cls.controller = Controller(data=data, providers=list(providers), environment=environment)
        kept.touch()
        cls.connect()

    def setUp(self):
        if self.group is None and "test_01" not in self.id():
            self.fail("there is no UnitGroup: see test_01")

    def run_vcc(self, *arguments, socket=None):
        return subprocess.run([str(build_dir() / "bin" / "vcc"), "--socket", socket or self.controller.admin_socket,
                               *arguments], capture_output=True, text=True, check=False, timeout=90)

    def state_file(self):
        return pathlib.Path(self.controller.data_dir, "mock-cloud.jsonl")

    def cloud(self):
        """Machines of the simulated cloud that are there, by id."""
        machines = {}
        for line in self.state_file().read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            machines.setdefault(record["id"], {}).update(record)
        return {key: machine for key, machine in machines.items()
                if not machine.get("state", "").startswith("terminat")}

    def append(self, **record):
        with open(self.state_file(), "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def sweep(self):
        return json.loads(self.controller.vcc("sweep", "--now", "--json"))["objects"]

    def check(self, *arguments):
        """Exit status, and the lines that differ."""
        done = self.run_vcc("check", "--json", *arguments)
        lines = json.loads(done.stdout)["lines"] if done.stdout else []
        return done.returncode, [line for line in lines if line["difference"]]

    def test_01_all_is_well(self):
        self.assertEqual(self.run_vcc("check").returncode, 0)  # nothing is there
        Sweep.group = self.sdk.create_ugroup("story")
        self.group.create_unit(UNIT, vcp_cci.unit(UNIT, "mock", vcp_cci.mock(), num_nodes=NODES))
        done = self.run_vcc("check")
        self.assertEqual(done.returncode, 0, done.stderr)
        table = done.stdout.splitlines()
        self.assertRegex(table[0], "^UNITGROUP +NODE +RECORD +CLOUD +CONTAINER +MONITOR +ADDRESS +MACHINE +ID +DIFFERENCE$")
        self.assertEqual(len(table), 1 + NODES)
        self.assertRegex(table[1], rf"^story +{UNIT}/1 +RUNNING +\w+ +- +- +10\.250\.")
        self.assertEqual(self.check(self.group.vcid), (0, []))
        self.assertIn("nothing of ours that no record knows", self.controller.vcc("sweep", "--now"))

    def test_02_check_tells_wrong_use_from_a_difference(self):
        self.assertEqual(self.run_vcc("check", "f" * 32).returncode, 2)
        self.assertEqual(self.run_vcc("check", "a", "b").returncode, 2)
        self.assertEqual(self.run_vcc("check", socket="/nonexistent/admin.sock").returncode, 2)

    def test_03_what_nobody_knows_is_reported_and_left_alone(self):
        self.append(id=STRAY, name=self.stray_name, vcc=self.vcc_id, address="10.250.9.9", state="running")
        self.append(id=THEIRS, name=f"vcp-{OTHER_VCC[:8]}-" + "0" * 20, vcc=OTHER_VCC, address="10.250.9.8", state="running")
        status, differences = self.check()
        self.assertEqual(status, 1)
        self.assertEqual([(line["cloud_id"], line["record"]) for line in differences], [(STRAY, "unknown")])
        self.assertEqual(self.check(self.group.vcid), (0, []))
        found = self.sweep()
        self.assertEqual([(one["cloud_id"], one["name"], one["sweeps"]) for one in found], [(STRAY, self.stray_name, 1)])
        self.assertEqual(self.sweep()[0]["sweeps"], 2)
        self.assertRegex(self.controller.log(), rf"WARN\w* SWEEP_FOUND_UNKNOWN .*{STRAY}")
        self.assertIn(f"cloud object {self.stray_name}", self.controller.vcc("events"))
        self.assertIn("UNKNOWN", self.controller.vcc("sweep"))
        self.assertIn(STRAY, self.cloud())
        self.assertIn(THEIRS, self.cloud())

    def test_04_it_is_deleted_where_the_settings_allow_it_and_nothing_else_is(self):
        self.restart(VCC_SWEEP_DELETE="true", VCC_SWEEP_GRACE_S="0")
        self.assertEqual(json.loads(self.controller.vcc("sweep", "--json"))["objects"][0]["sweeps"], 2)  # remembered
        before = set(self.cloud())
        self.sweep()
        harness.wait_until(lambda: not json.loads(self.controller.vcc("sweep", "--json"))["objects"], "the object is gone")
        self.assertEqual(before - set(self.cloud()), {STRAY})
        self.assertEqual(len(self.cloud()), NODES + 1)
        self.assertRegex(self.controller.log(), r"SWEEP_DELETED .*by=sweep")
        self.assertEqual(self.check(), (0, []))

    def test_05_a_machine_that_went_behind_our_back_is_a_difference(self):
        machine = next(one for one in self.cloud().values() if one["vcc"] == self.vcc_id)
        self.append(id=machine["id"], state="stopped", reason="interrupted")
        status, differences = self.check()
        self.assertEqual((status, len(differences)), (1, 1))
        self.append(id=machine["id"], state="terminated")
        status, differences = self.check(self.group.vcid)
        self.assertEqual((status, len(differences)), (1, 1))
        self.assertEqual(differences[0]["cloud_id"], machine["id"])
        self.assertEqual(differences[0]["cloud"], "absent")
        self.assertEqual(differences[0]["record"], "RUNNING")

    def test_06_a_driver_that_is_not_there_is_a_difference(self):
        self.restart(providers=["onpremises"])
        status, differences = self.check()
        self.assertEqual((status, len(differences)), (1, NODES))
        for line in differences:
            self.assertIn("not loaded", line["difference"])
        self.restart()

    def test_07_what_a_purge_left_is_left_on_purpose_until_asked(self):
        self.controller.vcc("purge", "--keep-cloud", self.group.vcid)
        left = {one["cloud_id"]: one for one in self.sweep()}
        machines = {key for key, machine in self.cloud().items() if machine["vcc"] == self.vcc_id}
        self.assertTrue(machines)
        self.assertTrue(machines <= set(left))
        for machine in machines:
            self.assertIn("of unit web of UnitGroup story", left[machine]["left"])
        self.assertIn("left on purpose", self.controller.vcc("sweep"))
        self.assertEqual(self.check(), (0, []))
        for machine in machines:
            one = left[machine]
            self.assertEqual(self.run_vcc("sweep", "--delete", one["id"]).returncode, 2)
            self.assertEqual(self.run_vcc("sweep", "--delete", one["id"], "--name", "another").returncode, 1)
            self.controller.vcc("sweep", "--delete", one["id"], "--name", one["name"])
        harness.wait_until(lambda: not machines & set(self.cloud()), "the machines are gone")
        self.assertEqual(self.run_vcc("sweep", "--delete", "f" * 32, "--name", "x").returncode, 1)
        self.assertEqual(set(self.cloud()), {THEIRS})


if __name__ == "__main__":
    harness.main()
