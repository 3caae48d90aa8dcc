# SPDX-License-Identifier: Apache-2.0
"""A controller of a test's own: scripts/dev-up and scripts/dev-down, and the `vcc` program beside it."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_dir():
    return ROOT / os.environ.get("VCC_BUILD", "build/release")


class Controller:
    """Started by the constructor; end it with stop(). Attributes are what dev-up prints: url, ca, token ..."""

    def __init__(self, catalog=None, *, providers=(), data=None, options=(), environment=None):
        command = [str(ROOT / "scripts" / "dev-up"), *options]
        if providers:
            command += ["--providers", ",".join(providers)]
        if data:
            command += ["--data", str(data)]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            if catalog is not None:
                file.write(catalog)
                file.flush()
                command += ["--catalog", file.name]
            started = subprocess.run(command, capture_output=True, text=True, check=False,
                                     env={**os.environ, **(environment or {})})
        if started.returncode != 0:
            raise RuntimeError(f"dev-up failed: {started.stderr}")
        self.facts = json.loads(started.stdout)

    def __getattr__(self, name):
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def vcc(self, *arguments):
        """Output of `vcc ARGUMENTS` over the admin socket; CalledProcessError when it fails."""
        command = [str(build_dir() / "bin" / "vcc"), "--socket", self.admin_socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def log(self):
        path = pathlib.Path(self.data_dir, "dev", "occtr.log")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def stop(self):
        """Ends the server; a data folder that dev-up chose goes with it."""
        if pathlib.Path(self.data_dir, "dev").exists():
            subprocess.run([str(ROOT / "scripts" / "dev-down"), self.data_dir], check=True, timeout=60)

    def remove(self):
        """stop(), and the data folder goes in any case."""
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        pathlib.Path(self.data_dir + ".master.key").unlink(missing_ok=True)
