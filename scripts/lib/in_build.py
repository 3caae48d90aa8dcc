# SPDX-License-Identifier: Apache-2.0
"""Passes on those file names from stdin that a compile_commands.json (argument 1) knows."""

import json
import os
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    known = {os.path.realpath(os.path.join(entry["directory"], entry["file"])) for entry in json.load(file)}
for line in sys.stdin:
    if os.path.realpath(line.strip()) in known:
        print(line.strip())
