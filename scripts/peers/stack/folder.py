# SPDX-License-Identifier: Apache-2.0
"""The folder of an OpenStack peer: where everything of it lies, which ports it has, and its secrets."""

import json
import pathlib
import secrets
import socket

HOST = "127.0.0.1"
PORTS = ("keystone", "brief", "glance", "placement", "neutron", "nova", "cinder", "rabbit", "epmd", "erlang")
PARTS = ("conf", "data", "log", "run")


class Folder:
    """Opened when it exists, else made. Its ports stay the same from one start to the next: the catalog names them."""

    def __init__(self, path):
        self.path = pathlib.Path(path).absolute()
        if len(str(self.run("mysql.sock"))) > 100:
            raise RuntimeError(f"{self.path}: too long for a unix socket in it; choose a shorter folder")
        self.path.mkdir(parents=True, mode=0o700, exist_ok=True)
        for part in PARTS:
            (self.path / part).mkdir(exist_ok=True)
        facts = self.path / "facts.json"
        if not facts.exists():
            text = json.dumps({"ports": free_ports(PORTS),
                               "passwords": {name: secrets.token_hex(12) for name in ("admin", "service", "user")}})
            facts.touch(mode=0o600)
            facts.write_text(text, encoding="utf-8")
        known = json.loads(facts.read_text(encoding="utf-8"))
        self.ports, self.passwords = known["ports"], known["passwords"]

    def conf(self, name):
        return self.path / "conf" / name

    def data(self, name):
        return self.path / "data" / name

    def log(self, name):
        return self.path / "log" / f"{name}.log"

    def run(self, name):
        return self.path / "run" / name

    def url(self, name, path=""):
        return f"http://{HOST}:{self.ports[name]}{path}"

    @property
    def seeded(self):
        """There once everything that a first start makes is made."""
        return self.path / "seeded"


def free_ports(names):
    """A different free port for each name."""
    probes = [socket.socket() for _ in names]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return {name: probe.getsockname()[1] for name, probe in zip(names, probes)}
    finally:
        for probe in probes:
            probe.close()
