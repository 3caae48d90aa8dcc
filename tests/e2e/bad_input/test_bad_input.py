#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: each gets the documented status and message, or state and error_message; GET /vcs works throughout."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import contract  # noqa: E402
import harness  # noqa: E402
import peer  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

MESSAGE = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d UTC: (VCP\w+Exception): ")


def encode(text):
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def yaml_bomb(levels=30):
    """Ten references a level to the level below: 10^levels scalars when walked naively."""
    lines = ["- unit:", "    name: bomb", "    l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"    l{level}: &l{level} [" + ", ".join([f"*l{level - 1}"] * 10) + "]")
    return "\n".join(lines) + "\n"


class Case(unittest.TestCase):
    """With a controller and its client; after every case the controller must still answer GET /vcs."""

    @classmethod
    def start(cls, catalog, **options):
        cls.controller = Controller(catalog, **options)
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.25, settle_s=0)
        cls.occtr = cls.sdk.occtr

    occtr = None

    def tearDown(self):
        if self.occtr is not None:
            self.occtr.config()

    def assert_refused(self, response, status, exception, *words):
        """The documented answer, and every word (a regular expression) somewhere in its message."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertTrue(response.headers["Content-Type"].startswith("application/json"))
        message = response.json()["message"]
        self.assertIsInstance(message, str)
        self.assertRegex(message, MESSAGE)
        self.assertEqual(MESSAGE.match(message)[1], exception, message)
        for word in words:
            self.assertRegex(message, re.compile(word, re.I))

    def group(self):
        """A UnitGroup of this case's own."""
        group = self.sdk.create_ugroup(self.id().rsplit(".", 1)[-1])
        self.addCleanup(self.clean, group)
        return group

    def clean(self, group):
        if group.read() is not None:
            group.cleanup()


class Requests(Case):
    """What is refused before anything happens."""

    @classmethod
    def setUpClass(cls):
        cls.start("cci_version: '1.0'\nmock:\n  default:\n    private_network_ipmask: 10.250.0.0/16\n    mock_boot_ms: 50\n"
                  "onpremises:\n  default:\n    allowed_hosts: [192.0.2.0/24]\n")

    def post_unit(self, group, text, name="u", raw=None):
        body = {"info": raw if raw is not None else encode(text), "unit_name": name}
        return self.occtr.send("POST", f"/vcs/{group.vcid}", body)

    def assert_empty(self, group):
        self.assertEqual(group.read()["unit"], [])

    def test_not_base64(self):
        self.assert_refused(self.occtr.send("POST", "/vcs", {"cci": "@@ not base64 @@"}), 400, "VCPInvalidRequestException",
                            "cci", "base64")
        group = self.group()
        self.assert_refused(self.post_unit(group, "", raw="%%%="), 400, "VCPInvalidRequestException", "info", "base64")
        self.assert_empty(group)

    def test_not_yaml(self):
        self.assert_refused(self.occtr.send("POST", "/vcs", {"cci": encode("- vc: {name: [")}), 400,
                            "VCPInvalidRequestException", "yaml|line")
        group = self.group()
        self.assert_refused(self.post_unit(group, "- unit:\n\t- :\n  }{"), 400, "VCPInvalidRequestException")
        self.assert_refused(self.post_unit(group, "just words"), 400, "VCPInvalidRequestException", "unit|list")
        self.assert_refused(self.post_unit(group, "", raw=base64.b64encode(b"- unit:\n    name: \xff\xfe\n").decode()), 400,
                            "VCPInvalidRequestException")
        self.assert_empty(group)

    def test_body_is_not_the_expected_json(self):
        for body in (b"{", b"[]", b"null", b'{"cci": 5}', b'{"cci": ' + b"[" * 5000, b"\xff"):
            self.assert_refused(self.post_raw("/vcs", body), 400, "VCPInvalidRequestException")

    def post_raw(self, path, body):
        answer = vcp_client.requests.post(self.occtr.url + path, data=body, verify=self.controller.ca, headers={
            "x-vcc-access-token": self.controller.token, "Content-Type": "application/json"})
        return contract.checked(self.occtr.url, self.controller.ca, answer)

    def test_keys_that_are_there_twice_name_the_field(self):
        self.assert_refused(self.post_raw("/vcs", b'{"cci": "YQ==", "cci": "YQ=="}'), 400, "VCPInvalidRequestException", '"cci"', "twice")
        group = self.group()
        text = vcp_cci.unit("u", "mock", vcp_cci.mock()).replace("recovery_mode: none", "num_nodes: 2")
        self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", '"num_nodes"', "twice")
        self.assert_empty(group)

    def test_unknown_keys_are_ignored_and_logged(self):
        group = self.group()
        text = vcp_cci.unit("u", "mock", vcp_cci.mock()).replace(
            "recovery_mode: none", "recovery_mode: none\n    another_one: [a, {b: c}]")
        body = json.dumps({"info": encode(text), "unit_name": "u", "from_the_future": {"a": [1, None]}})
        self.assertEqual(self.post_raw(f"/vcs/{group.vcid}", body).status_code, 202)
        group.wait_unit_applied("u")
        log = self.controller.log()
        self.assertRegex(log, "BODY_KEYS_IGNORED .*from_the_future")
        self.assertRegex(log, "CCI_KEYS_IGNORED .*another_one")

    def test_yaml_bomb(self):
        group = self.group()
        self.assert_refused(self.post_unit(group, yaml_bomb(), "bomb"), 400, "VCPInvalidRequestException")
        self.assert_refused(self.post_unit(group, "- unit: " + "[" * 100_000), 400, "VCPInvalidRequestException")
        self.assert_empty(group)

    def test_body_of_11_mb(self):
        response = self.occtr.send("POST", "/vcs", {"cci": "A" * (11 << 20)})
        self.assertEqual(response.status_code, 413, response.text)
        self.assertRegex(response.json()["message"], MESSAGE)

    def test_unknown_provider(self):
        group = self.group()
        text = vcp_cci.unit("u", "acme", vcp_cci.mock())
        self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", "acme")
        self.assert_empty(group)

    def test_missing_catalog_entry(self):
        group = self.group()
        text = vcp_cci.unit("u", "mock", vcp_cci.mock(), network="nowhere")
        self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", "mock", "nowhere", "catalog")
        self.assert_empty(group)

    def test_duplicate_unit_name(self):
        group = self.group()
        text = vcp_cci.unit("u", "mock", vcp_cci.mock())
        group.create_unit("u", text)
        self.assert_refused(self.post_unit(group, text), 409, "VCPConflictException", r"\bu\b")
        self.assertEqual(len(group.read()["unit"]), 1)

    def test_unit_name_that_no_path_can_hold(self):
        group = self.group()
        for name in ("", "a b", "a/b", "../x", "x" * 65, "\u3042"):
            text = vcp_cci.unit(json.dumps(name), "mock", vcp_cci.mock())
            self.assert_refused(self.post_unit(group, text, name), 400, "VCPInvalidRequestException", "name")
        self.assert_empty(group)

    def test_address_already_used(self):
        group = self.group()
        group.create_unit("u", vcp_cci.unit("u", "mock", vcp_cci.mock(["10.250.1.9"])))
        text = vcp_cci.unit("v", "mock", vcp_cci.mock(["10.250.1.9"]))
        self.assert_refused(self.post_unit(group, text, "v"), 409, "VCPConflictException", r"10\.250\.1\.9")
        response = self.occtr.send("PUT", f"/vcs/{group.vcid}/u",
                                   {"ip_address_list": ["10.250.1.9"], "mac_address_list": [], "num_nodes": 1})
        self.assert_refused(response, 409, "VCPConflictException", r"10\.250\.1\.9")
        self.assertEqual([unit["name"] for unit in group.read()["unit"]], ["u"])

    def test_address_outside_the_network(self):
        group = self.group()
        for address in ("192.168.1.1", "10.250.0.300", "::1", "name.example"):
            text = vcp_cci.unit("u", "mock", vcp_cci.mock([address]))
            self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", re.escape(address))
        text = vcp_cci.unit("u", "onpremises", vcp_cci.onpremises(["198.51.100.7"]))
        self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", r"198\.51\.100\.7")
        self.assert_empty(group)

    def test_value_of_131072_bytes(self):
        group = self.group()
        text = vcp_cci.unit("u", "mock", vcp_cci.mock(), environment=["BIG=" + "x" * 131_068])
        self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", r"params\.e")
        self.assert_empty(group)

    def test_unknown_docker_option(self):
        group = self.group()
        text = vcp_cci.unit("u", "mock", vcp_cci.mock(), docker_opt={"volume": "/:/host"})
        self.assert_refused(self.post_unit(group, text), 400, "VCPInvalidRequestException", "docker_opt", "volume")
        self.assert_empty(group)

    def test_token(self):
        revoked = json.loads(self.controller.vcc("token", "create", "--json"))["token"]
        self.assertEqual(vcp_client.Occtr(self.occtr.url, revoked, self.controller.ca).config(), self.occtr.config())
        self.controller.vcc("token", "revoke", "--token", revoked)
        for token in ("", "s.wrongwrongwrongwrongwrongw", "x" * 5000, revoked):
            client = vcp_client.Occtr(self.occtr.url, token, self.controller.ca)
            for method, path in (("GET", ""), ("GET", "/vcs"), ("GET", "/accounts/authority"), ("POST", "/vcs"), ("POST", "/vcs/fail")):
                response = client.send(method, path)
                self.assert_refused(response, 403, "VCPAuthException", "permission denied")
                if len(token) > 10:
                    self.assertNotIn(token, response.text)

    def test_unknown_ids(self):
        nothing = "0" * 32
        self.assertIsNone(self.occtr.vc(nothing))
        group = self.group()
        one = {"ip_address_list": [], "mac_address_list": [], "num_nodes": 1}
        for method, path, body in (
                ("GET", f"/vcs/{group.vcid}/none", None), ("DELETE", f"/vcs/{nothing}", {"force": "true"}),
                ("PUT", f"/vcs/{group.vcid}/none", one), ("DELETE", f"/vcs/{group.vcid}/none", {"force": "true"}),
                ("GET", f"/vcs/{group.vcid}/none/{nothing}", None), ("DELETE", f"/vcs/{group.vcid}/none/{nothing}", {})):
            self.assert_refused(self.occtr.send(method, path, body), 404, "VCPNotFoundException")

    def test_delete_without_force(self):
        group = self.group()
        group.create_unit("u", vcp_cci.unit("u", "mock", vcp_cci.mock()))
        for path in (f"/vcs/{group.vcid}", f"/vcs/{group.vcid}/u"):
            response = self.occtr.send("DELETE", path, {"force": "false"})
            self.assertEqual(response.status_code, 409, response.text)
            self.assertRegex(response.json()["message"], MESSAGE)
        self.assertEqual(group.read()["unit"][0]["state"], "RUNNING")


class Servers(Case):
    """Existing servers that do not do what they should."""

    CATALOG = """\
cci_version: '1.0'
onpremises:
  default:
    ssh_port: {port}
    boot_deadline_s: 20
    release_timeout_s: 20
"""

    @classmethod
    def setUpClass(cls):
        cls.peer = peer.Peer(3)
        cls.addClassCleanup(cls.peer.stop)
        cls.start(cls.CATALOG.format(port=cls.peer.port), providers=["onpremises"])
        cls.peer.authorize(cls.occtr.publickey())

    def boot(self, group, address, user=None, image=peer.IMAGE):
        cci = vcp_cci.unit("u", "onpremises", vcp_cci.onpremises([address], user or self.peer.user), image=image)
        return group.create_unit("u", cci, wait_for=False)

    def assert_boot_fails(self, address, *words, **options):
        group = self.group()
        unit = self.boot(group, address, **options)
        with self.assertRaises(vcp_client.VcpError) as failed:
            group.wait_unit_applied("u")
        self.assertIn("failed (u)", str(failed.exception))
        self.assertEqual(group.read()["state"], "ERROR")
        node = unit.nodes()[0]
        self.assertEqual(node["state"], "ERROR")
        for text in (node["error_message"], failed.exception.message):
            for word in (re.escape(address), *words):
                self.assertRegex(text, re.compile(word, re.I))
        group.cleanup()
        self.assertNotIn(address, self.peer.containers())

    def test_host_unreachable(self):
        self.assert_boot_fails("127.0.0.99", "ssh", "connect|refused|reach")

    def test_wrong_user(self):
        self.assert_boot_fails(self.peer.hosts[0], "nosuchuser", "authorized_keys|public key|publickey", user="nosuchuser")

    def test_no_engine(self):
        docker = self.peer.folder(1) / "bin" / "docker"
        target = os.readlink(docker)
        docker.unlink()
        self.addCleanup(docker.symlink_to, target)
        self.assert_boot_fails(self.peer.hosts[1], "docker", "install")

    def test_image_that_cannot_be_pulled(self):
        self.assert_boot_fails(self.peer.hosts[0], "127.0.0.1:9/vcp/none:1", "pull", image="127.0.0.1:9/vcp/none:1")

    def test_server_of_another_unit(self):
        group = self.group()
        self.boot(group, self.peer.hosts[0])
        group.wait_unit_applied("u")
        cci = vcp_cci.unit("v", "onpremises", vcp_cci.onpremises([self.peer.hosts[0]], self.peer.user), image=peer.IMAGE)
        response = self.occtr.send("POST", f"/vcs/{group.vcid}", {"info": encode(cci), "unit_name": "v"})
        self.assert_refused(response, 409, "VCPConflictException", re.escape(self.peer.hosts[0]))
        group.cleanup()
        self.assertEqual(self.peer.containers(), {})

    def test_wrong_host_key(self):
        group = self.group()
        unit = self.boot(group, self.peer.hosts[2])
        group.wait_unit_applied("u")
        self.peer.change_host_key(2)
        self.occtr.delete_node(group.vcid, "u", unit.nodes()[0]["node_id"])

        def complaint():
            nodes = unit.nodes()
            self.assertTrue(nodes, "the controller talked to a server with another key")
            # The server may still be starting again: then it is not there, which says nothing of its key.
            message = nodes[0]["error_message"]
            return message if re.search("host key", message, re.I) else None
        message = harness.wait_until(complaint, "an error_message about the key", 60)
        self.assertIn(self.peer.hosts[2], message)
        # Nothing was done on a machine that is not the one we know; the container is the administrator's to remove.
        self.assertIn(self.peer.hosts[2], self.peer.containers())
        self.peer.docker("rm", "-f", self.peer.containers()[self.peer.hosts[2]]["Id"])


class DataFolder(Case):
    """The folder below the controller."""

    def test_second_server_on_the_same_folder(self):
        self.start(None, providers=["mock"])
        data = self.controller.data_dir
        second = subprocess.run([str(build_dir() / "bin" / "occtr"), "--config", f"{data}/dev/occtr.yml"],
                                capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(data, second.stderr)
        self.assertRegex(second.stderr, re.compile("another|already|in use|locked", re.I))
        self.assertTrue(self.occtr.healthcheck())
        group = self.group()
        self.assertEqual(group.read()["state"], "RUNNING")

    def test_disk_full(self):
        mount = pathlib.Path(tempfile.mkdtemp(prefix="vcc-full."))
        self.addCleanup(mount.rmdir)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(mount)], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a small tmpfs here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(mount)], check=True)
        self.start("cci_version: '1.0'\nmock:\n  default:\n    private_network_ipmask: 10.250.0.0/16\n    mock_boot_ms: 50\n",
                   providers=["mock"], data=mount / "data")
        self.addCleanup(self.controller.stop)
        before = self.group()
        filler = mount / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
        body = {"cci": vcp_cci.encode(vcp_cci.vc("x" * 200))}
        refused = None
        for _ in range(150):  # the database may have room left inside its files
            response = self.occtr.send("POST", "/vcs", body)
            if response.status_code != 202:
                refused = response
                break
        self.assertIsNotNone(refused, "150 commits on a full disk were acknowledged")
        self.assert_refused(refused, 503, "VCPUnavailableException")
        self.assertEqual(before.read()["state"], "RUNNING")
        self.assertTrue(self.occtr.config())
        filler.unlink()
        harness.wait_until(lambda: self.occtr.send("POST", "/vcs", body).status_code == 202, "writes work again", 30)


if __name__ == "__main__":
    harness.main()
