#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The REST contract on the wire: the served OpenAPI document, request bytes in and exact answer out for every route and
every way to refuse, the doors of failure notices, and the early answer about credentials."""

import contextlib
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import fastjsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import contract  # noqa: E402
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402
from raw_https import RawHttps  # noqa: E402

PREFIX = "/vcp/v1/occtr"
CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 50
  locked:
    private_network_ipmask: 10.251.0.0/16
    mock_boot_ms: 50
    mock_access_key: right-key
    mock_state_file: locked.jsonl
  slow:
    private_network_ipmask: 10.252.0.0/16
    mock_boot_ms: 50
    mock_api_latency_ms: 20000
    mock_state_file: slow.jsonl
  broken:
    private_network_ipmask: 10.253.0.0/16
    mock_fail:
      probe: "1 UNAVAILABLE"
    mock_state_file: broken.jsonl
"""
OPENAPI_SCHEMA = pathlib.Path("/usr/share/openapi-specification/schemas/v3.0/schema.json")
VALIDATOR = "@seriousme/openapi-schema-validator@2.11.0"

controller = None


def setUpModule():
    global controller
    controller = Controller(CATALOG, providers=["mock"], environment={"VCC_FAIL_PORT": "0", "VCC_HTTP_BODY_S": "2"})
    unittest.addModuleCleanup(controller.stop)


def openapi_rules():
    """The published schema of OpenAPI 3.0 itself."""
    anything = {"uri-reference": r"\S*", "regex": r".*"}
    return fastjsonschema.compile(json.loads(OPENAPI_SCHEMA.read_text(encoding="utf-8")), formats=anything)


def document():
    answer = vcp_client.requests.get(controller.url + "/openapi.json", verify=controller.ca)
    assert answer.status_code == 200, answer.text
    return answer.json()


class Document(unittest.TestCase):
    def test_needs_no_token_and_is_openapi(self):
        served = document()
        openapi_rules()(served)
        self.assertEqual(served["openapi"][:3], "3.0")

    def test_a_broken_document_would_be_found(self):
        served = document()
        served["paths"]["/occtr/vcs"]["get"]["responses"]["200"].pop("description")
        self.assertRaises(fastjsonschema.JsonSchemaException, openapi_rules(), served)

    def test_a_validator_of_others_accepts_it(self):
        npm = shutil.which("npm")
        if npm is None:
            self.skipTest("there is no npm on this machine")
        with tempfile.TemporaryDirectory() as folder:
            try:
                install = subprocess.run([npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", VALIDATOR],
                                         capture_output=True, text=True, timeout=60, check=False)
            except subprocess.TimeoutExpired:
                self.skipTest(f"npm does not install {VALIDATOR} within 60 s here")
            if install.returncode != 0:
                self.skipTest(f"npm cannot install {VALIDATOR} here: {install.stderr.strip()[-300:]}")
            path = pathlib.Path(folder, "openapi.json")
            path.write_text(json.dumps(document()), encoding="utf-8")
            program = pathlib.Path(folder, "node_modules", ".bin", "validate-api")
            checked = subprocess.run([program, path], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            self.assertIn('"valid": true', checked.stdout.replace('valid":true', 'valid": true'))

    def test_the_checker_of_the_tests_finds_what_is_not_so(self):
        class Fake:
            def __init__(self, status, body, request_id="00c0ffee", kind="application/json"):
                self.status_code, self.text, self.content = status, body, body.encode()
                self.headers = {"Content-Type": kind, "X-Request-Id": request_id}

            def json(self):
                return json.loads(self.text)

        rules = contract.Contract(document())
        message = '{"message": "2026/01/02 03:04:05 UTC: VCPNotFoundException: x"}'
        rules.check("GET", "/vcs", Fake(200, '{"vcs": []}'))
        rules.check("GET", "/nothing", Fake(404, message))
        for method, path, answer, sent in (
                ("GET", "/vcs", Fake(200, '{"vcs": null}'), None), ("GET", "/vcs", Fake(200, "[]"), None),
                ("GET", "/vcs", Fake(200, '{"vcs": [], "more": 1}'), None), ("GET", "/vcs", Fake(202, '{"vcs": []}'), None),
                ("GET", "/vcs", Fake(200, '{"vcs": []}', request_id=""), None),
                ("GET", "/vcs", Fake(200, '{"vcs": []}', kind="text/html"), None),
                ("GET", "/nothing", Fake(200, "{}"), None), ("GET", "/nothing", Fake(404, '{"message": "x"}'), None),
                ("DELETE", "/vcs/abc", Fake(202, "{}"), {"force": "perhaps"})):
            with self.assertRaises(contract.Broken):
                rules.check(method, path, answer, sent)


MESSAGE = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d UTC: "


class Golden(unittest.TestCase):
    """Request bytes in; status and body out, where <name> stands for what is different every time. Notes what it saw."""

    PARTS = {"id": r"[0-9a-f]{32}", "date": r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d UTC", "head": r"s\.[A-Za-z0-9]{6}",
             "any": r"(?:[^\"\\]|\\.)*", "address": r"10\.250\.\d+\.\d+", "cloud": r"mock-[0-9a-f]{17}", "no": r"\d+",
             "request": r"[0-9a-f]{8}"}

    def setUp(self):
        self.routes = set()  # that answered as they should
        self.refusals = set()

    def serve(self, server, token):
        self.raw, self.token = RawHttps(server.url, server.ca), token

    def send(self, method, path, body=None, token=None, more=()):
        token = self.token if token is None else token
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.raw.host}", f"x-vcc-access-token: {token}",
                 "Content-Type: application/json", "Connection: close", *more]
        data = b"" if body is None else body if isinstance(body, bytes) else body.encode()
        if body is not None and not any(line.startswith("Content-Length") for line in more):
            lines.append(f"Content-Length: {len(data)}")
        answer = self.raw.ask("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        answer.route = contract.served(self.raw.url, self.raw.ca).route(method, path.removeprefix(PREFIX))
        return answer

    def assert_golden(self, answer, status, body):
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertRegex(answer.headers["x-request-id"], r"^[0-9a-f]{8}$")
        pieces = re.split(r"<(\w+)>", body)
        pattern = "".join(self.PARTS[piece] if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
        self.assertRegex(answer.text, f"^{pattern}$")
        if status < 400:
            self.routes.add(answer.route)
        else:
            self.refusals.add((status, re.search(r"UTC: (VCP\w+): ", answer.text)[1]))

    def refused(self, exception, text):
        return '{"message":"<date>: ' + exception + ": " + text + '"}'


class EveryRoute(Golden):
    @classmethod
    def setUpClass(cls):
        cls.readonly = json.loads(controller.vcc("token", "create", "--readonly", "--json"))["token"]
        controller.vcc("user", "add", "other")
        cls.other = json.loads(controller.vcc("token", "create", "--user", "other", "--json"))["token"]
        controller.vcc("user", "add", "golden")
        cls.token = json.loads(controller.vcc("token", "create", "--user", "golden", "--json"))["token"]
        sdk = vcp_client.VcpSDK(controller.url, cls.token, controller.ca, poll_s=0.1, settle_s=0)
        cls.group = sdk.create_ugroup("golden")
        cls.addClassCleanup(cls.group.cleanup)
        cls.unit = cls.group.create_unit("web", vcp_cci.unit("web", "mock", vcp_cci.mock(), environment=["KEY=value"]))
        cls.vc = f"{PREFIX}/vcs/{cls.group.vcid}"
        cls.node = cls.unit.nodes()[0]["node_id"]

    def setUp(self):
        super().setUp()
        self.serve(controller, self.token)

    def test_every_route_answers_so(self):
        self.reads()
        self.verbs()
        self.changes()
        self.assertEqual(contract.served(controller.url, controller.ca).operations() - self.routes,
                         {("GET", "/occtr/vcs/{vcid}/{unit}/{node_id}/backup")})  # which is refused always

    def reads(self):
        node = ('{"node_no":1,"node_id":"<id>","name":"golden-web-1","state":"RUNNING","cloud_instance_address":"<address>",'
                '"cloud_instance_id":"<cloud>","volumes":[],"boot_date":"<date>","container_date":"<date>","watch_mode":true,'
                '"error_message":""}')
        unit = ('{"name":"web","type":"compute","provider":"mock","private_network":"default","state":"RUNNING","cdate":"<date>",'
                '"error_message":"","info":"<any>","node":[' + node + "]}")
        vc = ('{"vcc_id":"<id>","vcid":"<id>","vcno":<no>,"type":"compute","name":"golden","description":"golden",'
              '"owner":"golden","state":"RUNNING","cdate":"<date>","error_message":"","unit":[' + unit + "]}")
        for path, body in (
                ("", "{}"), ("/", '{"status":"ok"}'), ("/health", '{"status":"ok"}'),
                ("/accounts/authority", '{"role":"fullaccess","user_name":"golden","user_role":"regular"}'),
                ("/publickey", '{"publickey":"ssh-ed25519 <any>"}'),
                ("/version", '{"version":"<any>","git_tag":"<any>","plugin":{"mock":"<any>"}}'),
                ("/vcs", '{"vcs":[' + vc + "]}")):
            self.assert_golden(self.send("GET", PREFIX + path), 200, body)
        self.assert_golden(self.send("GET", self.vc), 200, vc)
        self.assert_golden(self.send("GET", self.vc + "/web"), 200, unit)
        self.assert_golden(self.send("GET", f"{self.vc}/web/{self.node}"), 200, node)
        described, networks = (self.send("GET", PREFIX + path) for path in ("/openapi.json", "/vpn_catalog"))
        self.assertEqual(described.json(), document())
        catalog = networks.json()["vpn_catalog"]
        self.assertEqual(catalog["cci_version"], "1.0")
        self.routes |= {described.route, networks.route}
        self.assertEqual(catalog["mock"]["default"], {"private_network_ipmask": "10.250.0.0/16", "mock_boot_ms": "50"})
        for path in ("", "/vcs", "/health"):
            head = self.send("HEAD", PREFIX + path)
            self.assertEqual((head.status_code, head.body), (200, b""))
        self.assertEqual(self.send("GET", PREFIX + "/health", token="").status_code, 200)

    def changes(self):
        made = self.send("POST", PREFIX + "/vcs", json.dumps({"cci": vcp_cci.encode(vcp_cci.vc("changes"))}))
        self.assert_golden(made, 202, '{"vcid":"<id>"}')
        vc = f"{PREFIX}/vcs/{made.json()['vcid']}"
        unit = json.dumps({"info": vcp_cci.encode(vcp_cci.unit("u", "mock", vcp_cci.mock())), "unit_name": "u"})
        renamed = vcp_cci.encode(vcp_cci.vc("renamed", "compute").replace("type: compute", "type: storage"))
        self.assert_golden(self.send("POST", vc, unit), 202, "{}")
        state = self.send("GET", vc).json()
        self.assertEqual((state["state"], state["unit"][0]["state"], len(state["unit"][0]["node"])), ("APPLYING", "BOOTING", 1))
        node = state["unit"][0]["node"][0]["node_id"]
        for method, path, body in (
                ("PUT", vc, json.dumps({"cci": renamed})), ("PUT", vc, "{}"),
                ("PUT", vc + "/u", '{"ip_address_list": [], "mac_address_list": [], "num_nodes": 1}'),
                ("PUT", vc + "/u", '{"ip_address_list": ["10.250.9.9"]}'),
                ("DELETE", f"{vc}/u/{node}", "{}"), ("DELETE", vc + "/u", '{"force": "true"}'),
                ("PATCH", vc, '{"owner": "golden", "operation": "change_owner"}'),
                ("POST", PREFIX + "/vcs/fail", '{"eventtype": "member-failed", "tag": [' + json.dumps(node) + ", 7]}"),
                ("POST", PREFIX + "/vcs/fail", ""), ("DELETE", vc, '{"force": "true"}')):
            self.assert_golden(self.send(method, path, body), 202, "{}")
            if method == "PUT":
                self.assertEqual(self.send("GET", vc).json()["type"], "compute")  # a rename leaves it as it is
        gone = harness.wait_until(lambda: [a for a in [self.send("GET", vc)] if a.status_code == 404], "the VC is gone")[0]
        self.assert_golden(gone, 404, self.refused("VCPNotFoundException", "UnitGroup <id> does not exist"))

    def verbs(self):
        for operation in ("suspend", "resume", "power_off", "power_on", "stop", "start", "watch", "unwatch", "watch"):
            for place in ("", "/" + self.node):
                self.assert_golden(self.send("PATCH", f"{self.vc}/web{place}/{operation}", "{}"), 202, "{}")
                self.unit.wait_nodes_applied()
        self.assert_golden(self.send("PATCH", self.vc + "/web/clear_processing", "{}"), 202, "{}")

    def test_info_is_masked(self):
        info = self.send("GET", self.vc + "/web").json()["info"]
        self.assertIn("cloud_provider", info)
        self.assertIn("KEY", info)
        self.assertNotIn("value", info)

    def test_every_way_to_refuse_says_so(self):
        self.refuse()
        self.refuse_at_the_listener()
        self.refuse_for_what_is_broken()
        self.assertEqual(contract.served(controller.url, controller.ca).refusals(), self.refusals)

    def refuse(self):
        nothing = "0" * 32
        invalid, absent, state = "VCPInvalidRequestException", "VCPNotFoundException", "VCPStateConflictException"
        lookup = "token lookup is failed: permission denied"
        unit = {"info": vcp_cci.encode(vcp_cci.unit("web", "mock", vcp_cci.mock())), "unit_name": "web"}
        secret = {"info": vcp_cci.encode(vcp_cci.unit("s", "mock", vcp_cci.mock() + "\n        access_key: vault://cubbyhole/none")),
                  "unit_name": "s"}
        for method, path, body, options, status, exception, text in (
                ("GET", PREFIX, None, {"token": "s.wrongwrongwrong"}, 403, "VCPAuthException", f"<head>:{lookup}"),
                ("GET", PREFIX + "/vcs", None, {"token": ""}, 403, "VCPAuthException", f":{lookup}"),
                ("POST", PREFIX + "/vcs/fail", "", {"token": ""}, 403, "VCPAuthException", f":{lookup}"),
                ("DELETE", self.vc, "{}", {"token": self.readonly}, 403, "VCPAuthException",
                 "<head>:the request is refused: the token has the role readonly, it needs the role fullaccess"),
                ("GET", PREFIX + "/vcs", None, {"more": ["x-vcc-privileged: TRUE"]}, 403, "VCPAuthException",
                 "<head>:privileged mode is refused: user golden has the role regular, it needs the role super"),
                ("GET", self.vc, None, {"token": self.other}, 403, "VCPAuthException",
                 "<head>:UnitGroup <id> belongs to another user"),
                ("POST", self.vc, json.dumps(secret), {}, 403, "VCPVaultReadException",
                 "<head>:cubbyhole/none vault read is failed: <any>"),
                ("POST", PREFIX + "/vcs", '{"cci": "***"}', {}, 400, invalid, "<any>base64<any>"),
                ("POST", PREFIX + "/vcs", "[]", {}, 400, invalid, "body of the request: it must be a JSON object"),
                ("PATCH", self.vc, '{"owner": "x", "operation": "y"}', {}, 400, invalid,
                 r'body of the request: \"operation\" is \"y\"; the only one is change_owner'),
                ("PATCH", self.vc, '{"owner": "x", "operation": "change_owner"}', {}, 400, invalid, "<any>x<any>"),
                ("PUT", self.vc + "/web", '{"num_nodes": "1"}', {}, 400, invalid,
                 r'body of the request: \"num_nodes\" must be a whole number'),
                ("GET", f"{PREFIX}/vcs/{nothing}", None, {}, 404, absent, "UnitGroup <id> does not exist"),
                ("GET", self.vc + "/none", None, {}, 404, absent, "unit none does not exist in UnitGroup <id>"),
                ("GET", f"{self.vc}/web/{nothing}", None, {}, 404, absent, "node <id> does not exist in unit web of UnitGroup <id>"),
                ("GET", PREFIX + "/ccts", None, {}, 404, absent, "there is nothing at <any>; check the URL"),
                ("DELETE", PREFIX + "/vcs", "{}", {}, 405, invalid, "method DELETE is not for <any>/vcs; it takes GET, HEAD, POST"),
                ("POST", self.vc, json.dumps(unit), {}, 409, "VCPConflictException",
                 "<id>:web:| Conflict: a unit of this name exists already"),
                ("DELETE", self.vc, '{"force": "false"}', {}, 409, state, "<id>::| Conflict: the UnitGroup still has 1 unit(s); <any>"),
                ("DELETE", self.vc + "/web", "{}", {}, 409, state, "<id>:web:| Conflict: the unit still has 1 node(s); <any>"),
                ("GET", f"{self.vc}/web/{self.node}/backup", None, {}, 409, state,
                 "<id>:web:| Conflict: backup is refused: this controller keeps no images of nodes; <any>"),
                ("PUT", self.vc + "/web", '{"num_nodes": 1000}', {}, 429, "VCPLimitException",
                 "the unit would have 1001 nodes or disks; the limit is 1000 a unit")):
            with self.subTest(method=method, path=path, body=body):
                self.assert_golden(self.send(method, path, body, **options), status, self.refused(exception, text))
        self.assertEqual(self.send("OPTIONS", PREFIX + "/vcs").headers["allow"], "GET, HEAD, POST, OPTIONS")

    def refuse_at_the_listener(self):
        vcs, limit, invalid = PREFIX + "/vcs", "VCPLimitException", "VCPInvalidRequestException"
        for method, path, body, more, status, exception, text in (
                ("POST", vcs, '{"cci": ', ["Content-Length: 90"], 408, invalid, "body of the request: it did not arrive in time"),
                ("POST", vcs, "", ["Content-Length: 10485761"], 413, limit, "body of the request: it is longer than 10485760 bytes"),
                ("GET", vcs + "?" + 9000 * "x", None, (), 414, limit, "first line of the request: the URL is longer than <no> bytes"),
                ("GET", vcs, None, [f"x-{number}: {500 * 'x'}" for number in range(90)], 431, limit,
                 "headers of the request: they are longer than <no> bytes together, or more than <no>")):
            with self.subTest(status=status):
                self.assert_golden(self.send(method, path, body, more=more), status, self.refused(exception, text))

    def refuse_for_what_is_broken(self):
        """On a server of its own: a record that cannot be read, and a driver that is not there any more."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        data = pathlib.Path(folder.name, "data")
        before = Controller(providers=["mock", "onpremises"], data=data)
        try:
            group = vcp_client.VcpSDK(before.url, before.token, before.ca, poll_s=0.1, settle_s=0).create_ugroup("broken")
            group.create_unit("torn", vcp_cci.unit("torn", "mock", vcp_cci.mock()))
            server = vcp_cci.unit("orphan", "onpremises", vcp_cci.onpremises(["192.0.2.1"]))
            group.create_unit("orphan", server, wait_for=False)
        finally:
            before.stop()
        with contextlib.closing(sqlite3.connect(data / "vcc.db")) as database, database:
            database.execute("UPDATE unit SET spec = 'sealed1:torn' WHERE name = 'torn'")
        broken = Controller(providers=["mock"], data=data)
        self.addCleanup(broken.stop)
        self.serve(broken, broken.token)
        vc = f"{PREFIX}/vcs/{group.vcid}"
        self.assert_golden(self.send("PUT", vc + "/torn", '{"num_nodes": 1}'), 500, self.refused(
            "VCPInternalException", "internal error; the log of the controller tells more under request id <request>"))
        self.assertRegex(broken.log(), "API_INTERNAL_ERROR .*sealed text cannot be opened")
        self.assert_golden(self.send("PATCH", vc + "/orphan/suspend", "{}"), 503, self.refused(
            "VCPUnavailableException",
            "suspend is refused: driver instance onpremises of provider onpremises is not loaded; `vcc status` tells why"))
        self.assertEqual(len(self.send("GET", vc).json()["unit"]), 2)  # and both are still shown


class FailureNotices(unittest.TestCase):
    def ask(self, method, url, **options):
        return contract.checked(controller.url, controller.ca,
                                vcp_client.requests.request(method, url, verify=controller.ca, **options))

    def fail_url(self):
        return json.loads(pathlib.Path(controller.data_dir, "run", "occtr.json").read_text(encoding="utf-8"))["fail_url"]

    def test_a_port_of_this_machine_takes_them_without_a_token(self):
        url = self.fail_url()
        self.assertRegex(url, r"^https://127\.0\.0\.1:\d+/vcp/v1/occtr/vcs/fail$")
        for body in (b"", b"{}", b'{"eventtype": "member-fail", "tag": ["x", 1]}'):
            answer = self.ask("POST", url, data=body)
            self.assertEqual((answer.status_code, answer.text), (202, "{}"))
        refused = self.ask("POST", url, data=b'{"tag": [worker-1]}')
        self.assertEqual(refused.status_code, 400)
        self.assertRegex(refused.json()["message"], f"^{MESSAGE}VCPInvalidRequestException: ")

    def test_that_port_does_nothing_else(self):
        base = self.fail_url().removesuffix("/vcs/fail")
        for path in ("", "/", "/vcs", "/version", "/openapi.json"):
            answer = self.ask("GET", base + path, headers={"x-vcc-access-token": controller.token})
            self.assertEqual(answer.status_code, 404, path)

    def test_the_script_of_the_original_would_post_this(self):
        answer = self.ask("POST", controller.url + "/vcs/fail", data=b"", headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status_code, 403)


class EarlyAnswer(unittest.TestCase):
    def setUp(self):
        sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, poll_s=0.1, settle_s=0)
        self.group = sdk.create_ugroup(self.id().rsplit(".", 1)[-1])
        self.addCleanup(self.group.cleanup, wait_for=False)

    def unit(self, network, key):
        params = vcp_cci.mock() + f"\n        access_key: {key}"
        return vcp_cci.unit("u", "mock", params, network=network)

    def test_wrong_credentials_are_refused_at_once(self):
        with self.assertRaises(vcp_client.VcpError) as refused:
            self.group.create_unit("u", self.unit("locked", "wrong-key-of-somebody"))
        self.assertEqual(refused.exception.status, 403)
        self.assertRegex(refused.exception.message, f"^{MESSAGE}VCPAuthException: s\\.\\w{{6}}: .*mock.*access_key.*InvalidAccessKey")
        self.assertNotIn("wrong-key-of-somebody", refused.exception.message)
        self.assertEqual(self.group.read()["unit"], [])

    def test_right_ones_are_not(self):
        unit = self.group.create_unit("u", self.unit("locked", "right-key"))
        self.assertEqual(unit.nodes()[0]["state"], "RUNNING")

    def test_a_slow_or_broken_cloud_refuses_nothing_and_nobody_waits_for_it(self):
        begun = time.monotonic()
        self.group.create_unit("u", self.unit("slow", "x"), wait_for=False)
        self.assertLess(time.monotonic() - begun, 15)  # its requests take 20 s
        self.group.create_unit("v", self.unit("broken", "x").replace("name: u", "name: v"), wait_for=False)
        self.assertEqual(len(self.group.read()["unit"]), 2)
        self.assertIn("PROBE_INCONCLUSIVE", controller.log())

    def test_an_administrator_asks_the_same(self):
        self.assertIn("works", controller.vcc("provider", "check", "mock"))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            for key, network, works in (("right-key", "locked", True), ("wrong-key", "locked", False), ("x", "nowhere", False)):
                file.seek(0)
                file.truncate()
                json.dump({"access_key": key}, file)
                file.flush()
                arguments = ("provider", "check", "mock", "--network", network, "--credentials", file.name)
                if works:
                    self.assertIn("works", controller.vcc(*arguments))
                    continue
                with self.assertRaises(subprocess.CalledProcessError) as refused:
                    controller.vcc(*arguments)
                self.assertRegex(refused.exception.stderr, "InvalidAccessKey" if network == "locked" else "nowhere")
                self.assertNotIn("wrong-key", refused.exception.stderr)


if __name__ == "__main__":
    harness.main()
