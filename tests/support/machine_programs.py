# SPDX-License-Identifier: Apache-2.0
"""The programs of a machine of machine.py that would need a network or an init system: they do what the real ones do to
the files and processes that the controller looks at, in that order, and write down how they were called.

Each holds where a test put a file `hold/NAME` and says so in `hold/NAME.reached`.
"""

GATE = """
state=/opt/machine
gate() {
  [ -e "$state/hold/$1" ] || return 0
  : >"$state/hold/$1.reached"
  while [ -e "$state/hold/$1" ]; do sleep 0.05; done
}
echo "$(basename "$0") $*" >>/var/log/machine-programs.log
"""

# Debian's: a lock, packages that are half there when it is killed, and put right by `dpkg --configure -a`.
APT_GET = """#!/bin/sh
""" + GATE + """
for word in "$@"; do package=$word; done
[ "$package" != update ] || exit 0
exec 8>/var/lib/machine-apt.lock
flock -n 8 || { echo "E: Could not get lock" >&2; exit 100; }
[ ! -e "$state/half" ] || { echo "E: dpkg was interrupted, you must manually run dpkg --configure -a" >&2; exit 100; }
[ "$package" != install ] || exit 0
: >"$state/half"
gate "$package"
case $package in
docker.io) ln -sf /opt/machine/docker /usr/bin/docker;;
chrony) mkdir -p /etc/chrony; echo "pool example.org" >/etc/chrony/chrony.conf; ln -sf /bin/true /usr/sbin/chronyd;;
*) rm "$state/half"; echo "E: Unable to locate package $package" >&2; exit 100;;
esac
gate "$package.unpacked"
rm "$state/half"
"""

DPKG = """#!/bin/sh
""" + GATE + """
[ "$*" != "--configure -a" ] || rm -f "$state/half"
"""

# docker takes up its registries when it starts and when it is told to reload.
SYSTEMCTL = """#!/bin/sh
""" + GATE + """
load() { cp /etc/docker/daemon.json /run/docker.json 2>/dev/null || echo "{}" >/run/docker.json; }
case "$*" in
"enable --now docker") : >"$state/docker.enabled"; load;;
"start docker") load;;
"reload docker") gate reload; [ -e /run/docker.json ] || exit 1; load;;
"try-restart ssh.service") gate sshd; kill -HUP 1;;
esac
"""

TEE = """#!/bin/sh
""" + GATE + """
case $1 in /etc/resolv.conf*) gate resolv;; esac
exec /usr/bin/tee "$@"
"""

# The engine is podman, behind the door that docker has: root only, and only while its daemon runs.
DOCKER = """#!/bin/sh
state=/opt/machine
PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ "$(id -u)" = 0 ] || { echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1; }
[ -e /run/docker.json ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
export CONTAINERS_CONF=$state/containers.conf CONTAINERS_STORAGE_CONF=$state/storage.conf
case $1 in
info)
  echo " Insecure Registries:"
  python3 -c 'import json; print(*("  " + name for name in json.load(open("/run/docker.json")).get("insecure-registries", [])), sep="\\n")'
  exit;;
pull)
  for image in "$@"; do :; done
  echo "Trying to pull $image"
  """ + GATE.replace('echo "$(basename "$0") $*" >>/var/log/machine-programs.log', "") + """
  gate pull
  exec podman --log-level error import -q --change 'ENTRYPOINT ["/bin/start"]' $state/image.tar "$image";;
esac
exec podman --log-level error "$@"
"""

CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
netns = "host"
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
"""

STORAGE_CONF = """[storage]
driver = "vfs"
graphroot = "/var/lib/machine-engine"
runroot = "/run/machine-engine"
"""

# As the published images do: the start script is stored, and run at every start.
START = """#!/bin/sh
if [ -n "$USER_INIT_COMMAND" ]; then
  mkdir -p /var/vcp
  echo "$USER_INIT_COMMAND" | base64 -d >/var/vcp/user_init_command
  chmod 755 /var/vcp/user_init_command
  cd / && /var/vcp/user_init_command
fi
exec /bin/banner
"""

PROGRAMS = {"apt-get": APT_GET, "dpkg": DPKG, "systemctl": SYSTEMCTL, "tee": TEE}
