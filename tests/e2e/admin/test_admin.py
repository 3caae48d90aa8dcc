#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What administrators see and do with `vcc`: list, watch, events, purge, on the simulated cloud.

The cases are one story, told in the order of their names.
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

NODES = 4
UNIT = "web"
DEADLINE_S = 60

CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 2500
  broken:
    private_network_ipmask: 10.251.0.0/16
    mock_fail:
      create: "1.0 INVALID_ARGUMENT"
"""


class Terminal:
    """A program on a terminal of its own, which ends it by Ctrl-C."""

    def __init__(self, command, columns=100, rows=30):
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (rows, columns))
        self.before = termios.tcgetattr(self.ours)
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        self.output = ""

    def read(self):
        """Takes over what has come; false at the end."""
        if not select.select([self.ours], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self.ours, 65536)
        except OSError:
            return False
        self.output += data.decode(errors="replace")
        return bool(data)

    def read_until(self, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition() and self.read():
            if time.monotonic() > end:
                raise AssertionError(f"not within {DEADLINE_S} s; the terminal shows {self.output!r}")

    def finish(self):
        self.read_until(lambda: False)
        return self.process.wait(DEADLINE_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)


class Administrator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.2, settle_s=0)
        cls.group = cls.unit = None

    def setUp(self):
        if self.group is None and "test_01" not in self.id():
            self.fail("there is no UnitGroup: see test_01")

    def restart(self):
        """Another process on the data folder of the one that was killed."""
        cls = type(self)
        harness.wait_until(lambda: not pathlib.Path(f"/proc/{cls.controller.pid}/exe").exists(), "the killed server is gone")
        cls.controller = Controller(CATALOG, providers=["mock"], data=cls.controller.data_dir)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.2, settle_s=0)
        cls.group = cls.sdk.get_ugroup("story")
        cls.unit = vcp_client.Unit(cls.group, UNIT)

    def command(self, *arguments):
        return [str(build_dir() / "bin" / "vcc"), "--socket", self.controller.admin_socket, *arguments]

    def run_vcc(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False, timeout=DEADLINE_S)

    def terminal(self, *arguments):
        terminal = Terminal(self.command(*arguments))
        self.addCleanup(terminal.close)
        return terminal

    def events(self, *arguments):
        return [json.loads(line) for line in self.controller.vcc("events", "--json", *arguments).splitlines()]

    def cloud(self):
        """Machines of the simulated cloud that are there, by id."""
        machines = {}
        for line in pathlib.Path(self.controller.data_dir, "mock-cloud.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            machines.setdefault(record["id"], {}).update(record)
        return {key: machine for key, machine in machines.items()
                if not machine.get("state", "").startswith("terminat")}

    def test_01_watch_writes_a_line_for_each_change_until_all_is_settled(self):
        self.assertEqual(json.loads(self.controller.vcc("list", "--json"))["vcs"], [])
        Administrator.group = self.sdk.create_ugroup("story")
        Administrator.unit = self.group.create_unit(
            UNIT, vcp_cci.unit(UNIT, "mock", vcp_cci.mock(), num_nodes=NODES), wait_for=False)
        watched = self.run_vcc("watch", self.group.vcid)
        self.assertEqual(watched.returncode, 0, watched.stderr)
        for number in range(1, NODES + 1):
            lines = [line for line in watched.stdout.splitlines() if f" {UNIT}/{number}: " in line]
            self.assertIn(": BOOTING, step ", lines[0])
            self.assertRegex(lines[-1], r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d UTC  web/\d: RUNNING, 10\.250\.\d+\.\d+, mock-\w+$")
            self.assertEqual(len(lines), len(set(line.split("  ", 1)[1] for line in lines)), "a line without a change")
        self.assertRegex(watched.stdout, rf"unit {UNIT}: RUNNING, {NODES} of {NODES} nodes reached their goal\n")
        self.assertNotIn("\x1b", watched.stdout)

    def test_02_list_names_what_to_type(self):
        table = self.controller.vcc("list").splitlines()
        self.assertEqual(len(table), 2)
        self.assertRegex(table[1], rf"^{self.group.vcid}  story  nobody  compute  RUNNING  1      {NODES}      \d{{4}}/")

    def test_03_events_are_in_order(self):
        events = self.events("--vcid", self.group.vcid)
        self.assertEqual([(e["object"], e["from"], e["to"]) for e in events[:3]],
                         [("vc story", "", "RUNNING"), (f"unit {UNIT}", "", "BOOTING"), (f"node 1 of unit {UNIT}", "", "BOOTING")])
        self.assertEqual(len(events), 2 + 2 * NODES)
        self.assertEqual([e["at_ms"] for e in events], sorted(e["at_ms"] for e in events))
        node = [e for e in events if e["object"] == f"node 2 of unit {UNIT}"]
        self.assertEqual([(e["from"], e["to"]) for e in node], [("", "BOOTING"), ("BOOTING", "RUNNING")])
        self.assertEqual(node[0]["reason"], "added by nobody")
        self.assertRegex(node[1]["op"], "^[0-9a-f]{32}$")
        self.assertEqual(self.events("--after", events[4]["cursor"]), events[5:])
        self.assertEqual(self.events("--limit", "3"), events[-3:])
        table = self.controller.vcc("events", "--limit", "1").splitlines()
        self.assertRegex(table[0], r"^TIME +UNITGROUP +OBJECT +CHANGE +OP +REASON$")
        self.assertIn("BOOTING -> RUNNING", table[1])
        for wrong in (("--after", "x"), ("--limit", "0"), ("--since", "1")):
            self.assertNotEqual(self.run_vcc("events", *wrong).returncode, 0)

    def test_04_events_can_be_followed(self):
        last = self.events("--limit", "1")[0]["cursor"]
        with subprocess.Popen(self.command("events", "--follow", "--json", "--after", last), stdout=subprocess.PIPE,
                              text=True) as follower:
            try:
                self.unit.delete_nodes(1)
                seen = [json.loads(follower.stdout.readline()) for _ in range(2)]
            finally:
                follower.send_signal(signal.SIGINT)
        self.assertEqual([(e["object"], e["from"], e["to"]) for e in seen],
                         [(f"node 1 of unit {UNIT}", "RUNNING", "DELETING"), (f"node 1 of unit {UNIT}", "DELETING", "gone")])
        self.assertEqual(follower.returncode, -signal.SIGINT)

    def test_05_followers_outlive_a_restart_of_the_controller(self):
        self.unit.add_nodes(1, wait_for=False)
        before, added = self.events("--limit", "2")
        with subprocess.Popen(self.command("events", "--follow", "--json", "--after", before["cursor"]),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower, \
                subprocess.Popen(self.command("watch", self.group.vcid), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) as watcher:
            try:
                # Only who has had an answer waits for the next: each is known to have had one.
                self.assertEqual(json.loads(follower.stdout.readline()), added)
                self.assertIn("nodes reached their goal", watcher.stdout.readline())
                os.kill(self.controller.pid, signal.SIGKILL)
                for process in (follower, watcher):
                    self.assertIn("waiting for it", process.stderr.readline())
                self.restart()
                for process in (follower, watcher):
                    self.assertIn("is back", process.stderr.readline())
                self.assertEqual(json.loads(follower.stdout.readline())["to"], "RUNNING")
                self.assertEqual(watcher.wait(DEADLINE_S), 0)
            finally:
                follower.send_signal(signal.SIGINT)
                watcher.kill()
        self.unit.delete_nodes(1)

    def test_06_watch_redraws_its_table_on_a_terminal(self):
        self.unit.add_nodes(1, wait_for=False)
        terminal = self.terminal("watch", self.group.vcid)
        self.assertEqual(terminal.finish(), 0, terminal.output)
        self.assertIn("UnitGroup story of nobody: APPLYING", terminal.output)
        self.assertRegex(terminal.output, r"\x1b\[\d+A\r")
        last = re.split(r"\x1b\[\d+A\r", terminal.output)[-1]
        self.assertIn("UnitGroup story of nobody: RUNNING", last)
        self.assertIn(f"{NODES} of {NODES}", last)
        self.assertTrue(last.endswith("\x1b[J"))
        self.assertLessEqual(max(len(line.split("\x1b")[0]) for line in last.split("\n")), 101)

    def test_07_an_interrupt_leaves_the_terminal_as_it_was(self):
        self.unit.add_nodes(1, wait_for=False)
        terminal = self.terminal("watch", self.group.vcid)
        terminal.read_until(lambda: "\x1b[J" in terminal.output)
        os.write(terminal.ours, b"\x03")
        self.assertEqual(terminal.finish(), -signal.SIGINT)
        self.assertEqual(termios.tcgetattr(terminal.ours), terminal.before)
        self.assertNotIn("\x1b[?", terminal.output)  # no mode was set that would have to be taken back
        self.assertEqual(self.run_vcc("watch", self.group.vcid).returncode, 0)

    def test_08_watch_tells_by_its_exit_status_what_became_of_it(self):
        missing = self.run_vcc("watch", "f" * 32)
        self.assertEqual(missing.returncode, 2)
        self.assertIn("does not exist", missing.stderr)
        group = self.sdk.create_ugroup("broken")
        group.create_unit("bad", vcp_cci.unit("bad", "mock", vcp_cci.mock(), num_nodes=1, network="broken"), wait_for=False)
        failed = self.run_vcc("watch", group.vcid)
        self.assertEqual(failed.returncode, 1, failed.stdout)
        self.assertRegex(failed.stdout, r"bad/1: ERROR.*creating a machine failed")
        purged = self.run_vcc("purge", group.vcid)
        self.assertEqual(purged.returncode, 0, purged.stderr)
        self.assertIn(self.run_vcc("watch", group.vcid).returncode, (0, 2))
        harness.wait_until(lambda: self.run_vcc("watch", group.vcid).returncode == 2, "the UnitGroup is gone")

    def test_09_purge_with_a_dry_run_only_tells(self):
        before = self.controller.vcc("list")
        for options in ((), ("--keep-cloud",)):
            told = self.controller.vcc("purge", self.group.vcid, "--dry-run", *options)
            self.assertIn("would be ", told)
            for machine in self.cloud():
                self.assertIn(machine, told)
        self.assertEqual(self.controller.vcc("list"), before)

    def test_10_purge_gives_everything_back(self):
        self.sdk.create_ugroup("other").create_unit(UNIT, vcp_cci.unit(UNIT, "mock", vcp_cci.mock(), num_nodes=2))
        vcid = next(vc["vcid"] for vc in json.loads(self.controller.vcc("list", "--json"))["vcs"] if vc["name"] == "other")
        told = json.loads(self.controller.vcc("purge", vcid, "--json"))
        self.assertEqual(len(told["objects"]), 2)
        self.assertIn(self.run_vcc("watch", vcid).returncode, (0, 2))
        harness.wait_until(lambda: vcid not in self.controller.vcc("list"), "the UnitGroup is gone")
        for machine in told["objects"]:
            self.assertNotIn(machine["cloud_id"], self.cloud())

    def test_11_purge_that_keeps_the_cloud_drops_the_records_at_once(self):
        machines = self.cloud()
        self.assertEqual(len(machines), NODES + 1)
        told = self.controller.vcc("purge", "--keep-cloud", self.group.vcid)
        self.assertIn("Their records are gone", told)
        self.assertEqual(json.loads(self.controller.vcc("list", "--json"))["vcs"], [])
        self.assertIsNone(self.group.read())
        self.assertEqual(self.cloud(), machines)
        left = [e for e in self.events("--vcid", self.group.vcid) if e["to"] == "left in the cloud"]
        self.assertEqual(len(left), len(machines))
        log = self.controller.log()
        for machine in machines:
            self.assertIn(machine, told)
            self.assertTrue(any(machine in e["reason"] for e in left))
            self.assertRegex(log, rf"WARN\w* PURGE_LEFT_OBJECT .*{machine}")
        self.assertEqual(self.run_vcc("purge", self.group.vcid).returncode, 2)
        self.assertEqual(json.loads(self.controller.vcc("status", "--json"))["engine"]["open_ops"], 0)


if __name__ == "__main__":
    harness.main()
