# SPDX-License-Identifier: Apache-2.0
"""The processes of a peer: started, waited for, and ended by their ids. Nothing here looks a process up by its name."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from folder import HOST

HERE = pathlib.Path(__file__).resolve().parent
DEADLINE_S = 300


class Failed(Exception):
    """A service did not come up; the text says which, and what it said last."""


def wait_until(condition, what, deadline_s=DEADLINE_S, poll_s=0.1):
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failed(f"not within {deadline_s} s: {what}")
        time.sleep(poll_s)
    return value


def birth_of(pid):
    """When the process began, in the kernel's ticks: an id can be given again, an id with its birth cannot. None: gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Processes:
    """Those of one folder. run/NAME.json holds the id of each."""

    def __init__(self, folder):
        self.folder = folder

    def environment(self, more=None):
        """Nothing of the machine's own OpenStack or Python settings."""
        foreign = ("OS_", "PYTHON", "RABBITMQ_", "ERL_")
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(foreign) and not key.lower().endswith("_proxy")}
        return {**kept, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore",
                "PYTHONPATH": f"{HERE / 'plugins'}:{self.folder.data('python')}", "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(self.folder.data("home")), **(more or {})}

    def start(self, name, command, environment=None):
        with open(self.folder.log(name), "ab") as log:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=self.environment(environment), start_new_session=True)
        self.remember(name, process.pid)

    def remember(self, name, pid):
        self.folder.run(f"{name}.json").write_text(json.dumps({"pid": pid, "birth": birth_of(pid)}), encoding="utf-8")

    def known(self):
        """Name and id of those that run."""
        found = {}
        for file in self.folder.path.glob("run/*.json"):
            facts = json.loads(file.read_text(encoding="utf-8"))
            if facts["birth"] is not None and birth_of(facts["pid"]) == facts["birth"]:
                found[file.stem] = facts["pid"]
        return found

    def wait_for_port(self, name, port):
        def answers():
            if name not in self.known():
                raise Failed(f"{name} ended; it said last:\n{self.last_words(name)}")
            with socket.socket() as probe:
                return probe.connect_ex((HOST, self.folder.ports[port])) == 0

        wait_until(answers, f"{name} answers on its port; see {self.folder.log(name)}")

    def last_words(self, name):
        log = self.folder.log(name)
        return log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""

    def stop(self, last):
        """All others at once, then these in their order; each with all of its session. Returns when they are gone."""
        running = self.known()
        # What only asks the others has nothing to lose.
        self.end_all([name for name in running if name not in last], running, patience_s=3)
        for name in last:
            self.end_all([name] if name in running else [], running, patience_s=30)
        for file in self.folder.path.glob("run/*.json"):
            file.unlink()

    @staticmethod
    def end_all(names, running, patience_s):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            alive = [running[name] for name in names if group_lives(running[name])]
            for pid in alive:
                try:
                    os.killpg(pid, sign)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + patience_s
            while any(group_lives(pid) for pid in alive) and time.monotonic() < end:
                time.sleep(0.05)


def group_lives(group):
    """Whether a process of this group runs; what has ended and only waits to be collected does not."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[2] == str(group) and fields[0] != "Z":
            return True
    return False


class Nursery:
    """A project's programs, forked off one process that has imported them all (nursery.py)."""

    def __init__(self, processes, project):
        self.processes, self.project = processes, project
        with open(processes.folder.log(f"{project}-nursery"), "ab") as log:
            self.process = subprocess.Popen(["/usr/bin/python3", str(HERE / "nursery.py"), project], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, text=True, env=processes.environment())

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.project} cannot be imported:\n{self.processes.last_words(self.project + '-nursery')}")
        return json.loads(line)

    def run(self, function, *words, log=None):
        """To its end; a status other than 0 raises Failed."""
        name = log or f"{self.project}-prepare"
        answer = self.ask({"run": function, "argv": [str(word) for word in words], "log": str(self.processes.folder.log(name))})
        if answer["status"] != 0:
            raise Failed(f"{' '.join(str(word) for word in words)} ended with {answer['status']}:\n"
                         f"{self.processes.last_words(name)}")

    def start(self, name, function, *words, environment=None):
        answer = self.ask({"start": function, "argv": [str(word) for word in words], "environment": environment or {},
                           "log": str(self.processes.folder.log(name))})
        self.processes.remember(name, answer["pid"])

    def close(self):
        """What it started goes on."""
        self.process.stdin.close()
        self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()
