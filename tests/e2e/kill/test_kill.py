#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The server is killed (kill -9) over and over while it creates, adds, operates and deletes on a rough simulated cloud that loses
answers. At the end its records and the cloud must agree: no machine lost, none made twice, none left.

VCC_KILLS says how often (default 100), VCC_KILL_SEED repeats a run.
"""

import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import requests  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

KILLS = int(os.environ.get("VCC_KILLS", "100"))
SEED = int(os.environ.get("VCC_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
UNITS = ("one", "two", "three")
LONGEST_LIFE_S = 0.5
OPERATIONS = ("suspend", "resume", "power_off", "power_on", "stop", "start")
RESTING = {"RUNNING": "running", "SUSPENDED": "running", "POWER_OFF": "stopped"}  # node -> its machine

CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 150
    mock_api_latency_ms: 10
    mock_max_batch: 4
    mock_fail:
      create: "0.1 lost"
      destroy: "0.1 lost"
      power: "0.1 lost"
      observe: "0.05 UNAVAILABLE"
"""


class Server:
    """occtr on the data folder of a controller that has ended."""

    def __init__(self, data):
        self.data = data
        self.process = None

    def start(self):
        ready = self.data / "run" / "occtr.json"
        with open(self.data / "dev" / "occtr.log", "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(build_dir() / "bin" / "occtr"), "--config", str(self.data / "dev" / "occtr.yml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"occtr ended with {self.process.returncode} instead of getting ready")
            try:
                return json.loads(ready.read_text(encoding="utf-8"))["pid"] == self.process.pid
            except (OSError, ValueError):
                return False

        harness.wait_until(is_ready, "occtr is ready", poll_s=0.005)
        return json.loads(ready.read_text(encoding="utf-8"))["url"]

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(60)


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}, {KILLS} kills", file=sys.stderr, flush=True)
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(cls.controller.remove)
        cls.token = cls.controller.token
        os.kill(cls.controller.pid, signal.SIGKILL)
        cls.data = pathlib.Path(cls.controller.data_dir)
        harness.wait_until(lambda: not pathlib.Path(f"/proc/{cls.controller.pid}/exe").exists(), "the first server is gone")
        cls.server = Server(cls.data)
        cls.addClassCleanup(lambda: cls.server.process.poll() is None and cls.server.end(signal.SIGKILL))
        cls.random = random.Random(SEED)

    def client(self, url):
        return vcp_client.Occtr(url, self.token, self.controller.ca)

    def act(self, occtr, vcid):
        """One random change. What the server refuses (409 ...) is as good as what it accepts; 5xx is not."""
        vc = occtr.vc(vcid)
        present = {unit["name"]: unit for unit in vc["unit"]}
        name = self.random.choice(UNITS)
        if name not in present:
            occtr.add_unit(vcid, name, vcp_cci.unit(name, "mock", vcp_cci.mock(), num_nodes=self.random.randint(1, 9)))
            return
        nodes = present[name]["node"]
        what = self.random.random()
        if what < 0.35 and nodes:
            node = self.random.choice([None, *nodes])
            operation = self.random.choice(OPERATIONS)
            if node is None:
                occtr.unit_operation(vcid, name, operation)
            else:
                occtr.node_operation(vcid, name, node["node_id"], operation)
        elif what < 0.7 and len(nodes) < 40:
            occtr.add_node(vcid, name, self.random.randint(1, 6))
        elif what < 0.97 and nodes:
            occtr.delete_node(vcid, name, self.random.choice(nodes)["node_id"])
        elif name != UNITS[0]:  # one unit lives on, so that there are machines to compare at the end
            occtr.delete_unit(vcid, name, force=True)

    def live_until_killed(self, vcid):
        occtr = self.client(self.server.start())
        killer = threading.Timer(self.random.uniform(0.0, LONGEST_LIFE_S), self.server.end, [signal.SIGKILL])
        killer.start()
        acts = 0
        try:
            while killer.is_alive():
                try:
                    self.act(occtr, vcid)
                except vcp_client.VcpError as refused:
                    self.assertIn(refused.status, (404, 409), refused)
                acts += 1
        except requests.exceptions.RequestException:
            pass  # it died under the request
        finally:
            killer.join()
        return acts

    def cloud(self):
        """Machines of the simulated cloud by id, as its file says."""
        machines = {}
        for line in (self.data / "mock-cloud.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            machines.setdefault(record["id"], {}).update(record)
        return machines

    def alive(self):
        return {key for key, machine in self.cloud().items() if machine["state"] not in ("terminated", "terminating")}

    def test_records_and_cloud_agree_after_all_kills(self):
        url = self.server.start()
        vcid = self.client(url).create_vc(vcp_cci.vc("kills"))
        self.server.end(signal.SIGKILL)
        acts = sum(self.live_until_killed(vcid) for _ in range(KILLS))

        occtr = self.client(self.server.start())

        def unsettled():
            units = occtr.vc(vcid)["unit"]
            states = collections.Counter(node["state"] for unit in units for node in unit["node"])
            return {state: count for state, count in states.items() if state in vcp_client.PENDING}

        try:
            harness.wait_until(lambda: not unsettled(), "every node has settled", deadline_s=120)
        except AssertionError as late:
            raise AssertionError(f"{late}: {unsettled()}") from late
        nodes = [node for unit in occtr.vc(vcid)["unit"] for node in unit["node"]]
        self.assertEqual([node["error_message"] for node in nodes if node["state"] not in (*RESTING, "STOPPED")], [])
        self.assertEqual({node["cloud_instance_id"] for node in nodes if node["state"] == "STOPPED"} - {""}, set())
        ids = [node["cloud_instance_id"] for node in nodes if node["state"] != "STOPPED"]
        self.assertEqual(len(set(ids)), len(ids), "one machine for two nodes")
        self.assertNotIn("", ids, "a node that runs without a machine")
        self.assertGreater(len(ids), 0, "no node is left to compare")
        harness.wait_until(lambda: self.alive() == set(ids), "the cloud has the machines of the records and no others")
        powers = {node["cloud_instance_id"]: RESTING[node["state"]] for node in nodes if node["state"] in RESTING}
        self.assertEqual({key: self.cloud()[key]["state"] for key in powers}, powers)
        made = len(self.cloud())
        print(f"{KILLS} kills, {acts} requests, {made} machines made, {len(ids)} alive, {collections.Counter(powers.values())}", file=sys.stderr, flush=True)
        self.assertGreater(made, KILLS // 4, "the kills left nothing to test")

        occtr.delete_vc(vcid)
        harness.wait_until(lambda: occtr.vc(vcid) is None, "the UnitGroup is gone", deadline_s=120)
        self.assertEqual(self.alive(), set())
        self.server.end(signal.SIGTERM)
        self.assertEqual(self.server.process.returncode, 0)


if __name__ == "__main__":
    harness.main()
