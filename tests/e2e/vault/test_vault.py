#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Users' keys over the Vault-shaped API, kept and used as notebooks do: hvac, Ansible's own look-up, curl and requests.

`mock` compares the access key of a unit with catalog key mock_access_key, so a unit that runs proves that the value
behind its `vault://` reference reached the driver.
"""

import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import hvac  # noqa: E402
import requests  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

KEY = "the-key-of-the-cloud"
WRONG = "PLANTED-wrong-key"
REFERENCE = "vault://cubbyhole/mock/access_key"
SLOW_BOOT_MS = 2000

CATALOG = f"""\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 50
    mock_access_key: {KEY}
  slow:
    private_network_ipmask: 10.251.0.0/16
    mock_boot_ms: {SLOW_BOOT_MS}
    mock_access_key: {KEY}
"""


def unit_cci(name, access_key=REFERENCE, **options):
    return vcp_cci.unit(name, "mock", vcp_cci.mock() + f"\n        access_key: {access_key}", **options)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(cls.controller.remove)
        cls.vault_url = cls.controller.vault_url

    def new_token(self, *options):
        return json.loads(self.controller.vcc("token", "create", *options, "--json"))["token"]

    def new_user(self, name):
        self.controller.vcc("user", "add", name)
        return self.new_token("--user", name)

    def revoke(self, token):
        self.controller.vcc("token", "revoke", "--token", token)

    def call(self, token, method, path, body=None):
        return requests.request(method, f"{self.vault_url}/v1/{path}", headers={"X-Vault-Token": token}, json=body,
                                verify=self.controller.ca)

    def keep(self, token, value, path="cubbyhole/mock/access_key"):
        self.assertEqual(str(self.call(token, "POST", path, {"value": value})), "<Response [204]>")

    def sdk(self, token):
        return vcp_client.VcpSDK(self.controller.url, token, self.controller.ca, poll_s=0.1, settle_s=0)

    def group(self, sdk):
        """A UnitGroup of this case's own."""
        group = sdk.create_ugroup(self.id().rsplit(".", 1)[-1])
        self.addCleanup(lambda: group.read() is not None and group.cleanup())
        return group

    def assert_refused(self, call, status, exception):
        with self.assertRaises(vcp_client.VcpError) as refused:
            call()
        self.assertEqual(refused.exception.status, status, refused.exception.message)
        self.assertIn(exception, refused.exception.message)


class Libraries(Case):
    """What programs that know nothing of us do."""

    def setUp(self):
        self.token = self.new_token()
        self.hvac = hvac.Client(url=self.vault_url, token=self.token, verify=self.controller.ca)
        self.folder = tempfile.mkdtemp(prefix="vcc-ansible.")
        self.addCleanup(shutil.rmtree, self.folder)

    def test_hvac_state_and_token(self):
        self.assertTrue(self.hvac.is_authenticated())
        for looked_up in (self.hvac.lookup_token(), self.hvac.auth.token.lookup_self()):
            self.assertEqual(looked_up["data"]["id"], self.token)
            self.assertGreater(looked_up["data"]["ttl"], 9 * 365 * 24 * 3600)
            self.assertFalse(looked_up["data"]["renewable"])
        self.assertEqual(self.hvac.sys.read_health_status().status_code, 200)  # by HEAD
        self.assertTrue(self.hvac.sys.read_health_status(method="GET")["initialized"])
        self.assertFalse(self.hvac.sys.read_seal_status()["sealed"])
        self.assertFalse(self.hvac.sys.is_sealed())

    def test_hvac_without_a_good_token(self):
        for token in ("s.wrong", None):
            client = hvac.Client(url=self.vault_url, token=token, verify=self.controller.ca)
            self.assertFalse(client.is_authenticated())
            with self.assertRaises(hvac.exceptions.Forbidden):
                client.read("cubbyhole/mock/access_key")
            self.assertFalse(client.sys.is_sealed())

    def test_hvac_key_value_version_1(self):
        for mount in ("cubbyhole", "secret"):
            kv = self.hvac.secrets.kv.v1
            folder = "hvac/kv"
            for method, value in (("POST", "one"), ("PUT", "two")):
                stored = {"value": value, "munge.key": "bXVuZ2U="}
                self.assertEqual(kv.create_or_update_secret(f"{folder}/a", stored, method=method, mount_point=mount).status_code, 204)
                self.assertEqual(kv.read_secret(f"{folder}/a", mount_point=mount)["data"], stored)
            kv.create_or_update_secret(f"{folder}/deep/b", {"value": "x"}, mount_point=mount)
            self.assertEqual(kv.list_secrets(folder, mount_point=mount)["data"]["keys"], ["a", "deep/"])
            self.assertEqual(kv.delete_secret(f"{folder}/a", mount_point=mount).status_code, 204)
            with self.assertRaises(hvac.exceptions.InvalidPath):
                kv.read_secret(f"{folder}/a", mount_point=mount)
            self.assertEqual(kv.list_secrets(folder, mount_point=mount)["data"]["keys"], ["deep/"])

    def test_hvac_plain_calls(self):
        for mount in ("cubbyhole", "secret"):
            self.assertEqual(self.hvac.write(f"{mount}/plain/a", foo="bar", value="v").status_code, 204)
            answer = self.hvac.read(f"{mount}/plain/a")
            self.assertEqual(answer["data"], {"foo": "bar", "value": "v"})
            self.assertEqual([answer[key] for key in ("lease_id", "renewable", "wrap_info", "warnings", "auth")],
                             ["", False, None, None, None])
            self.assertEqual(self.hvac.list(f"{mount}/plain")["data"]["keys"], ["a"])
            self.hvac.delete(f"{mount}/plain/a")
            self.assertIsNone(self.hvac.read(f"{mount}/plain/a"))
            self.assertIsNone(self.hvac.list(f"{mount}/plain"))

    def test_what_the_policy_denies(self):
        self.hvac.write("cubbyhole/kept", value="v")
        for call in (self.hvac.auth.token.renew_self, self.hvac.auth.token.revoke_self,
                     lambda: self.hvac.sys.get_capabilities(["cubbyhole/kept"]),
                     lambda: self.hvac.read("cubbyhole/kept", wrap_ttl="60"), self.hvac.sys.list_mounted_secrets_engines):
            with self.assertRaises(hvac.exceptions.Forbidden):
                call()
        self.assertEqual(self.hvac.read("cubbyhole/kept")["data"], {"value": "v"})

    def test_bearer(self):
        self.keep(self.token, "v", "cubbyhole/bearer")
        answer = requests.get(f"{self.vault_url}/v1/cubbyhole/bearer", verify=self.controller.ca,
                              headers={"Authorization": f"Bearer {self.token}"})
        self.assertEqual(answer.json()["data"], {"value": "v"})

    def ansible(self, terms):
        """What Ansible's look-up makes of `terms`: its exit code and output."""
        environment = {**os.environ, "VAULT_ADDR": self.vault_url, "VAULT_TOKEN": self.token, "VAULT_CACERT": self.controller.ca,
                       "ANSIBLE_HOME": self.folder, "ANSIBLE_NOCOLOR": "1"}
        shown = "msg={{ lookup('community.hashi_vault.hashi_vault', '%s') }}" % terms
        done = subprocess.run(["/usr/bin/ansible", "localhost", "-i", "localhost,", "-c", "local", "-m", "debug", "-a", shown],
                              capture_output=True, text=True, check=False, env=environment, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def test_ansible_look_up(self):
        self.keep(self.token, "value-for-ansible", "cubbyhole/ansible/key")
        self.assertEqual(self.call(self.token, "POST", "secret/ansible", {"foo": "shared-value"}).status_code, 204)
        for terms, expected in (("cubbyhole/ansible/key:value", "value-for-ansible"), ("secret=secret/ansible:foo", "shared-value")):
            code, output = self.ansible(terms)
            self.assertEqual(code, 0, output)
            self.assertIn(expected, output)
        code, output = self.ansible("cubbyhole/ansible/none:value")
        self.assertNotEqual(code, 0)
        self.assertIn("exist", output)
        self.token = "s.wrong"
        self.assertNotEqual(self.ansible("cubbyhole/ansible/key:value")[0], 0)

    def test_curl_help(self):
        for path, code in (("cubbyhole?help=1", 0), ("secret?help=1", 0), ("cubbyhole/none", 22)):
            command = ["curl", "-I", "--fail", "--silent", "--cacert", self.controller.ca, "-H", f"X-Vault-Token: {self.token}",
                       f"{self.vault_url}/v1/{path}"]
            self.assertEqual(subprocess.run(command, capture_output=True, check=False, timeout=60).returncode, code, path)
        answer = self.call(self.token, "GET", "cubbyhole?help=1").json()
        self.assertTrue(answer["help"])
        self.assertIsNone(answer["see_also"])


class People(Case):
    """Who sees what."""

    def test_two_tokens_of_one_user_never_see_each_other(self):
        mine, other = self.new_token(), self.new_token()
        self.keep(mine, "mine", "cubbyhole/a")
        for method in ("GET", "LIST"):
            self.assertEqual(self.call(other, method, "cubbyhole/a" if method == "GET" else "cubbyhole").status_code, 404)
        self.keep(other, "other", "cubbyhole/a")
        self.assertEqual(self.call(other, "DELETE", "cubbyhole/a").status_code, 204)
        self.assertEqual(self.call(mine, "GET", "cubbyhole/a").json()["data"], {"value": "mine"})
        self.keep(mine, "shared", "secret/of-all")
        self.assertEqual(self.call(other, "GET", "secret/of-all").json()["data"], {"value": "shared"})

    def test_a_revoked_token_and_its_cubbyhole(self):
        token = self.new_token()
        self.keep(token, "PLANTED-of-a-revoked-token", "cubbyhole/a")
        rows = self.controller.vcc("token", "list")
        self.revoke(token)
        self.assertNotEqual(self.controller.vcc("token", "list"), rows)
        for method, path in (("GET", "cubbyhole/a"), ("LIST", "cubbyhole"), ("POST", "cubbyhole/a"), ("GET", "auth/token/lookup-self")):
            answer = self.call(token, method, path, {"value": "x"})
            self.assertEqual((answer.status_code, answer.json()), (403, {"errors": ["permission denied"]}))

    def test_a_readonly_token(self):
        reader, writer = self.new_token("--readonly"), self.new_token()
        self.keep(writer, "shared", "secret/for-readers")
        self.assertEqual(self.call(reader, "GET", "secret/for-readers").json()["data"], {"value": "shared"})
        for method in ("POST", "PUT", "DELETE"):
            answer = self.call(reader, method, "secret/for-readers", {"value": "changed"})
            self.assertEqual(answer.status_code, 403)
            self.assertIn("permission denied", answer.json()["errors"])
        self.assertEqual(self.call(writer, "GET", "secret/for-readers").json()["data"], {"value": "shared"})
        self.keep(reader, "own", "cubbyhole/own")
        self.assertEqual(self.call(reader, "GET", "cubbyhole/own").json()["data"], {"value": "own"})


class Notebook(Case):
    """Keys kept by a notebook and used by the engine."""

    def setUp(self):
        self.token = self.new_token()
        self.client = self.sdk(self.token)

    def assert_running(self, unit, nodes):
        self.assertEqual(unit.read()["state"], "RUNNING", unit.read()["error_message"])
        self.assertEqual([node["state"] for node in unit.nodes()], ["RUNNING"] * nodes)

    def test_the_flow(self):
        for name, value in (("access_key", KEY), ("secret_key", "another")):
            self.keep(self.token, value, f"cubbyhole/mock/{name}")
            self.assertEqual(self.call(self.token, "GET", f"cubbyhole/mock/{name}").json()["data"]["value"], value)
        self.assertEqual(self.call(self.token, "LIST", "cubbyhole/mock/").json()["data"]["keys"], ["access_key", "secret_key"])
        group = self.group(self.client)
        unit = group.create_unit("flow", unit_cci("flow", num_nodes=2))
        self.assert_running(unit, 2)
        self.assertNotIn(KEY, json.dumps(group.read()))

    def test_a_shared_key(self):
        self.keep(self.token, KEY, "secret/cloud/key")
        group = self.group(self.client)
        self.assert_running(group.create_unit("shared", unit_cci("shared", "vault://secret/cloud/key")), 1)

    def test_a_missing_path_makes_nothing(self):
        group = self.group(self.client)
        self.keep(self.token, KEY, "cubbyhole/mock/other")
        self.assertEqual(self.call(self.token, "POST", "cubbyhole/mock/no_value", {"foo": KEY}).status_code, 204)
        for reference in (REFERENCE, "vault://cubbyhole/mock/no_value", "vault://cubbyhole/../secret/a", "vault://nowhere/a", "vault://"):
            self.assert_refused(lambda: group.create_unit("none", unit_cci("none", reference)), 403, "VCPVaultReadException")
            self.assertEqual(group.read()["unit"], [])

    def test_rotation(self):
        self.keep(self.token, KEY)
        group = self.group(self.client)
        unit = group.create_unit("rotated", unit_cci("rotated"))
        self.keep(self.token, WRONG)
        unit.add_nodes(1)
        bad = [node for node in unit.nodes() if node["state"] != "RUNNING"]
        self.assertEqual([node["state"] for node in bad], ["ERROR"])
        self.assertIn("access_key", bad[0]["error_message"])
        self.assertNotIn(WRONG, json.dumps(group.read()))
        self.keep(self.token, KEY)
        self.client.occtr.delete_node(group.vcid, "rotated", bad[0]["node_id"])
        unit.wait_nodes_applied()
        unit.add_nodes(1)
        self.assert_running(unit, 2)
        self.assertNotIn(WRONG, self.controller.log())

    def test_a_token_revoked_while_its_unit_boots(self):
        self.keep(self.token, KEY)
        group = self.group(self.client)
        unit = group.create_unit("boots", unit_cci("boots", network="slow"), wait_for=False)
        self.assertEqual(unit.read()["state"], "BOOTING")
        self.revoke(self.token)
        self.assert_refused(unit.read, 403, "VCPAuthException")
        self.client.occtr.token = self.new_token()
        self.assertEqual(unit.read()["state"], "BOOTING", "the revocation came too late for this case")
        group.wait_unit_applied("boots")
        self.assert_running(unit, 1)
        group.cleanup()
        harness.wait_until(lambda: group.read() is None, "the UnitGroup is gone (404)")

    def test_nodes_of_another_user(self):
        self.keep(self.token, KEY)
        group = self.group(self.client)
        unit = group.create_unit("given", unit_cci("given"))
        heir = self.new_user("heir")
        self.client.occtr.call("change owner vc failed", 202, "PATCH", f"/vcs/{group.vcid}",
                               {"owner": "heir", "operation": "change_owner"})
        self.client.occtr.token = heir
        self.assert_refused(lambda: unit.add_nodes(1), 403, "VCPVaultReadException")
        self.assert_running(unit, 1)
        self.keep(heir, KEY)
        unit.add_nodes(1)
        self.assert_running(unit, 2)
        self.keep(self.token, WRONG)  # the first user's value is not the heir's
        unit.add_nodes(1)
        self.assert_running(unit, 3)
        self.keep(self.token, KEY)


class Hostile(Case):
    """Paths, bodies and tokens that no good client sends."""

    def setUp(self):
        self.token = self.new_token()
        address = urllib.parse.urlsplit(self.vault_url)
        self.address = (address.hostname, address.port)
        self.tls = ssl.create_default_context(cafile=self.controller.ca)

    def status(self, method, target, body=b""):
        """The status of a request whose request line nobody has tidied up."""
        head = f"{method} ".encode() + target + (
            f" HTTP/1.1\r\nHost: vcc\r\nX-Vault-Token: {self.token}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n").encode()
        with socket.create_connection(self.address, timeout=30) as plain, \
                self.tls.wrap_socket(plain, server_hostname=self.address[0]) as connection:
            connection.sendall(head + body)
            answer = b""
            while len(answer) < 12:
                piece = connection.recv(4096)
                if not piece:
                    break
                answer += piece
        self.assertTrue(answer.startswith(b"HTTP/1."), (method, target[:60], answer))
        return int(answer[9:12])

    def assert_4xx(self, method, target, body=b"{}"):
        self.assertIn(self.status(method, target, body), range(400, 500), (method, target[:80], body[:60]))

    def assert_well(self):
        self.keep(self.token, "still here", "cubbyhole/well")
        self.assertEqual(self.call(self.token, "GET", "cubbyhole/well").json()["data"], {"value": "still here"})
        self.assertNotIn("API_INTERNAL_ERROR", self.controller.log())
        self.assertNotIn("API_EXCEPTION", self.controller.log())

    def test_paths(self):
        fixed = [b"cubbyhole/..", b"cubbyhole/../secret/a", b"cubbyhole/%2e%2e/secret/a", b"cubbyhole/a/./b", b"cubbyhole/a%2fb",
                 b"cubbyhole/a%2Fb", b"cubbyhole/a%00b", b"cubbyhole/%00", b"cubbyhole/%", b"cubbyhole/%zz", b"cubbyhole/%ff",
                 b"cubbyhole/%c0%af", b"cubbyhole/%ed%a0%80", b"cubbyhole//a", b"cubbyhole/a//b", b"cubbyhole/a\x01b",
                 b"cubbyhole/a%0d%0ab", b"cubbyhole/" + b"a" * 256, b"cubbyhole/" + b"a/" * 33 + b"a",
                 b"cubbyhole/" + b"a" * 15000, "cubbyhole/\u202e".encode() + b"%ff", b"../v1/cubbyhole/a", b"", b"nowhere/a",
                 b"sys/raw/core/keyring", b"cubbyholes/a", b"secret", b"sys/../cubbyhole/a"]
        for path in fixed:
            for method in ("GET", "POST", "PUT", "DELETE"):
                self.assert_4xx(method, b"/v1/" + path, b'{"value": "x"}')
        for method in ("GET", "POST", "PUT", "DELETE"):
            self.assertEqual(self.status(method, b"/v1/cubbyhole/" + b"a" * 65536), 414)
        self.assert_well()
        self.assertEqual(self.call(self.token, "LIST", "cubbyhole").json()["data"]["keys"], ["well"])

    def test_random_paths_never_break_out(self):
        """With a fixed seed: pieces joined at random are refused, or name a path of one's own cubbyhole."""
        chance = random.Random(20261124)
        pieces = [b"..", b".", b"%2e", b"%2f", b"%5c", b"%00", b"/", b"//", b"%ff", b"%E3%81%82", "あ".encode(), b"a", b"value", b"%25",
                  b"%252e", b";", b"?", b"#", b"%0a", b"%7f", b"secret", b"cubbyhole", b"v1", b"\xf0\x9f\x98\x80", b"~", b"*"]
        before = self.call(self.token, "LIST", "secret").status_code
        for _ in range(300):
            path = b"/v1/cubbyhole/" + b"".join(chance.choices(pieces, k=chance.randint(1, 8)))
            method = chance.choice(("GET", "POST", "PUT", "DELETE", "LIST", "HEAD"))
            status = self.status(method, path, b'{"value": "x"}')
            self.assertTrue(status in (200, 204) or 400 <= status < 500, (method, path, status))
        self.assertEqual(self.call(self.token, "LIST", "secret").status_code, before)
        self.assert_well()

    def test_bodies(self):
        deep = b'{"value": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
        fixed = [b"", b"{", b"[]", b"{}", b"null", b"1", b'"text"', b"true", b'{"a" 1}', b'{"a": 1,}', b'{"a": \x00}', b'{"a": "\xff"}',
                 b"\xff\xfe{\x00}\x00", b"value=x", b'{"a": 1} {"b": 2}', b'{"a": 1e999999}{', deep,
                 b'{"value": "' + b"x" * (1 << 20) + b'"}', b'{"' + b"k" * (1 << 20) + b'": 1}', b'{"value": "\\ud800"}', b"[" * 100_000]
        for body in fixed:
            for method in ("POST", "PUT"):
                self.assert_4xx(method, b"/v1/cubbyhole/body", body)
        self.assertEqual(self.call(self.token, "GET", "cubbyhole/body").status_code, 404)
        self.assert_well()

    def test_random_bodies(self):
        """With a fixed seed: a good body with bytes changed is refused, or is read back as what it says."""
        chance = random.Random(20261125)
        good = json.dumps({"value": "Ünïcode あ", "n": [1, {"deep": None}], "b": True}, ensure_ascii=False).encode()
        for _ in range(200):
            body = bytearray(good)
            for _ in range(chance.randint(1, 4)):
                body[chance.randrange(len(body))] = chance.choice(b'{}[]":,\\\x00\xff1e' + good)
            status = self.status("POST", b"/v1/cubbyhole/mutant", bytes(body))
            self.assertTrue(status == 204 or 400 <= status < 500, (bytes(body), status))
            if status == 204:
                self.assertEqual(self.call(self.token, "GET", "cubbyhole/mutant").json()["data"], json.loads(bytes(body)))
        self.assert_well()

    def test_methods(self):
        for method in ("PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 30):
            self.assert_4xx(method, b"/v1/cubbyhole/well")
        self.assert_well()

    def test_unicode_is_a_name_like_others(self):
        for name in ("鍵", "a b", "ключ", "\U0001f511", "e\u0301"):
            path = "cubbyhole/names/" + urllib.parse.quote(name)
            self.keep(self.token, name, path)
            self.assertEqual(self.call(self.token, "GET", path).json()["data"], {"value": name})
            self.assertIn(name, self.call(self.token, "LIST", "cubbyhole/names").json()["data"]["keys"])


class Guesses(Case):
    """Its own server: this address is in bad repute there afterwards."""

    def test_guesses_at_either_door_are_slowed_down(self):
        token = self.controller.token
        occtr = vcp_client.Occtr(self.controller.url, token, self.controller.ca)
        self.assertEqual(occtr.config(), [])
        stranger = self.new_token()
        statuses = []
        for attempt in range(60):
            guess = f"s.PLANTED-guess-{attempt}"
            if attempt % 2:
                answer = self.call(guess, "GET", "auth/token/lookup-self")
            else:
                answer = vcp_client.Occtr(self.controller.url, guess, self.controller.ca).send("GET", "/vcs")
                self.assertIn("VCPAuthException" if answer.status_code == 403 else "VCPLimitException", answer.text)
            self.assertNotIn("guess-", answer.text)
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(statuses[:30], [403] * 30)
        self.assertLess(statuses[30:].count(403), 15)  # one more each two seconds
        self.assertGreater(statuses[30::2].count(429), 0)
        self.assertGreater(statuses[31::2].count(429), 0)
        self.assertEqual(self.call(stranger, "GET", "cubbyhole/a").status_code, 429)
        self.assertEqual(occtr.config(), [])  # this token was right before
        self.assertEqual(self.call(token, "GET", "auth/token/lookup-self").status_code, 200)
        self.assertEqual(self.controller.log().count("API_GUESSES_REFUSED"), 1)
        harness.wait_until(lambda: self.call(stranger, "GET", "cubbyhole/a").status_code == 404, "the pause is over", deadline_s=10)


if __name__ == "__main__":
    harness.main()
