#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Watching on real input: real sshd, a real container engine, real serf agents with the options of the published
images, and a real Prometheus. Things are broken by hand, and mended.

The cases are one story, told in the order of their names; each leaves all nodes RUNNING.
"""

import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import peer  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOSTS = 5
UNIT = "web"
GROUP = "watched"
SOON_S = 30  # on a busy machine; with probes every second it takes a few
CATALOG = """\
cci_version: '1.0'
onpremises:
  default:
    ssh_port: {port}
    allow_host_mounts: true
    boot_deadline_s: 120
    release_timeout_s: 30
"""
PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: nodes
    file_sd_configs:
      - files: [{targets}]
        refresh_interval: 1s
"""


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Exporter(http.server.BaseHTTPRequestHandler):
    """Stands for cAdvisor and for the GPU exporter."""

    def do_GET(self):
        body = b"container_cpu_usage_seconds_total 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(address, port):
    server = http.server.ThreadingHTTPServer((address, port), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("serf", "prometheus"):
            if shutil.which(program) is None:
                raise unittest.SkipTest(f"{program} is not installed")
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="vcc-watch."))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.peer = peer.Peer(HOSTS)
        cls.addClassCleanup(cls.peer.stop)
        cls.rpc = f"127.0.0.1:{free_port()}"
        cls.started = []
        cls.addClassCleanup(cls.end_programs)
        # The sample configuration as it is shipped, on addresses and files of the test.
        cls.serf_agent("serf", "-config-file", str(ROOT / "config" / "serf.json"), "-bind", "127.0.0.1:7947", "-rpc-addr",
                       cls.rpc, "-snapshot", str(cls.dir / "serf.snapshot"))
        cls.targets = cls.dir / "targets.json"
        cls.controller = Controller(CATALOG.format(port=cls.peer.port), providers=["onpremises"], environment={
            "VCC_WATCH_INTERVAL_S": "1", "VCC_SERF_RPC": cls.rpc, "VCC_PROMETHEUS_TARGETS": str(cls.targets)})
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.25, settle_s=0)
        cls.peer.authorize(cls.sdk.occtr.publickey())
        cls.group = cls.sdk.create_ugroup(GROUP)
        cls.unit = cls.group.create_unit(UNIT, vcp_cci.unit(
            UNIT, "onpremises", vcp_cci.onpremises(cls.peer.hosts, cls.peer.user), image=peer.IMAGE))
        harness.wait_until(lambda: f"watching     {HOSTS} hosts" in cls.controller.vcc("status"), "all hosts are watched")

    @classmethod
    def program(cls, name, *command):
        with (cls.dir / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        cls.started.append(process)
        return process

    @classmethod
    def serf_agent(cls, name, *options):
        return cls.program(name, "serf", "agent", *options)

    @classmethod
    def end_programs(cls):
        for process in cls.started:
            process.kill()
            process.wait()

    def setUp(self):
        self.assert_all("RUNNING")

    def tearDown(self):
        # What one case leaves broken would make all others fail.
        for index in range(HOSTS):
            if not self.answers(self.peer.hosts[index], self.peer.port):
                self.peer.start_sshd(index)

    # What is there.

    def node(self, number):
        return next(node for node in self.unit.nodes() if node["node_no"] == number)

    def container(self, number):
        return self.peer.containers()[self.peer.hosts[number - 1]]

    def docker(self, verb, *numbers):
        self.peer.docker(verb, *(["-t", "0"] if verb == "stop" else []), *[self.container(n)["Id"] for n in numbers])

    @staticmethod
    def answers(address, port):
        try:
            with socket.create_connection((address, port), timeout=2):
                return True
        except OSError:
            return False

    @staticmethod
    def soon(condition, what):
        """Waits for what must show within seconds, and says how many it took."""
        begun = time.monotonic()
        harness.wait_until(condition, what, SOON_S)
        print(f"    {what} after {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)

    def wait_state(self, number, state):
        self.soon(lambda: self.node(number)["state"] == state, f"node {number} is {state}")
        return self.node(number)

    def assert_all(self, state):
        nodes = self.unit.nodes()
        self.assertEqual([node["state"] for node in nodes], [state] * HOSTS, [node["error_message"] for node in nodes])

    def events(self):
        return [json.loads(line) for line in self.controller.vcc("events", "--json", "--limit", "1000").splitlines()]

    def turned(self, state, since):
        """How often a node became `state` after the first `since` events."""
        return sum(event["to"] == state and event["from"] != state for event in self.events()[since:])

    def monitor(self, number):
        """The column of `vcc check`; it fails when something differs, which is no matter here."""
        command = [str(build_dir() / "bin" / "vcc"), "--socket", self.controller.admin_socket, "check", self.group.vcid,
                   "--json"]
        lines = json.loads(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout)["lines"]
        return next(line["monitor"] for line in lines if line["node_no"] == number)

    # The story.

    def test_01_docker_stop_by_hand(self):
        before = self.node(1)["container_date"]
        self.docker("stop", 1)
        node = self.wait_state(1, "CONTAINER_ERROR")
        self.assertRegex(node["error_message"], "the base container vcp-[0-9a-f]+ on 127.0.0.11 does not run")
        self.assertEqual(self.unit.read()["state"], "INDEFINITE")
        self.docker("start", 1)
        node = self.wait_state(1, "RUNNING")
        self.assertEqual(node["error_message"], "")
        self.assertGreater(node["container_date"], before)

    def test_02_docker_rm_by_hand(self):
        self.peer.docker("rm", "-f", "-t", "0", self.container(2)["Id"])
        node = self.wait_state(2, "CONTAINER_ERROR")
        self.assertIn("is not on 127.0.0.12 any more", node["error_message"])
        # As its message says.
        self.sdk.occtr.node_operation(self.group.vcid, UNIT, node["node_id"], "suspend")
        harness.wait_until(lambda: self.node(2)["state"] in ("SUSPENDED", "CONTAINER_ERROR"), "suspended")
        self.sdk.occtr.node_operation(self.group.vcid, UNIT, node["node_id"], "resume")
        self.wait_state(2, "RUNNING")

    def test_03_kill_9_of_the_container(self):
        before = self.node(3)["container_date"]
        since = len(self.events())
        # Dates have whole seconds: the second of its start must be over.
        harness.wait_until(lambda: time.strftime("%Y/%m/%d %H:%M:%S UTC", time.gmtime()) > before, "another second")
        os.kill(self.container(3)["State"]["Pid"], signal.SIGKILL)
        # Its restart policy brings it back at once; who saw it die gives notice.
        self.sdk.occtr.call("fail", 202, "POST", "/vcs/fail",
                            {"eventtype": "member-failed", "tag": [f"{self.group.vcid}:{UNIT}:3"]})
        self.soon(lambda: self.node(3)["container_date"] > before, "the container has a new date")
        self.wait_state(3, "RUNNING")
        self.assertEqual(self.turned("HOST_ERROR", since), 0)

    def test_04_kill_9_of_sshd(self):
        """The container lives and users get in: no state, but the administrator is told."""
        since = len(self.events())
        self.peer.kill_sshd(3)
        self.soon(lambda: "1 of 5 cannot be looked into" in self.controller.vcc("status"), "a condition")
        self.assertEqual(self.monitor(4), f"{self.peer.port} silent")
        self.assert_all("RUNNING")
        self.peer.start_sshd(3)
        self.soon(lambda: "cannot be looked into" not in self.controller.vcc("status"), "it is over")
        self.assertEqual(len(self.events()), since)

    def test_05_the_whole_host(self):
        self.peer.kill_sshd(4)
        self.docker("stop", 5)
        node = self.wait_state(5, "HOST_ERROR")
        self.assertIn("host 127.0.0.15 does not answer", node["error_message"])
        self.peer.start_sshd(4)
        self.wait_state(5, "CONTAINER_ERROR")
        self.docker("start", 5)
        self.wait_state(5, "RUNNING")

    def test_06_a_cut_network_holds_all(self):
        since = len(self.events())
        for index in range(HOSTS):
            self.peer.kill_sshd(index)
        self.docker("stop", *range(1, HOSTS + 1))
        harness.wait_until(lambda: "5 of 5 hosts stopped answering at once" in self.controller.vcc("status"), "a condition",
                           SOON_S)
        self.assertIn("hosts of onpremises/default", self.controller.vcc("list"))
        # Longer than one lost host needs to be HOST_ERROR (test_05).
        end = time.monotonic() + 12
        while time.monotonic() < end:
            self.assert_all("RUNNING")
            time.sleep(1)
        self.docker("start", *range(1, HOSTS + 1))
        for index in range(HOSTS):
            self.peer.start_sshd(index)
        harness.wait_until(lambda: "CONDITION" not in self.controller.vcc("status"), "it is over", SOON_S)
        self.assert_all("RUNNING")
        self.assertEqual((self.turned("HOST_ERROR", since), self.turned("CONTAINER_ERROR", since)), (0, 0))

    def test_07_serf_joins_fails_and_leaves(self):
        def agent(number):
            """As the unit file of the templates starts it; here the hosts share 127.0.0.1, so its RPC moves."""
            address = self.peer.hosts[number - 1]
            name = self.container(number)["Config"]["Env"]
            name = next(item.split("=", 1)[1] for item in name if item.startswith("SERF_NODE_ID="))
            return self.serf_agent(f"serf-{number}", "-node", name, "-bind", f"{address}:7947", "-discover",
                                   f"vccluster_{self.group.vcid}", "-join", "127.0.0.1", "-rpc-addr", f"{address}:7373")

        self.assertIn("serf connected", self.controller.vcc("status"))
        first, second = agent(1), agent(2)
        for number in (1, 2):
            harness.wait_until(lambda n=number: self.monitor(n) == "answers, serf alive", f"serf of node {number} joins",
                               SOON_S)
        first.kill()
        first.wait()
        second.send_signal(signal.SIGINT)
        second.wait()
        self.soon(lambda: self.monitor(1) == "answers, serf failed", "the one that was killed has failed")
        self.soon(lambda: self.monitor(2) == "answers, serf left", "the other one has left")
        self.assert_all("RUNNING")  # a hint is no state
        agent(1)
        self.soon(lambda: self.monitor(1) == "answers, serf alive", "it is back")

    def test_08_a_controller_without_serf_goes_on(self):
        self.started[0].kill()
        self.started[0].wait()
        self.soon(lambda: "serf absent" in self.controller.vcc("status"), "serf is missed")
        self.assertIn("SERF_LOST", self.controller.log())
        self.docker("stop", 1)
        self.wait_state(1, "CONTAINER_ERROR")
        self.docker("start", 1)
        self.wait_state(1, "RUNNING")

    def test_09_prometheus(self):
        port = free_port()
        config = self.dir / "prometheus.yml"
        config.write_text(PROMETHEUS.format(targets=self.targets))
        self.program("prometheus", "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.dir / 'tsdb'}",
                     f"--web.listen-address=127.0.0.1:{port}")
        exporters = [serve("127.0.0.11", 18083), serve("127.0.0.12", 9400)]
        self.addCleanup(lambda: [server.shutdown() or server.server_close() for server in exporters])

        def found():
            """Active targets by their address and port."""
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=5) as answer:
                    active = json.load(answer)["data"]["activeTargets"]
            except OSError:
                return {}
            return {target["labels"]["instance"]: target for target in active}

        expected = {f"{host}:18083" for host in self.peer.hosts} | {"127.0.0.12:9400"}
        harness.wait_until(lambda: set(found()) == expected, "Prometheus has all targets", 60)
        harness.wait_until(lambda: found()["127.0.0.11:18083"]["health"] == "up", "it reads one that answers", SOON_S)
        harness.wait_until(lambda: found()["127.0.0.12:9400"]["health"] == "up", "and a GPU exporter", SOON_S)
        labels = found()["127.0.0.12:18083"]["labels"]
        self.assertEqual(labels, {
            "job": "basecontainer", "instance": "127.0.0.12:18083", "ugroup": GROUP, "unit": UNIT, "node_no": "2",
            "node_id": self.node(2)["node_id"], "provider": "onpremises", "container_group": f"{GROUP}-{UNIT}"})
        self.docker("stop", 3)
        self.wait_state(3, "CONTAINER_ERROR")
        harness.wait_until(lambda: found()["127.0.0.13:18083"]["labels"].get("error") == "CONTAINER_ERROR", "the label",
                           SOON_S)
        self.docker("start", 3)
        self.wait_state(3, "RUNNING")
        harness.wait_until(lambda: "error" not in found()["127.0.0.13:18083"]["labels"], "no label", SOON_S)
        self.assertEqual(self.targets.stat().st_mode & 0o777, 0o644)
        Watch.found = staticmethod(found)

    def test_10_unwatch(self):
        self.unit.operate("unwatch")
        harness.wait_until(lambda: "watching     0 hosts" in self.controller.vcc("status"), "nobody watches", SOON_S)
        since = len(self.events())
        self.docker("stop", 1)
        self.sdk.occtr.call("fail", 202, "POST", "/vcs/fail",
                            {"eventtype": "member-failed", "tag": [self.node(1)["node_id"]]})
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.assert_all("RUNNING")
            time.sleep(1)
        self.assertEqual(len(self.events()), since)
        self.unit.operate("watch", wait_for=False)
        self.wait_state(1, "CONTAINER_ERROR")
        self.docker("start", 1)
        self.wait_state(1, "RUNNING")

    def test_11_a_deleted_node_is_no_target(self):
        self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        harness.wait_until(lambda: json.loads(self.targets.read_text()) == [], "the file is empty", SOON_S)
        if found := getattr(self, "found", None):
            harness.wait_until(lambda: not found(), "Prometheus has no target left", SOON_S)


if __name__ == "__main__":
    harness.main()
