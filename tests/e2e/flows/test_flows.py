#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each flow of the SDK, request by request (spec/rest-protocol 9.7), and whole notebooks of them side by side, 20 times
faster than the SDK polls, on clouds that lose answers, refuse and lag: no client sees an error."""

import pathlib
import re
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

FASTER = 20
TIMES = {"poll_s": 5 / FASTER, "settle_s": 6 / FASTER}
# What goes wrong in each cloud; none of it is the fault of a user, so none of it may reach one.
CLOUDS = {
    "calm": {},
    "lossy": {"create": "0.3 lost", "destroy": "0.3 lost", "observe": "0.1 UNAVAILABLE"},
    "refusing": {"create": "0.3 UNAVAILABLE", "destroy": "0.3 UNAVAILABLE", "probe": "0.5 UNAVAILABLE"},
    "dropping": {"create": "0.3 dropped", "destroy": "0.3 dropped", "observe": "0.2 lost", "probe": "0.5 DEADLINE_EXCEEDED"},
}


def catalog():
    lines = ["cci_version: '1.0'", "mock:"]
    for number, (name, faults) in enumerate(CLOUDS.items()):
        lines += [f"  {name}:", f"    private_network_ipmask: 10.{100 + number}.0.0/16", "    mock_boot_ms: 400",
                  "    mock_api_latency_ms: 5", f"    mock_state_file: {name}.jsonl"]
        if faults:
            lines += ["    mock_fail:"] + [f'      {operation}: "{fault}"' for operation, fault in faults.items()]
    return "\n".join(lines) + "\n"


controller = None


def setUpModule():
    global controller
    controller = Controller(catalog(), providers=["mock"])
    unittest.addModuleCleanup(controller.stop)


class Recorder(vcp_client.Occtr):
    """Notes each request as a word: "GET vc", "PATCH node/power_off"; and every answer that the SDK would not take."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.words = []

    def send(self, method, path, body=None):
        places = ["base" if path == "" else path.lstrip("/")] if not path.startswith("/vcs/") else None
        if places is None:
            parts = path.split("/")[2:]
            places = [("vc", "unit", "node")[min(len(parts), 3) - 1]] + parts[3:]
            if method == "PATCH" and len(parts) == 3 and not re.fullmatch("[0-9a-f]{32}", parts[2]):
                places = ["unit", parts[2]]
        self.words.append(f"{method} {'/'.join(places)}")
        return super().send(method, path, body)

    def take(self):
        words, self.words = self.words, []
        return "; ".join(words)


def client():
    sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, lower=Recorder, **TIMES)
    return sdk, sdk.occtr


class RequestByRequest(unittest.TestCase):
    """The order of 9.7; what is in parentheses is a wait loop."""

    def assert_flow(self, recorder, expected):
        """`expected`: words, and (words)+ for what is polled."""
        self.assertRegex(recorder.take() + ";", "^" + expected.replace("; ", ";").replace(";", "; ?") + "; ?$")

    def test_every_flow(self):
        sdk, recorder = client()
        self.assert_flow(recorder, "GET base;GET vcs;GET accounts/authority")
        group = sdk.create_ugroup("flows")
        self.assert_flow(recorder, "GET base;GET vcs;POST vcs;GET base;GET vcs")
        unit = group.create_unit("u", vcp_cci.unit("u", "mock", vcp_cci.mock(), num_nodes=2, network="calm"))
        self.assert_flow(recorder, "GET vc;POST vc;GET vc;GET vc(;GET vc)+;GET vc")
        self.assertEqual([node["state"] for node in unit.nodes()], ["RUNNING"] * 2)
        recorder.take()
        for call in (sdk.ugroups, sdk.df_nodes, lambda: sdk.get_ugroup("flows")):
            call()
            self.assert_flow(recorder, "GET base;GET vcs")
        group.df_nodes()
        self.assert_flow(recorder, "GET vc")
        unit.add_nodes(1)
        self.assert_flow(recorder, "GET unit;PUT unit;GET unit(;GET unit)+;GET unit")
        self.assertEqual(len(unit.delete_nodes(2)), 1)
        self.assert_flow(recorder, "GET unit;DELETE node(;GET unit)+;DELETE node(;GET unit)+;GET unit")
        group.rename("renamed")
        self.assert_flow(recorder, "PUT vc;GET vc")
        for call, word in ((recorder.version, "version"), (recorder.vpn_catalog, "vpn_catalog"), (recorder.publickey, "publickey"),
                           (recorder.authority, "accounts/authority")):
            call()
            self.assert_flow(recorder, f"GET {word}")
        group.delete_units("u", force=True)
        self.assert_flow(recorder, "GET vc;GET vc;DELETE unit(;GET vc)+")
        group.create_unit("v", vcp_cci.unit("v", "mock", vcp_cci.mock(), network="calm"), wait_for=False)
        self.assert_flow(recorder, "GET vc;POST vc;GET vc;GET vc;GET vc")
        group.cleanup()
        self.assert_flow(recorder, "DELETE vc(;GET vc)+")
        self.assertIsNone(sdk.get_ugroup("renamed"))


class Notebook(threading.Thread):
    """What a notebook does in its life, against one cloud."""

    def __init__(self, cloud, number):
        super().__init__(name=f"{cloud}-{number}")
        self.cloud, self.number = cloud, number
        self.failure = None
        self.last = ""

    def cci(self, name, nodes, addresses=()):
        return vcp_cci.unit(name, "mock", vcp_cci.mock(addresses), num_nodes=nodes, network=self.cloud)

    def run(self):
        try:
            self.live()
        except Exception as error:  # noqa: BLE001  whatever the SDK's user would see
            self.failure = f"{self.name} after {self.last}: {error!r} {error}"

    def step(self, text):
        self.last = text

    def live(self):
        sdk, _ = client()
        self.step("create_ugroup")
        group = sdk.create_ugroup(self.name)
        self.step("create_unit")
        unit = group.create_unit("web", self.cci("web", 3))
        self.expect([node["state"] for node in unit.nodes()], ["RUNNING"] * 3)
        self.step("add_nodes")
        self.expect(len(unit.add_nodes(2)), 5)
        self.step("delete_nodes")
        self.expect([node["node_no"] for node in unit.delete_nodes(2)], [3, 4, 5])
        self.step("a second unit, deleted while it boots")
        group.create_unit("db", self.cci("db", 2), wait_for=False)
        group.delete_units("db", force=True)
        self.step("the unit again, under its old name")
        group.create_unit("db", self.cci("db", 1))
        self.step("delete every node")
        self.expect(unit.delete_nodes(3), [])
        self.expect(unit.read()["state"], "RUNNING")
        self.step("cleanup")
        group.cleanup()
        if sdk.get_ugroup(self.name) is not None:
            harness.wait_until(lambda: sdk.get_ugroup(self.name) is None, "the VC is gone")

    @staticmethod
    def expect(seen, wanted):
        if seen != wanted:
            raise AssertionError(f"{seen} instead of {wanted}")


class SideBySide(unittest.TestCase):
    def test_no_client_sees_an_error(self):
        notebooks = [Notebook(cloud, number) for cloud in CLOUDS for number in range(2)]
        for notebook in notebooks:
            notebook.start()
        for notebook in notebooks:
            notebook.join()
        self.assertEqual([notebook.failure for notebook in notebooks if notebook.failure], [])
        log = controller.log()
        self.assertIn("Simulated", log)  # the clouds did misbehave
        self.assertNotIn("API_INTERNAL_ERROR", log)
        self.assertNotRegex(log, r"API_REQUEST .*status=5\d\d")


if __name__ == "__main__":
    harness.main()
