# SPDX-License-Identifier: Apache-2.0
"""The house rules that a compiler does not know: layering, seams, log ids, licence lines, machine paths.

Run from the root of the tree. One line per finding, `file:line: text`; exit code 1 when there is any.
"""

import os
import pathlib
import re
import subprocess
import sys

CODE = {".h", ".hpp", ".c", ".cpp"}

# Architecture 30: where each part of Poco may be used, by folder of core/.
POCO = {
    "Net": {"api", "plugin_host", "secrets", "cli", "server"},
    "Data": {"store"},
    "Util": {"server", "cli"},
    "JSON": None,  # behind one file per folder: a matter of review
}

# Architecture 29: what goes through the seams of base/ instead. The edges may use the real thing.
SEAM_FOLDERS = {"base", "server", "cli"}
SEAMS = [
    (re.compile(r"\bstd::(thread|jthread|async)\b"), "threads come from base/executor.h"),
    (re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\("), "waiting goes through a clock or timer"),
    (re.compile(r"(?<![\w.>:])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)"), "time comes from base/clock.h"),
    (re.compile(r"\b(system_clock|steady_clock)::now\b|\bclock_gettime\b|\bgettimeofday\b"), "time comes from base/clock.h"),
    (re.compile(r"\brandom_device\b|\bRAND_bytes\b"), "randomness comes from base/random.h"),
    (re.compile(r"\b(secure_)?getenv\s*\("), "settings are passed in"),
]

# Clang checks only locks that it knows; this holds for the edges too.
LOCKS = re.compile(r"\bstd::(\w*mutex|lock_guard|scoped_lock|unique_lock|shared_lock|condition_variable\w*|once_flag|call_once)\b")
LOCK_FILE = pathlib.Path("core/base/mutex.h")

# plugin-sdk/docs/ABI.md: who was built with an older minor version of the boundary has a shorter struct, and is right.
SIZE_TEST = re.compile(r"\bstruct_size\s*[<>]=?\s*sizeof\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LOG_CALL = re.compile(r'(?:\.|->)(debug|info|warn|error)\(\s*"([A-Z][A-Z0-9_]*)"')
# At namespace level: two definitions of one name are two functions of one symbol, of which the linker takes either.
DEFINITION = re.compile(r"^(?:class|struct|enum class|union) (?:VCC_[A-Z_]+(?:\([^)]*\))? )?([A-Z]\w+)\b(?!<)[^;]*$", re.M)
LOG_ROW = re.compile(r"^\|\s*`?([A-Z][A-Z0-9_]*)`?\s*\|")
# A path of the machine a developer happens to use. /root and /home occur in texts about other machines as well, but a
# source that needs one takes it from a variable. `folder + "/root/x"` is no such path.
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])(?<!\+ [\"'])/(?:work|root|home/\w+)/")


def tracked_files():
    command = ["git", "-c", f"safe.directory={os.getcwd()}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    return sorted({pathlib.Path(name) for name in names if name and os.path.isfile(name)})


def without_comments(text):
    """The code alone, line numbers kept. String literals stay: includes and log ids are in them."""
    token = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0], text)


def without_strings(code):
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)


def layers():
    """Folder of core/ -> its rank, from the order of core/CMakeLists.txt; the programs come last."""
    text = pathlib.Path("core/CMakeLists.txt").read_text(encoding="utf-8")
    order = re.findall(r"^vcc_add_library\((\w+)", text, re.M)
    rank = {folder: index for index, folder in enumerate(order)}
    rank.update({"server": len(order), "cli": len(order)})
    return rank


class Checker:
    def __init__(self):
        self.findings = []
        self.rank = layers()
        self.log_ids = {}
        self.definitions = {}

    def report(self, path, line, text):
        self.findings.append(f"{path}:{line}: {text}")

    def check_code(self, path, text):
        code = without_comments(text)
        top, folder = path.parts[0], path.parts[1] if len(path.parts) > 2 else ""
        for number, line in enumerate(code.splitlines(), 1):
            include = INCLUDE.match(line)
            if include:
                self.check_include(path, number, top, folder, include[2])
            if top == "core" and folder not in SEAM_FOLDERS:
                for pattern, remedy in SEAMS:
                    if pattern.search(without_strings(line)):
                        self.report(path, number, f"{pattern.search(without_strings(line))[0]!r} outside base and the edges: {remedy}")
            if top == "core" and path != LOCK_FILE and LOCKS.search(without_strings(line)):
                self.report(path, number, f"{LOCKS.search(without_strings(line))[0]!r}: locks come from {LOCK_FILE}")
            if top in ("core", "plugin-sdk", "plugins") and SIZE_TEST.search(line):
                self.report(path, number, "struct_size against sizeof refuses whoever was built earlier: ask with VCP_HAS")
        if top == "core" and path.suffix == ".h":
            for definition in DEFINITION.finditer(code):
                line = code.count("\n", 0, definition.start()) + 1
                first = self.definitions.setdefault(definition[1], f"{path}:{line}")
                if first != f"{path}:{line}":
                    self.report(path, line, f"{definition[1]} is defined in {first} too; the linker would mix the two")
        if top in ("core", "plugins"):
            for call in LOG_CALL.finditer(code):
                self.log_ids.setdefault(call[2], (path, code.count("\n", 0, call.start()) + 1))

    def check_include(self, path, number, top, folder, name):
        first = name.split("/")[0]
        if top == "core":
            if first in self.rank and "/" in name:
                if folder not in self.rank:
                    self.report(path, number, f"core/{folder} is not in core/CMakeLists.txt")
                elif first != folder and self.rank[first] >= self.rank[folder]:
                    self.report(path, number, f"core/{folder} may not include {name}: arrows point down only")
            if first == "Poco" and name.count("/") > 1:
                part = name.split("/")[1]
                allowed = POCO.get(part)
                if allowed is not None and folder not in allowed:
                    self.report(path, number, f"Poco/{part} only in {', '.join(sorted(allowed))}")
        elif top in ("plugins", "plugin-sdk") and "tests" not in path.parts and "tools" not in path.parts:
            if first in self.rank and "/" in name:
                self.report(path, number, f"{top} never includes core ({name})")
            # What a driver's test gets from the SDK may use what the host uses.
            if "testing" not in path.parts and first in ("Poco", "openssl") or name in ("sys/socket.h", "netdb.h"):
                self.report(path, number, f"a driver gets this from its host, not from {name}")

    def check_log_ids(self):
        path = pathlib.Path("docs/log-messages.md")
        listed = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = LOG_ROW.match(line)
            if row and row[1] in listed:
                self.report(path, number, f"{row[1]} is listed twice")
            elif row:
                listed[row[1]] = number
        for name, (source, number) in sorted(self.log_ids.items()):
            if name not in listed:
                self.report(source, number, f"log id {name} is missing in {path}")
        for name, number in sorted(listed.items()):
            if name not in self.log_ids:
                self.report(path, number, f"no source logs {name}")

    def check_text(self, path, text):
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            found = MACHINE_PATH.search(line)
            if found:
                self.report(path, number, f"path of one machine: {found[0]}")
        script = bool(lines) and lines[0].startswith("#!")
        if path.suffix in CODE | {".py", ".sh"} or script:
            if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
                self.report(path, 1, "the first line (after #!) must be SPDX-License-Identifier: Apache-2.0")
        if path.suffix == ".py":
            try:
                compile(text, str(path), "exec")
            except SyntaxError as error:
                self.report(path, error.lineno or 1, f"Python syntax: {error.msg}")


def main():
    checker = Checker()
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # data of some test
        checker.check_text(path, text)
        if path.suffix in CODE:
            checker.check_code(path, text)
    checker.check_log_ids()
    print("\n".join(checker.findings), end="\n" if checker.findings else "")
    return 1 if checker.findings else 0


if __name__ == "__main__":
    sys.exit(main())
