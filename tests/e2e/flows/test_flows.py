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
    "lossy": {"create": "0.3 lost", "destroy": "0.3 lost", "power": "0.3 lost", "observe": "0.1 UNAVAILABLE",
              "create_disk": "0.3 lost", "attach": "0.3 lost", "destroy_disk": "0.3 lost"},
    "refusing": {"create": "0.3 UNAVAILABLE", "destroy": "0.3 UNAVAILABLE", "power": "0.3 UNAVAILABLE", "probe": "0.5 UNAVAILABLE",
                 "destroy_disk": "0.3 UNAVAILABLE", "observe_disk": "0.1 UNAVAILABLE"},
    "dropping": {"create": "0.3 dropped", "destroy": "0.3 dropped", "power": "0.3 dropped", "observe": "0.2 lost",
                 "probe": "0.5 DEADLINE_EXCEEDED"},
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
        unit.add_nodes(1)
        recorder.take()
        one = ";PATCH node/{0}(;GET unit)+"
        for operation in ("power_off", "power_on", "watch"):
            unit.operate_nodes(operation)
            self.assert_flow(recorder, "GET unit" + 2 * one.format(operation) + ";GET unit")
        unit.operate_nodes("unwatch")
        self.assert_flow(recorder, "GET unit;PATCH node/unwatch;PATCH node/unwatch;GET unit")
        for operation in ("watch", "suspend", "resume", "stop", "start", "power_off", "power_on"):
            unit.operate(operation)
            self.assert_flow(recorder, f"PATCH unit/{operation}(;GET unit)+;GET unit")
        unit.operate("unwatch", wait_for=False)
        self.assert_flow(recorder, "PATCH unit/unwatch;GET unit")
        self.assertEqual([(node["state"], node["watch_mode"]) for node in unit.nodes()], [("RUNNING", False)] * 2)
        recorder.take()
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

    def test_disks(self):
        """Made, attached by reference, refused while in use, given back."""
        sdk, recorder = client()
        recorder.take()
        disks = sdk.create_ugroup("flow-disks", "storage")
        self.assert_flow(recorder, "GET base;GET vcs;POST vcs;GET base;GET vcs")
        disks.create_unit("ebs", vcp_cci.disk_unit("ebs", "mock", vcp_cci.mock_disk(8), num_disks=1, network="calm"))
        self.assert_flow(recorder, "GET vc;POST vc;GET vc;GET vc(;GET vc)+;GET vc")
        disk = disks.find("ebs")["disk"][0]
        machines = sdk.create_ugroup("flow-machines")
        reference = f"vcp:{disks.vcid}:ebs:{disk['disk_id']}"
        machines.create_unit("web", vcp_cci.unit("web", "mock", vcp_cci.mock(volumes=[reference]), network="calm"))
        self.assertTrue(disks.find("ebs")["disk"][0]["in_use"])
        with self.assertRaisesRegex(vcp_client.VcpError, "not completed!!!"):
            disks.cleanup()
        recorder.take()
        machines.cleanup()
        self.assert_flow(recorder, "DELETE vc(;GET vc)+")
        disks.cleanup()
        self.assert_flow(recorder, "DELETE vc(;GET vc)+")
        self.assertIsNone(sdk.get_ugroup("flow-disks"))


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
        self.step("a disk for it")
        disks = sdk.create_ugroup(self.name + "-disks", "storage")
        disks.create_unit("ebs", vcp_cci.disk_unit("ebs", "mock", vcp_cci.mock_disk(8), network=self.cloud))
        reference = f"vcp:{disks.vcid}:ebs:{disks.find('ebs')['disk'][0]['disk_id']}"
        params = vcp_cci.mock(volumes=[reference])
        keeper = group.create_unit("keeper", vcp_cci.unit("keeper", "mock", params, network=self.cloud))
        self.expect(len(keeper.nodes()[0]["volumes"]), 1)
        self.step("delete every node")
        self.expect(unit.delete_nodes(3), [])
        self.expect(unit.read()["state"], "RUNNING")
        self.step("cleanup")
        group.cleanup()
        self.step("cleanup of the disk")
        disks.cleanup()
        if sdk.get_ugroup(self.name) is not None:
            harness.wait_until(lambda: sdk.get_ugroup(self.name) is None, "the VC is gone")

    @staticmethod
    def expect(seen, wanted):
        if seen != wanted:
            raise AssertionError(f"{seen} instead of {wanted}")


class PowerNotebook(Notebook):
    """Off and on, stop and start, suspend and resume, watch and unwatch: node by node, and the unit as a whole."""

    NODES = 10
    PAIRS = (("power_off", "POWER_OFF", "power_on"), ("stop", "STOPPED", "start"), ("suspend", "SUSPENDED", "resume"))

    def live(self):
        sdk, _ = client()
        self.step("create_ugroup")
        group = sdk.create_ugroup(self.name)
        self.step("create_unit")
        self.unit = group.create_unit("web", self.cci("web", self.NODES))
        self.expect_all("RUNNING", self.unit.nodes())
        for down, state, up in self.PAIRS:
            self.step(f"{down} of every node, one by one")
            self.expect_all(state, self.unit.operate_nodes(down))
            self.step(f"{up} of every node, one by one")
            self.expect_all("RUNNING", self.unit.operate_nodes(up))
            self.step(f"{down} of some, then of the unit")
            self.unit.operate_nodes(down, {2, 5})
            self.expect(self.unit.read()["state"], "INDEFINITE")
            self.expect_all(state, self.unit.operate(down))
            self.step(f"{up} of the unit")
            self.expect_all("RUNNING", self.unit.operate(up))
        self.step("watch and unwatch")
        self.expect([node["watch_mode"] for node in self.unit.operate_nodes("unwatch", {1})], [False] + [True] * (self.NODES - 1))
        self.expect({node["watch_mode"] for node in self.unit.operate("unwatch", wait_for=False)}, {False})
        self.expect({node["watch_mode"] for node in self.unit.operate_nodes("watch")}, {True})
        self.step("clear_processing while nodes are made")
        self.unit.add_nodes(2, wait_for=False)
        self.unit.occtr.unit_operation(group.vcid, "web", "clear_processing")
        self.expect({node["state"] for node in self.unit.nodes()} & vcp_client.PENDING, set())
        self.step("start of what is left of them")
        self.expect_all("RUNNING", self.unit.operate("start"))
        self.step("power_off overtaken by cleanup")
        self.unit.operate("power_off", wait_for=False)
        group.cleanup()

    def expect_all(self, state, nodes):
        wrong = [(node["node_no"], node["state"], node["error_message"]) for node in nodes if node["state"] != state]
        self.expect(wrong, [])


class SideBySide(unittest.TestCase):
    def test_no_client_sees_an_error(self):
        notebooks = [Notebook(cloud, number) for cloud in CLOUDS for number in range(2)]
        notebooks += [PowerNotebook(cloud, "power") for cloud in CLOUDS]
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
