#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A driver whose create never returns: the server answers everybody else, other drivers work, and it still ends.

The cases are one story, told in the order of their names.
"""

import json
import os
import pathlib
import signal
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

CALLS_AT_ONCE = 3  # of the 4 places in tests/bad_plugins/good.h: one account never has them all
ANSWER_S = 2.0
EARLY_S = 4.0  # how long add unit waits for a driver's word on the credentials
END_S = 6.0

CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 200
never_returns:
  default:
    private_network_ipmask: 10.251.0.0/16
"""


def has_ended(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class NeverReturns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        for name in ("mock", "never_returns"):
            pathlib.Path(folder.name, f"{name}.yml").write_text(f"plugin: {name}.so\n", encoding="ascii")
        os.environ["VCC_PROVIDERS_DIR"] = folder.name
        os.environ["VCC_PLUGIN_DIRS"] = f"{build_dir()}/plugins,{build_dir()}/bad_plugins"
        cls.controller = Controller(CATALOG, providers=["mock", "never_returns"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.1, settle_s=0)

    def timed(self, call, longest=ANSWER_S):
        begun = time.monotonic()
        result = call()
        self.assertLess(time.monotonic() - begun, longest)
        return result

    def jobs(self):
        return json.loads(self.controller.vcc("status", "--json"))["engine"]["jobs"]

    def test_1_requests_are_answered_while_every_call_hangs(self):
        NeverReturns.stuck = self.timed(lambda: self.sdk.create_ugroup("stuck"))
        for number in range(CALLS_AT_ONCE + 1):  # the last one waits for the driver
            name = f"u{number}"
            params = '        cci_version: "1.0"'
            self.timed(lambda name=name, params=params: self.stuck.create_unit(
                name, vcp_cci.unit(name, "never_returns", params), wait_for=False), ANSWER_S + EARLY_S)
        harness.wait_until(lambda: self.jobs() >= CALLS_AT_ONCE, "the account has all the places that it gets")
        for _ in range(20):
            self.timed(self.sdk.occtr.config)
        units = self.timed(self.stuck.read)["unit"]
        self.assertEqual([unit["state"] for unit in units], ["BOOTING"] * (CALLS_AT_ONCE + 1))

    def test_2_another_driver_makes_its_machines(self):
        group = self.sdk.create_ugroup("well")
        group.create_unit("u", vcp_cci.unit("u", "mock", vcp_cci.mock(), num_nodes=3))
        self.assertEqual(group.read()["unit"][0]["state"], "RUNNING")
        group.cleanup()
        harness.wait_until(lambda: group.read() is None, "the VC is gone (404)")

    def test_3_the_server_ends_and_says_what_it_leaves(self):
        begun = time.monotonic()
        os.kill(self.controller.pid, signal.SIGTERM)
        harness.wait_until(lambda: has_ended(self.controller.pid), "the server has ended")
        self.assertLess(time.monotonic() - begun, END_S)
        log = self.controller.log()
        self.assertRegex(log, rf"DRIVER_LEFT_BEHIND driver=never_returns calls={CALLS_AT_ONCE}")
        self.assertIn("OCCTR_STOPPED", log)

    def test_4_nothing_is_lost(self):
        data = self.controller.data_dir
        kept = pathlib.Path(data, "dev", "throwaway")
        NeverReturns.controller = Controller(data=data, providers=["mock", "never_returns"])
        self.assertTrue(kept.exists())
        self.sdk.occtr.url, self.sdk.occtr.token = self.controller.url, self.controller.token
        self.assertEqual(len(self.stuck.read()["unit"]), CALLS_AT_ONCE + 1)


if __name__ == "__main__":
    harness.main()
