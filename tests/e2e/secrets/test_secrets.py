#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Planted secrets are looked for everywhere after a whole life cycle, and the data folder opens with its master key alone.

`mock` compares the access key of a unit with catalog key mock_access_key, so a unit that runs proves that its
credentials reached the driver.
"""

import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import requests  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

KEY = "PLANTED-access-key-of-the-cloud"
WRONG = "PLANTED-wrong-access-key"
MUNGE = "PLANTED-munge-key-of-a-cluster"
COMMAND = "UExBTlRFRC1zdGFydC1jb21tYW5k"  # base64, as the SDK sends it
PLANTED = (KEY, WRONG, MUNGE, COMMAND)
NOT_IN_MEMORY = (WRONG, MUNGE, COMMAND)  # KEY is in the administrator's catalog as well, which is always there

CATALOG = f"""\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: 200
    mock_access_key: {KEY}
"""


def unit_cci(name, access_key, nodes=2):
    params = vcp_cci.mock() + f"\n        access_key: {access_key}"
    text = vcp_cci.unit(name, "mock", params, num_nodes=nodes, environment=[f"MUNGE_KEY={MUNGE}"])
    return text.replace("    cloud_provider:", f"    user_init_command: {COMMAND}\n    cloud_provider:")


def in_memory(pid, needles):
    """Those of the needles that stand anywhere in the memory of a process."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not span or "[v" in line:
                continue
            begin, end = int(span[1], 16), int(span[2], 16)
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except OSError:
                continue
            found |= {needle for needle in needles if needle.encode() in content}
    return found


class Planted(unittest.TestCase):
    """One story, told in the order of the names."""

    @classmethod
    def setUpClass(cls):
        cls.controller = Controller(CATALOG, providers=["mock"], environment={
            "VCC_LOG_LEVEL": "debug", "VCC_PROBE_BEFORE_ACCEPT": "false"})
        cls.addClassCleanup(cls.controller.remove)
        cls.answers = []
        plain = requests.request

        def recorded(*arguments, **options):
            answer = plain(*arguments, **options)
            cls.answers.append(f"{answer.headers}\n{answer.text}")
            return answer

        requests.request = recorded
        cls.addClassCleanup(setattr, requests, "request", plain)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.1, settle_s=0)
        cls.group = cls.sdk.create_ugroup("planted")

    def test_01_the_keys_reach_the_cloud(self):
        unit = self.group.create_unit("plain", unit_cci("plain", KEY))
        self.assertEqual(unit.read()["state"], "RUNNING", unit.read()["error_message"])
        unit.add_nodes(1)
        self.assertEqual(len(unit.nodes()), 3)

    def test_02_a_wrong_key_is_an_error_that_does_not_quote_it(self):
        unit = self.group.create_unit("wrong", unit_cci("wrong", WRONG), wait_for=False)
        with self.assertRaises(vcp_client.VcpError):
            self.group.wait_unit_applied("wrong")
        self.assertEqual(unit.read()["state"], "ERROR")
        self.assertIn("access_key", unit.read()["error_message"])

    def test_03_a_bad_cci_is_refused_without_quoting_it(self):
        broken = unit_cci("broken", KEY).replace("tags: {}", f"tags: {MUNGE}")
        with self.assertRaises(vcp_client.VcpError) as refused:
            self.group.create_unit("broken", broken)
        self.assertEqual(refused.exception.status, 400)

    def test_04_info_shows_that_there_is_something_but_not_what(self):
        info = self.group.read()["unit"][0]["info"]
        self.assertIn("MUNGE_KEY=********", info)
        self.assertIn('access_key: "********"', info)

    def test_05_at_rest_nothing_of_them_is_in_memory(self):
        known = self.group.vcid
        self.assertEqual(in_memory(self.controller.pid, (*NOT_IN_MEMORY, known)), {known})

    def test_06_after_the_end_nothing_of_them_is_anywhere(self):
        self.group.cleanup()
        pid = self.controller.pid
        places = {"answers": "\n".join(self.answers), "log": self.controller.log(),
                  "command line": pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"),
                  "vcc status": self.controller.vcc("status", "--json"), "vcc tokens": self.controller.vcc("token", "list")}
        for file in pathlib.Path(self.controller.data_dir).rglob("*"):
            if file.is_file() and file.name != "vpn_catalog.yml":  # the administrator's own file has the mock's key
                places[str(file)] = file.read_bytes().decode("latin-1")
        self.assertTrue(any(place.endswith("vcc.db") for place in places))
        for place, content in places.items():
            for secret in PLANTED:
                self.assertNotIn(secret, content, f"{secret} is in {place}")
        self.assertEqual(in_memory(pid, NOT_IN_MEMORY), set())


class MasterKey(unittest.TestCase):
    """A data folder and the key that opens it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vcc-key.")
        self.addCleanup(shutil.rmtree, self.folder)
        self.data = pathlib.Path(self.folder, "data")
        self.key = pathlib.Path(self.folder, "data.master.key")

    def started(self):
        controller = Controller(CATALOG, providers=["mock"], data=self.data)
        self.addCleanup(controller.stop)
        return controller

    def serve(self, *options, text="", environment=None):
        """Runs occtr on the folder until it is ready or has ended; returns its exit code and what it said."""
        command = [str(build_dir() / "bin" / "occtr"), "--config", str(self.data / "dev" / "occtr.yml"), *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env=environment) as server:
            server.stdin.write(text)
            server.stdin.close()
            lines = []
            for line in server.stderr:
                lines.append(line)
                if "OCCTR_READY" in line:
                    server.send_signal(signal.SIGTERM)
            return server.wait(60), "".join(lines)

    def database(self):
        return (self.data / "vcc.db").read_bytes()

    def test_a_missing_or_wrong_key_is_refused_and_changes_nothing(self):
        self.started().stop()
        right = self.key.read_text(encoding="ascii")
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o600)
        before = self.database()
        self.key.unlink()
        code, said = self.serve()
        self.assertEqual(code, 1)
        self.assertIn("put it back", said)
        self.assertFalse(self.key.exists())
        self.key.write_text("A" * 43 + "=\n", encoding="ascii")
        self.key.chmod(0o600)
        code, said = self.serve()
        self.assertEqual(code, 1)
        self.assertIn("is not the one", said)
        self.assertNotIn("A" * 20, said)
        self.assertEqual(self.database(), before)
        code, said = self.serve("--passphrase", text="sesame\n")
        self.assertEqual(code, 1)
        self.assertIn("without --passphrase", said)
        self.key.write_text(right, encoding="ascii")
        self.assertEqual(self.serve()[0], 0)
        self.key.unlink()
        self.assertEqual(self.serve(environment={"VCC_MASTER_KEY": right.strip()})[0], 0)

    def test_a_pass_phrase_opens_a_folder_that_was_made_with_one(self):
        self.started().stop()
        for file in self.data.glob("vcc.db*"):
            file.unlink()
        self.key.unlink()
        subprocess.run([str(build_dir() / "bin" / "occtr"), "--init-data", str(self.data), "--evaluation"], check=True,
                       stdout=subprocess.DEVNULL)
        self.assertEqual(self.serve("--passphrase", text="open sesame\n")[0], 0)
        self.assertFalse(self.key.exists())
        code, said = self.serve("--passphrase", text="open Sesame\n")
        self.assertEqual(code, 1)
        self.assertIn("pass phrase is not the one", said)
        self.assertNotIn("esame", said)
        code, said = self.serve()
        self.assertEqual(code, 1)
        self.assertIn("start with --passphrase", said)
        self.assertEqual(self.serve("--passphrase", text="\n")[0], 1)
        self.assertEqual(self.serve("--passphrase", text="open sesame\n")[0], 0)


if __name__ == "__main__":
    harness.main()
