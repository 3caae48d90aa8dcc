#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Drivers in a running controller: a second one is dropped in, checked, loaded and used; bad ones stop nothing.

The cases are one story, told in the order of their names.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

CATALOG = """\
cci_version: '1.0'
mock:
  default: {private_network_ipmask: 10.250.0.0/16, mock_boot_ms: 500}
second:
  default: {private_network_ipmask: 10.251.0.0/16}
"""
UNIT = "dropped-in"
NOBODY = 65534


class Plugins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vcc-plugins.")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.folder.chmod(0o755)
        for name in ("providers.d", "plugins", "bin"):
            (cls.folder / name).mkdir(mode=0o755)
        cls.plugins = cls.folder / "plugins"
        cls.mock = (build_dir() / "plugins" / "mock.so").read_bytes()
        cls.install("mock", cls.mock)
        cls.install("broken", b"no library\n")
        cls.settings("mock", "plugin: mock.so\n")
        cls.settings("broken", "plugin: broken.so\nproviders: [third]\n")
        cls.start(CATALOG)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.1, settle_s=0)
        cls.group = cls.unit = None

    @classmethod
    def start(cls, catalog=None):
        cls.controller = Controller(catalog, data=cls.folder / "data", environment={
            "VCC_PROVIDERS_DIR": str(cls.folder / "providers.d"), "VCC_PLUGIN_DIRS": str(cls.plugins)})
        cls.addClassCleanup(cls.controller.stop)

    @classmethod
    def install(cls, name, content):
        """As README.md of providers.d says: under another name, then renamed."""
        new = cls.plugins / "new"
        new.write_bytes(content)
        new.chmod(0o755)
        new.rename(cls.plugins / f"{name}.so")

    @classmethod
    def settings(cls, name, yaml):
        (cls.folder / "providers.d" / f"{name}.yml").write_text(yaml, encoding="utf-8")

    @classmethod
    def copy_of_mock(cls, word):
        """mock.so as a plugin of its own: another id of the same length."""
        return cls.mock.replace(b"jp.ac.nii.vcp.mock", b"jp.ac.nii.vcp." + word)

    def listed(self):
        plugins = json.loads(self.controller.vcc("plugin", "list", "--json"))["plugins"]
        return {plugin["instance"]: plugin for plugin in plugins}

    def refused(self, *arguments):
        """What a command that fails says."""
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            self.controller.vcc(*arguments)
        self.assertEqual(caught.exception.returncode, 1)
        return caught.exception.stdout + caught.exception.stderr

    def add_unit(self, provider):
        cci = vcp_cci.unit(UNIT, provider, vcp_cci.mock(), num_nodes=3)
        return self.group.create_unit(UNIT, cci)

    def assert_running(self):
        self.assertEqual([node["state"] for node in self.unit.nodes()], ["RUNNING"] * 3)

    def test_01_a_bad_driver_at_start_stops_nothing(self):
        drivers = self.listed()
        self.assertEqual(drivers["mock"]["state"], "loaded")
        self.assertEqual(drivers["mock"]["idempotency"], "token")
        self.assertEqual(drivers["broken"]["reason_id"], "PLUGIN_OPEN_FAILED")
        table = self.controller.vcc("plugin", "list")
        self.assertIn("what to do: rebuild it", table)
        self.assertRegex(table, r"\nmock +mock +loaded +1\.0\+\d+ +\d+\.\d+ +power,list,simulated_hosts,vcp\.disk/1 +token +64 +"
                                r"/\S+/mock\.so +[0-9a-f]{64}\n")
        self.assertEqual(list(self.sdk.occtr.version()["plugin"]), ["mock"])

    def test_02_nobody_serves_second_yet(self):
        Plugins.group = self.sdk.create_ugroup("plugins")
        with self.assertRaises(vcp_client.VcpError) as caught:
            self.add_unit("second")
        self.assertEqual(caught.exception.status, 400)
        self.assertIn("no driver serves provider second", caught.exception.message)

    def test_03_check_needs_no_server_and_no_rights(self):
        self.install("second", self.copy_of_mock(b"copy"))
        self.settings("second", "plugin: second.so\naliases:\n  second:\n  another: {concurrency: 2}\n")
        vcc = self.folder / "bin" / "vcc"
        shutil.copy(build_dir() / "bin" / "vcc", vcc)

        def check(name, *options):
            rights = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
            return subprocess.run([vcc, "plugin", "check", self.plugins / f"{name}.so", *options], capture_output=True,
                                  text=True, check=False, timeout=60, cwd="/", **rights)

        good = check("second", "--settings", self.folder / "providers.d" / "second.yml")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("id: jp.ac.nii.vcp.copy\n", good.stdout)
        self.assertIn("secret keys: access_key\n", good.stdout)
        self.assertIn("ok       close: another\n", good.stdout)
        bad = check("broken")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("refused  PLUGIN_OPEN_FAILED: ", bad.stdout)
        self.assertIn("what to do: ", bad.stdout)

    def test_04_load_makes_it_serve(self):
        self.assertIn("driver second loaded: ", self.controller.vcc("plugin", "load", "second"))
        drivers = self.listed()
        self.assertEqual(drivers["second"]["id"], "jp.ac.nii.vcp.copy")
        self.assertEqual(drivers["another"]["concurrency"], 2)
        self.assertEqual(sorted(self.sdk.occtr.version()["plugin"]), ["another", "mock", "second"])
        Plugins.unit = self.add_unit("second")
        self.assert_running()
        for node in self.unit.nodes():
            self.assertTrue(node["cloud_instance_address"].startswith("10.251."), node)

    def test_05_what_is_loaded_stays(self):
        self.install("second", self.copy_of_mock(b"next"))
        said = self.refused("plugin", "load", "second")
        self.assertIn("PLUGIN_NEEDS_RESTART", said)
        self.assertIn("what to do: restart", said)
        self.install("second", self.copy_of_mock(b"copy"))
        self.assertEqual(self.listed()["second"]["state"], "loaded")
        self.assert_running()

    def test_06_a_mended_file_is_loaded(self):
        self.assertIn("PLUGIN_OPEN_FAILED", self.refused("plugin", "load", "broken"))
        self.assertRegex(self.refused("plugin", "load", "nowhere"), "there is no /.*/nowhere.yml")
        self.install("broken", self.copy_of_mock(b"bent"))
        self.controller.vcc("plugin", "load", "broken")
        self.assertEqual(self.listed()["broken"]["state"], "loaded")
        self.assertIn("third", self.sdk.occtr.version()["plugin"])

    def test_07_nodes_wait_for_their_driver_and_go_on_with_it(self):
        away = self.folder / "second.so"
        self.controller.stop()
        (self.plugins / "second.so").rename(away)
        self.start()
        self.sdk.occtr.url, self.sdk.occtr.token = self.controller.url, self.controller.token
        self.assertEqual(self.listed()["second"]["reason_id"], "PLUGIN_PATH_REFUSED")
        self.sdk.occtr.delete_unit(self.group.vcid, UNIT, True)
        harness.wait_until(lambda: "NODE_WAITS_FOR_DRIVER" in self.controller.log(), "nodes wait")
        self.assertEqual(len(self.unit.nodes()), 3)
        away.rename(self.plugins / "second.so")
        self.controller.vcc("plugin", "load", "second")
        harness.wait_until(lambda: self.group.find(UNIT) is None, "the unit is gone", deadline_s=10)

    def test_08_and_all_is_still_well(self):
        self.assertEqual({plugin["state"] for plugin in self.listed().values()}, {"loaded"})
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")


if __name__ == "__main__":
    harness.main()
