// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/remote_script.h"

/// The data table of what a machine is prepared with (architecture 26): for each step of HostStep a check,
/// `check_NAME`, and an action, `do_NAME`. Parts of the scripts of remote_commands.h.
///
/// They read $dns, $ntp, $registries (words), $port, and $pre of kFindEngine. A check changes nothing. An action may be
/// killed anywhere and is then done again from its beginning; `rootly` gives it its time, as root, because an ordinary
/// user cannot end what sudo started.
namespace vcc::remote {

inline constexpr ScriptPart kStepTools = R"sh(
  root=; [ "$(id -u)" = 0 ] || root="sudo -n";
  # Descriptor 9 is the lock of the job: a daemon that is started here must not keep it.
  rootly() (
    limit=$1; shift; umask 022; exec 9>&-;
    exec $root env DEBIAN_FRONTEND=noninteractive timeout -k 10 "$limit" "$@"
  );
  put() {
    [ -d "${1%/*}" ] || $root install -d -m 755 "${1%/*}";
    $root tee "$1.vcp" >/dev/null && $root chmod 644 "$1.vcp" && $root mv -f "$1.vcp" "$1";
  };
  unit() { rootly 120 systemctl "$@"; };
  soon() { n=0; until "$@"; do n=$((n+1)); [ $n -lt 30 ] || return 1; sleep 1; done; };
  # A machine that has just booted updates its package lists itself, under the same lock.
  archive() {
    [ -z "$asked" ] || return 0;
    asked=1; n=0;
    until rootly 300 apt-get -q update; do n=$((n+1)); [ $n -lt 5 ] || return 1; sleep 5; done;
  };
  apt() {
    rootly 900 apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300
      -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@";
  };
  # A command that an installation brought which was killed ($again) may be there and not work.
  have() { [ -z "$again" ] && command -v "$1" >/dev/null 2>&1; };
  # Gives $1 from package $2, and ends an installation that was killed.
  bring() {
    if command -v apt-get >/dev/null 2>&1; then
      rootly 300 dpkg --configure -a; apt --fix-broken install;
      command -v "$1" >/dev/null 2>&1 || { archive; apt install "$2"; };
    else
      command -v "$1" >/dev/null 2>&1 || {
        echo "there is no apt-get here to install $2 with; use an image that brings it"; return 1;
      };
    fi;
  };
)sh";

inline constexpr ScriptPart kStepDns = R"sh(
  dns_file() {
    case $(readlink /etc/resolv.conf) in
    *systemd/resolve*) echo /etc/systemd/resolved.conf.d/10-vcp.conf;;
    *) echo /etc/resolv.conf;;
    esac;
  };
  dns_text() {
    case $1 in
    *resolved*) printf "[Resolve]\nDNS=%s\nDomains=~.\n" "$dns";;
    *) printf "nameserver %s\n" $dns;;
    esac;
  };
  check_dns() {
    [ -z "$dns" ] || { file=$(dns_file); [ "$(cat "$file" 2>/dev/null)" = "$(dns_text "$file")" ]; };
  };
  do_dns() {
    file=$(dns_file);
    dns_text "$file" | put "$file" && case $file in *resolved*) unit restart systemd-resolved;; esac;
  };
)sh";

inline constexpr ScriptPart kStepTime = R"sh(
  # The whole file, so that only the servers of the catalog are asked.
  time_text() {
    printf "server %s iburst\n" $ntp;
    printf "driftfile /var/lib/chrony/chrony.drift\nmakestep 1 3\nrtcsync\n";
  };
  check_time() {
    [ -z "$ntp" ] || {
      command -v chronyd >/dev/null 2>&1 && [ "$(cat /etc/chrony/chrony.conf 2>/dev/null)" = "$(time_text)" ];
    };
  };
  do_time() {
    have chronyd || bring chronyd chrony || return 1;
    time_text | put /etc/chrony/chrony.conf && unit restart chrony;
  };
)sh";

inline constexpr ScriptPart kStepDocker = R"sh(
  check_docker() { find_engine 2>/dev/null; [ $state = ok ]; };
  do_docker() {
    have docker || bring docker docker.io || return 1;
    unit enable --now docker;
    soon check_docker || { find_engine; return 1; };
  };
)sh";

inline constexpr ScriptPart kStepRegistries = R"sh(
  # What docker has taken up, not what its file says: it reads that when it is told to, without a restart.
  check_registries() {
    [ -z "$registries" ] || {
      info=$($pre timeout 30 docker info 2>/dev/null </dev/null) || return 1;
      for name in $registries; do printf "%s\n" "$info" | grep -qwF "$name" || return 1; done;
    };
  };
  do_registries() {
    old=$($root cat /etc/docker/daemon.json 2>/dev/null); [ -n "$old" ] || old="{}";
    printf "%s" "$old" | python3 -c "import json, sys; s = json.load(sys.stdin);
      k = s.setdefault(\"insecure-registries\", []); k.extend(n for n in sys.argv[1:] if n not in k);
      print(json.dumps(s, indent=2))" $registries >daemon.json || return 1;
    put /etc/docker/daemon.json <daemon.json && { unit reload docker || unit restart docker; };
  };
)sh";

inline constexpr ScriptPart kStepSshPort = R"sh(
  # Port adds up over the files of sshd. A file that sshd refuses is never put to work.
  check_ssh_port() {
    [ "$port" = 0 ] || [ "$port" = 22 ] || {
      ports=$($root sshd -T 2>/dev/null | sed -n "s/^port //p");
      printf "%s\n" "$ports" | grep -qx "$port" && ! printf "%s\n" "$ports" | grep -qx 22;
    };
  };
  do_ssh_port() {
    $root find /etc/ssh/sshd_config /etc/ssh/sshd_config.d -type f -exec
      sed -i -E "s/^[[:space:]]*[Pp]ort[[:space:]]+22[[:space:]]*$/#&/" {} +;
    printf "Port %s\n" "$port" | put /etc/ssh/sshd_config.d/10-vcp.conf && $root sshd -t || return 1;
    unit daemon-reload;
    for name in ssh.socket ssh.service sshd.service; do unit try-restart "$name"; done; true;
  };
)sh";

inline constexpr ScriptPart kStepImage = R"sh(
  # args is the argv of the pull; its last item is the image.
  check_image() {
    { printf "image\0inspect\0--format\0found\0--\0"; tail -z -n 1 args; } |
      $pre xargs -0 -n 9999 -x -s 1900000 docker >/dev/null 2>&1;
  };
  do_image() { $pre timeout -k 10 3600 xargs -0 -n 9999 -x -s 1900000 docker <args; };
)sh";

}  // namespace vcc::remote
