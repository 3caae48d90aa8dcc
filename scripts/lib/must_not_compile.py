# SPDX-License-Identifier: Apache-2.0
"""must_not_compile.py COMPILE_COMMANDS LIKE SOURCE MACRO WORD: is SOURCE refused, and for the right reason?

Compiles SOURCE as the build in COMPILE_COMMANDS compiles the file LIKE: it must pass as it is, and with MACRO defined it
must fail with WORD in the compiler's words. Exit code 1 and a line on stderr when not.
"""

import json
import os
import shlex
import subprocess
import sys

commands, like, source, macro, word = sys.argv[1:]
with open(commands, encoding="utf-8") as file:
    entry = next(e for e in json.load(file) if os.path.realpath(os.path.join(e["directory"], e["file"])) == os.path.realpath(like))
words = shlex.split(entry["command"])
command = words[: words.index("-o")] + ["-fsyntax-only"]


def compiled(*more):
    return subprocess.run([*command, *more, os.path.abspath(source)], cwd=entry["directory"], capture_output=True, text=True)


good, bad = compiled(), compiled(f"-D{macro}")
if good.returncode != 0:
    sys.exit(f"{source} does not compile:\n{good.stderr}")
if bad.returncode == 0 or word not in bad.stderr:
    sys.exit(f"{source} with {macro} should have been refused with {word}:\n{bad.stderr}")
