#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A stranger's way: the installed SDK, the template and the examples built out of tree with both compilers, dropped into
a running controller, and used to make machines of the tiny cloud through REST, on good and on bad days."""

import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "plugin-sdk" / "examples" / "tiny-cloud"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402
from sdk_build import COMPILERS, InstalledSdk, run  # noqa: E402
from tiny_cloud import TinyCloud  # noqa: E402

NETWORK = "10.77.0.0/16"


class Kind:
    """One driver of the SDK's share: where its source is, and how a CCI and an administrator name things for it."""

    def __init__(self, provider, source, secrets, version, catalog=""):
        self.provider, self.source, self.secrets, self.version, self.catalog = provider, source, secrets, version, catalog

    def params(self, secrets=None, addresses=()):
        lines = {"cci_version": '"1.0"', "size": "small", **(secrets or self.secrets)}
        if addresses:
            lines["ip_address_list"] = list(addresses)
        return "\n".join(f"        {key}: {value}" for key, value in lines.items())

    def machines(self):
        return f"/{self.version}/machines"


KEY = {"api_key": "demo-key"}
LOGIN = {"user": "demo", "password": "demo-password"}
KINDS = {"template": Kind("mycloud", "template", KEY, "v1"),
         "c": Kind("tinyc", "examples/c", KEY, "v2"),
         "cpp": Kind("tiny", "examples/cpp", LOGIN, "v2", "    tiny_endpoint: URL\n")}

QUOTE = re.compile(r"<!-- (\S+) \[(\w+)\] -->\n```(\w+)\n(.*?)```", re.DOTALL)

sdk = None


def guide(language=""):
    return (ROOT / "plugin-sdk" / "docs" / language / "author-guide.md").read_text(encoding="utf-8")


def setUpModule():
    global sdk
    sdk = InstalledSdk()
    unittest.addModuleCleanup(sdk.remove)


def each_build():
    for name in KINDS:
        for compiler in COMPILERS:
            yield name, compiler, sdk.plugin(KINDS[name].source, compiler)


class OutOfTree(unittest.TestCase):
    def test_exports_the_entry_and_nothing_else(self):
        for _, _, plugin in each_build():
            symbols = run("nm", "-D", "--defined-only", plugin).split("\n")
            self.assertEqual([line.split()[1:] for line in symbols if line], [["D", "vcp_plugin_v0"]], plugin)
            needed = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", plugin))
            self.assertLessEqual({name.split(".so")[0] for name in needed}, {"libc", "libm", "libstdc++", "libgcc_s"})

    def test_figures(self):
        """What the manual may promise: a driver is small, to write and to load."""
        stripped = sdk.home / "stripped.so"
        for name, compiler, plugin in each_build():
            run("strip", "-o", stripped, plugin)
            size = stripped.stat().st_size
            print(f"FIGURE: {name}, {compiler}: {size} bytes stripped", file=sys.stderr)
            self.assertLess(size, 40_000 if name == "c" else 400_000)
        lines = (sdk.share / "template" / "driver.cpp").read_text(encoding="utf-8").splitlines()
        code = [line for line in lines if line.strip() and not line.strip().startswith("//")]
        print(f"FIGURE: smallest useful driver: {len(lines)} lines, {len(code)} of them code", file=sys.stderr)
        self.assertLess(len(code), 200)

    def test_plugin_check_accepts_them(self):
        check = sdk.prefix / "bin" / "vcp-plugin-check"
        for compiler in COMPILERS:
            run("ctest", "--test-dir", sdk.build("template", compiler), "--output-on-failure", "--no-tests=error")
            cloud = sdk.build("examples/tiny-cloud", compiler) / "tiny_cloud.so"
            for name in ("c", "cpp"):
                source = KINDS[name].source
                run(check, "conformance", sdk.plugin(source, compiler), "--case", sdk.share / source / "case.json",
                    "--cloud", cloud)

    def test_the_guide_quotes_what_is_compiled(self):
        sources = {path: (ROOT / "plugin-sdk" / path).read_text(encoding="utf-8") for path, _, _, _ in QUOTE.findall(guide())}
        for path, name, _, quoted in QUOTE.findall(guide()):
            parts = re.split(r"^.*\[%s\].*\n" % name, sources[path], flags=re.MULTILINE)
            self.assertEqual(len(parts), 1 if name == "whole" else 3, f"marks [{name}] in {path}")
            self.assertEqual(quoted.strip("\n"), parts[len(parts) // 2].strip("\n"), f"{path} [{name}] and the guide differ")
        blocks = re.findall(r"^```(cpp|c|yaml)$", guide(), re.MULTILINE)
        self.assertGreater(len(blocks), 10)
        self.assertEqual(len(QUOTE.findall(guide())), len(blocks), "a code block without its source")

    def test_the_guide_in_japanese_has_the_same_code_and_tables(self):
        for pattern in (r"^```.*?^```$", r"^## ", r"^\|[-|]+\|$", r"^- "):
            ours, theirs = (re.findall(pattern, guide(language), re.MULTILINE | re.DOTALL) for language in ("ja", ""))
            self.assertEqual(ours, theirs, pattern)
        rows = [len(re.findall(r"^\|", guide(language), re.MULTILINE)) for language in ("ja", "")]
        self.assertEqual(rows[0], rows[1], "rows of tables")

    def test_the_guides_commands_work(self):
        blocks = re.findall(r"<!-- run -->\n```sh\n(.*?)```", guide(), re.DOTALL)
        self.assertGreater(len(blocks), 0)
        with tempfile.TemporaryDirectory() as folder:
            run("bash", "-euc", "\n".join(blocks), cwd=folder, env={**os.environ, "SDK": str(sdk.prefix)})


class Story:
    """Told in the order of the names of its cases; the plugin of one compiler in one controller."""

    name = None  # in KINDS
    compiler = None

    @classmethod
    def setUpClass(cls):
        cls.kind = KINDS[cls.name]
        cls.cloud = TinyCloud(boot_ms=300, copy_ms=600, token_s=62)
        cls.addClassCleanup(cls.cloud.stop)
        folder = tempfile.TemporaryDirectory(prefix="vcc-drivers.")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        for name in ("plugins", "providers.d"):
            (cls.folder / name).mkdir(mode=0o755)
        catalog = (f"cci_version: '1.0'\n{cls.kind.provider}:\n  default:\n    private_network_ipmask: {NETWORK}\n"
                   + cls.kind.catalog.replace("URL", cls.cloud.url))
        cls.controller = Controller(catalog, data=cls.folder / "data", options=["--simulated-hosts"], environment={
            "VCC_PROVIDERS_DIR": str(cls.folder / "providers.d"), "VCC_PLUGIN_DIRS": str(cls.folder / "plugins")})
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.25, settle_s=0)
        cls.group = cls.unit = None

    def cci(self, name, **options):
        params = self.kind.params(options.pop("secrets", None), options.get("addresses", ()))
        options.pop("addresses", None)
        return vcp_cci.unit(name, self.kind.provider, params, **options)

    def assert_cloud(self, count):
        """The cloud has `count` machines, each once, and every bad day that was ordered has come."""
        state = self.cloud.state()
        names = [machine["name"] for machine in state["machines"]]
        self.assertEqual(len(names), count, state)
        self.assertEqual(len(set(names)), count, state)
        if self.kind.provider == "tiny":
            self.assertEqual(len(state["disks"]), count, state)
        self.assertEqual(self.cloud.pending_faults(), [])

    def test_1_not_there_yet(self):
        type(self).group = self.sdk.create_ugroup("strangers")
        with self.assertRaises(vcp_client.VcpError) as refused:
            self.group.create_unit("early", self.cci("early"))
        self.assertIn(self.kind.provider, refused.exception.message)

    def test_2_dropped_in(self):
        plugin = self.folder / "plugins" / f"{self.kind.provider}.so"
        shutil.copy(sdk.plugin(self.kind.source, self.compiler), plugin.with_suffix(".new"))
        plugin.with_suffix(".new").rename(plugin)
        text = (sdk.share / self.kind.source / f"{self.kind.provider}.yml").read_text(encoding="utf-8")
        settings = self.folder / "providers.d" / f"{self.kind.provider}.yml"
        settings.write_text(text.replace("http://127.0.0.1:8077", self.cloud.url), encoding="utf-8")
        self.controller.vcc("plugin", "check", str(plugin), "--settings", str(settings))
        self.controller.vcc("plugin", "load", self.kind.provider)
        self.assertEqual(self.sdk.occtr.version()["plugin"].get(self.kind.provider), "1.0+20261123")

    def test_3_refused_before_anything_happens(self):
        with self.assertRaises(vcp_client.VcpError) as refused:
            self.group.create_unit("huge", self.cci("huge").replace("size: small", "size: huge"))
        self.assertEqual(refused.exception.status, 400)
        self.assertIn("size", refused.exception.message)
        self.assert_cloud(0)

    def test_4_created_through_a_throttle_and_a_lost_answer(self):
        post = self.kind.machines()
        self.cloud.fault("POST", post, "429", retry_after=1)
        self.cloud.fault("POST", post, "lost")
        if self.kind.provider == "tiny":
            self.cloud.fault("POST", "/v2/disks", "lost")
            self.cloud.fault("GET", "/v2/disks", "500")
            self.cloud.fault("POST", "/v2/disks", "401")  # its token has expired before its time
        type(self).unit = self.group.create_unit("good", self.cci("good", num_nodes=3))
        nodes = self.unit.nodes()
        self.assertEqual([node["state"] for node in nodes], ["RUNNING"] * 3, nodes)
        machines = {machine["id"]: machine for machine in self.cloud.state()["machines"]}
        for node in nodes:
            self.assertEqual(machines[node["cloud_instance_id"]]["address"], node["cloud_instance_address"])
        self.assertEqual({machine["state"] for machine in machines.values()}, {"running"})
        self.assert_cloud(3)

    def test_5_a_fixed_address_and_fewer_nodes(self):
        self.unit.add_nodes(addresses=["10.77.5.5"])
        self.assertIn("10.77.5.5", [machine["address"] for machine in self.cloud.state()["machines"]])
        self.unit.delete_nodes(addresses=["10.77.5.5"])
        harness.wait_until(lambda: len(self.cloud.state()["machines"]) == 3, "its machine is gone")
        self.assert_cloud(3)

    def test_6_wrong_credentials_are_told_at_once(self):
        secrets = {key: "wrong-secret" for key in self.kind.secrets}
        with self.assertRaises(vcp_client.VcpError) as failed:
            self.group.create_unit("wrong", self.cci("wrong", secrets=secrets))
        self.assertEqual(failed.exception.status, 403)
        self.assertRegex(failed.exception.message, "bad_(token|login)|401")
        self.assert_cloud(3)
        self.assertEqual([unit["name"] for unit in self.group.read()["unit"]], ["good"])

    def test_7_deleted_through_lost_answers(self):
        self.cloud.fault("DELETE", self.kind.machines(), "lost")
        self.cloud.fault("DELETE", self.kind.machines(), "500")
        self.cloud.fault("GET", self.kind.machines(), "503", retry_after=1)
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        self.assert_cloud(0)
        self.assertEqual(self.cloud.state(), {"machines": [], "disks": []})

    def test_8_no_secret_in_the_log(self):
        log = self.controller.log()
        self.assertIn("DRIVER_HTTP", log)
        for secret in ("demo-key", "demo-password", "wrong-secret"):
            self.assertNotIn(secret, log)


class Template(Story, unittest.TestCase):
    name, compiler = "template", "gcc"


class InC(Story, unittest.TestCase):
    name, compiler = "c", "clang"


class InCpp(Story, unittest.TestCase):
    name, compiler = "cpp", "clang"


if __name__ == "__main__":
    harness.main()
