#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A department's own driver for its OpenStack (plugin-sdk/examples/site-openstack): built against the installed SDK alone,
proved by vcp-plugin-check, dropped into a running controller, used. The cloud is the fake that the product's driver is tested
with, behind one port: the first part of a path is the port of the service.
"""

import collections
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402
from fake_cloud_server import FakeCloudServer  # noqa: E402
from sdk_build import InstalledSdk, run  # noqa: E402

USER, PASSWORD = "alice.of.cloud", "secret-of-alice-0123456789"
OPTIONS = {"accounts": [{"user": USER, "secret": PASSWORD, "project": "alice"}], "boot_ms": 300, "lag_ms": 100}
SERVICES = {"compute": "8774/v2.1", "network": "9696", "image": "9292", "volume": "8776/v3"}
CATALOG = """\
cci_version: '1.0'
physics:
  default:
    private_network_ipmask: 10.60.0.0/24
    auth_url: {url}/5000/v3
    region: RegionOne
    tenant_name: alice
    domain_id: default
    network_name: priv
    security_group: vcp
    openstack_default_image: ubuntu
    endpoint_overrides:
{overrides}
"""


class Cloud(FakeCloudServer):
    def __init__(self):
        super().__init__(build_dir() / "plugins" / "openstack" / "openstack_fake_cloud.so", OPTIONS)
        self.made = []  # bodies of the requests that make servers

    def url_of(self, path):
        port, _, rest = path[1:].partition("/")
        return f"https://cloud.test:{port}/{rest}"

    def watch(self, method, path, body):
        if method == "POST" and path.endswith("/servers"):
            self.made.append(json.loads(body))


class SiteDriver(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installed = InstalledSdk()
        cls.addClassCleanup(cls.installed.remove)
        cls.plugin = cls.installed.plugin("examples/site-openstack", "gcc")
        cls.cloud = Cloud()
        cls.addClassCleanup(cls.cloud.stop)
        folder = tempfile.TemporaryDirectory(prefix="vcc-site.")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        for name in ("plugins", "providers.d"):
            (cls.folder / name).mkdir(mode=0o755)
        overrides = "\n".join(f"      {name}: {cls.cloud.url}/{place}" for name, place in SERVICES.items())
        cls.controller = Controller(CATALOG.format(url=cls.cloud.url, overrides=overrides), data=cls.folder / "data",
                                    options=["--simulated-hosts"], environment={
            "VCC_PROVIDERS_DIR": str(cls.folder / "providers.d"), "VCC_PLUGIN_DIRS": str(cls.folder / "plugins")})
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.25, settle_s=0)

    def cci(self, count):
        params = f"""        cci_version: "1.2"
        flavor_name: m1.small
        cloud_image: default
        ip_address_list: []
        volume_id: []
        tags: {{}}
        user_name: {USER}
        password: {PASSWORD}"""
        return vcp_cci.unit("unit", "physics", params, num_nodes=count)

    def test_1_it_is_small_and_proved(self):
        source = self.installed.share / "examples" / "site-openstack"
        lines = (source / "driver.cpp").read_text(encoding="utf-8").splitlines()
        self.assertLess(len(lines), 120)
        print(f"FIGURE: a site's own OpenStack driver: {len(lines)} lines", file=sys.stderr)
        run(self.installed.prefix / "bin" / "vcp-plugin-check", "conformance", self.plugin, "--case", source / "case.json",
            "--cloud", build_dir() / "plugins" / "openstack" / "openstack_fake_cloud.so")

    def test_2_dropped_into_a_running_controller_it_makes_machines_its_own_way(self):
        target = self.folder / "plugins" / "physics.so"
        shutil.copy(self.plugin, target.with_suffix(".new"))
        target.with_suffix(".new").rename(target)
        shutil.copy(self.installed.share / "examples" / "site-openstack" / "physics.yml", self.folder / "providers.d")
        self.controller.vcc("plugin", "load", "physics")
        self.assertEqual(self.sdk.occtr.version()["plugin"].get("physics"), "1.0+20261129")

        group = self.sdk.create_ugroup("department")
        unit = group.create_unit("unit", self.cci(8))
        self.assertEqual([node["state"] for node in unit.nodes()], ["RUNNING"] * 8)
        servers = [one["server"] for one in self.cloud.made]
        self.assertEqual(len(servers), 8)
        for server in servers:
            self.assertRegex(server["name"], r"^physics-vcp-[0-9a-f]{8}-[0-9a-z]{20}$")
        rooms = collections.Counter(server["availability_zone"] for server in servers)
        self.assertEqual(set(rooms), {"cellar", "attic"}, rooms)
        self.assertEqual({kind for kind, _, _, _ in self.cloud.objects()}, {"machine", "port"})

        group.cleanup()
        harness.wait_until(lambda: group.read() is None, "the VC is gone (404)")
        self.assertEqual(self.cloud.objects(), [])

    def test_3_its_own_options_are_checked(self):
        for text, wanted in (("options: {}", "/options/rooms"), ("options: {rooms: [cellar], rom: 1}", "/options/rom")):
            settings = self.folder / "wrong.yml"
            settings.write_text(f"plugin: physics.so\norigins_from: [auth_url]\n{text}\n", encoding="utf-8")
            with self.assertRaises(Exception) as refused:
                self.controller.vcc("plugin", "check", str(self.plugin), "--settings", str(settings))
            self.assertIn(wanted, refused.exception.stdout + refused.exception.stderr)


if __name__ == "__main__":
    harness.main()
