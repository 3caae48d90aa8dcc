# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, never run.
# shellcheck disable=SC2034  # used by the scripts that source this file

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Debian's own Python, which sees Debian's modules; a pyenv one on PATH would not.
python=/usr/bin/python3

say() { printf '%s\n' "$*" >&2; }

die() {
  say "${0##*/}: $*"
  exit 1
}

# The text of the comment block at the top of a script: its help.
usage() { sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# The value that must follow an option.
need_value() { [[ $# -ge 2 && -n $2 ]] || die "$1 needs a value; see ${0##*/} --help"; }

# The build folder that VCC_BUILD names, as an absolute path.
build_dir() {
  local dir=${VCC_BUILD:-build/release}
  [[ $dir == /* ]] || dir=$root/$dir
  printf '%s' "$dir"
}

# json_get FILE KEY: one value of a JSON object; nothing when file or key is missing.
json_get() {
  "$python" - "$1" "$2" <<'PY'
import json, sys
try:
    with open(sys.argv[1], encoding="utf-8") as file:
        value = json.load(file).get(sys.argv[2])
except (OSError, ValueError):
    value = None
print("" if value is None else value)
PY
}

# is_server PID: true while this process is an occtr that has not ended (a zombie has).
is_server() {
  [[ $(cat "/proc/$1/comm" 2>/dev/null) == occtr ]] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# server_pid DATA_DIR: the process id of the controller that runs on this data folder; nothing when none does.
# The file may be left over from a killed server, so the process is looked at too.
server_pid() {
  local pid
  pid=$(json_get "$1/run/occtr.json" pid)
  if [[ $pid =~ ^[0-9]+$ ]] && is_server "$pid"; then printf '%s' "$pid"; fi
}
