// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/remote_steps.h"
#include "host/ssh_session.h"

/// Everything that the controller ever says to a shell. Data comes on stdin only.
///
/// A script answers in lines "vcp WORD ..." and ends with "vcp end"; other lines are noise of the host's start-up
/// files.
///
/// The argument limits of xargs: without -n, -x and -s a long argv would silently become two commands. xargs itself
/// runs under sudo, because sudo writes its arguments, here secrets, to the system log.
namespace vcc::remote {

inline constexpr ScriptPart kBegin = R"sh(
  LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin; umask 077; set -f; jobs=$HOME/.vcp-jobs;
)sh";

// Sets $state to ok, missing, denied or broken, $pre to nothing or "sudo -n", and $ids to the containers that carry our
// label. sudo is tried only if the socket is denied: any other trouble would be hidden by it.
inline constexpr ScriptPart kEngineTools = R"sh(
  list() { $pre timeout 30 docker ps -a -q --no-trunc --filter label=vcp.vcc </dev/null; };
  find_engine() {
    pre=; state=ok;
    command -v docker >/dev/null 2>&1 || { state=missing; return; };
    if ! ids=$(list); then
      case $(list 2>&1) in
      *[Pp]"ermission denied"*) pre="sudo -n"; ids=$(list) || state=denied;;
      *) state=broken;;
      esac;
    fi;
  };
  engine() { $pre xargs -0 -n 9999 -x -s 1900000 docker; };
  need_engine() { [ $state = ok ] || { echo "vcp $state"; echo vcp end; exit 0; }; };
)sh";
inline constexpr ScriptPart kFindEngine = "find_engine;";

// A container may go between list and look: tried again.
inline constexpr ScriptPart kLookTools = R"sh(
  look() {
    [ -z "$ids" ] || $pre docker container inspect --format
      "vcp container [{{json .ID}},{{json .Name}},{{json .State.Status}},{{json .State.Running}},{{json .State.StartedAt}},{{json .Config.Labels}}]"
      $ids </dev/null;
  };
  show_containers() {
    tries=0;
    until found=$(look); do
      tries=$((tries+1)); [ $tries -lt 3 ] && ids=$(list) || { state=broken; break; };
    done;
    printf "%s\n" "$found";
  };
  unfinished() { [ -e "$jobs/pending.$1" ]; };
  show_lacks() {
    for s in "$@"; do
      case $s in
      image) ;;
      docker) { [ $state = ok ] && ! unfinished docker; } || echo vcp lacks docker;;
      *) { ! unfinished $s && "check_$s"; } || echo "vcp lacks $s";;
      esac;
    done;
  };
)sh";

// Both are checked although we sent them: the one becomes a path, the others words of commands.
inline constexpr ScriptPart kReadOp = R"sh(
  IFS= read -r op; case $op in *[!0-9a-f]*|"") echo vcp bad; exit 1;; esac;
)sh";
inline constexpr ScriptPart kReadNeeds = R"sh(
  IFS= read -r dns; IFS= read -r ntp; IFS= read -r registries; IFS= read -r port;
  case $dns$ntp$registries$port in *[!A-Za-z0-9.:" "-]*) echo vcp bad; exit 1;; esac;
)sh";

// How the job in this folder stands, after a moment for it to end. Who holds the lock runs; a job lets go of it only
// when its result and all of its output are written. One that has ended well is followed by a look at what is there
// now, which saves a login.
inline constexpr ScriptPart kReportJob = R"sh(
  n=0; while [ $n -lt 20 ] && ! flock -n lock true; do n=$((n+1)); sleep 0.1; done;
  job=running;
  if flock -n lock true; then job=unknown; [ ! -e rc ] || job="ended $(cat rc)"; fi;
  if [ "$job" = "ended 0" ]; then
    steps=; [ ! -e wanted ] || {
      IFS= read -r steps; IFS= read -r dns; IFS= read -r ntp; IFS= read -r registries; IFS= read -r port;
    } <wanted;
    find_engine; [ $state != ok ] || show_containers;
    show_lacks $steps;
  fi;
  echo "vcp job $job";
  echo "vcp step $(cat step 2>/dev/null)";
  echo "vcp layers $(grep -c "Pull complete\|Already exists" out) $(grep -c "Pulling fs layer\|Already exists" out)";
  echo vcp output; tail -c 3000 out 2>/dev/null; echo; echo vcp end;
  case $job in ended*) cd / && rm -rf "$jobs/$op";; esac
)sh";

inline constexpr ScriptPart kDockerPart = R"sh(
  need_engine; echo vcp output; engine; rc=$?; echo; echo vcp rc $rc; echo vcp end
)sh";

inline constexpr ScriptPart kInspectPart = R"sh(
  if [ $state = ok ]; then
    echo "vcp engine ${pre:+$pre }docker";
    version=$($pre docker version --format "{{.Server.Version}}" </dev/null 2>/dev/null) ||
      version=$($pre docker version --format "{{.Client.Version}}" </dev/null 2>/dev/null);
    printf "vcp version %s\n" "$version";
    if engine >/dev/null 2>&1; then echo vcp image yes; else echo vcp image no; fi;
    show_containers;
  fi;
  [ $state = ok ] || echo "vcp $state";
  [ "$mode" != look ] || { echo vcp end; exit 0; };
  show_lacks docker dns time registries ssh_port;
)sh";

inline constexpr ScriptPart kFactsPart = R"sh(
  [ "$mode" = all ] || { echo vcp end; exit 0; };
  echo "vcp system $(sed -n "s/^PRETTY_NAME=//p" /etc/os-release 2>/dev/null | tr -d "\"")";
  echo "vcp machine $(uname -m)";
  if [ -z "$root" ] || sudo -n true >/dev/null 2>&1; then echo vcp sudo; fi;
  if [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" = yes ] ||
    chronyc -n tracking 2>/dev/null | grep -q "Leap status *: Normal"; then echo vcp clock; fi;
  echo "vcp free $(df -Pm /var/lib 2>/dev/null | sed -n "2s/  */ /gp" | cut -d " " -f 4)";
  for c in xargs flock timeout find head tail sed; do
    command -v $c >/dev/null 2>&1 || echo "vcp lost $c";
  done;
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    while read -r _ local _ st _; do [ "$st" != 0A ] || echo "vcp listens $local"; done | head -n 1000;
  echo vcp end
)sh";

// The lock is taken here and inherited by the job: there is no moment in which a started job looks dead, and a reboot
// frees it. A step that was begun and not ended leaves a mark, which makes it be done again whatever its check says.
// Old leftovers of others are swept. Of what the steps print 4 MB are kept, which can be read while they run.
inline constexpr ScriptPart kStartPart = R"sh(
  for s in $steps; do
    case $s in dns|time|docker|registries|ssh_port|image) ;; *) echo vcp bad; exit 1;; esac;
  done;
  case " $steps " in *" docker "*) ;; *) need_engine;; esac;
  fail() { echo vcp nofolder; echo vcp end; exit 0; };
  mkdir -p "$jobs/$op" && chmod 700 "$jobs" && cd "$jobs/$op" && exec 9>lock || fail;
  find "$jobs" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} +;
  step() {
    printf "%s" "$1" >step; mark=$jobs/pending.$1;
    if [ "$1" = image ]; then check_image || do_image; return; fi;
    again=; if [ -e "$mark" ]; then again=1; elif "check_$1"; then return 0; fi;
    : >"$mark"; "do_$1" && soon "check_$1" && rm -f "$mark";
  };
  work() { for s in $steps; do step "$s" || return 1; done; };
  if [ ! -e rc ] && flock -n 9; then
    cat >args && printf "%s\n" "$steps" "$dns" "$ntp" "$registries" "$port" >wanted || fail;
    {
      { trap "" HUP; work; echo $? >rc.new; mv rc.new rc; } 2>&1 </dev/null |
        { (ulimit -f 8000; exec cat) >out; cat >/dev/null; } 9>&-;
    } </dev/null >/dev/null 2>&1 &
  fi;
  exec 9>&-;
)sh";

inline constexpr ScriptPart kReadMode = "IFS= read -r mode;";
inline constexpr ScriptPart kReadSteps = "IFS= read -r steps;";
inline constexpr ScriptPart kEnterJob =
    R"sh(cd "$jobs/$op" 2>/dev/null || { echo vcp job unknown; echo vcp end; exit 0; };)sh";

inline constexpr auto kDockerText = makeScript(kBegin, kEngineTools, kFindEngine, kDockerPart);
inline constexpr auto kInspectText =
    makeScript(kBegin, kReadMode, kReadNeeds, kEngineTools, kFindEngine, kLookTools, kStepTools, kStepDns, kStepTime,
               kStepDocker, kStepRegistries, kStepSshPort, kInspectPart, kFactsPart);
inline constexpr auto kStartJobText =
    makeScript(kBegin, kReadOp, kReadSteps, kReadNeeds, kEngineTools, kFindEngine, kLookTools, kStepTools, kStepDns,
               kStepTime, kStepDocker, kStepRegistries, kStepSshPort, kStepImage, kStartPart, kReportJob);
inline constexpr auto kPollJobText =
    makeScript(kBegin, kReadOp, kEnterJob, kEngineTools, kLookTools, kStepTools, kStepDns, kStepTime, kStepDocker,
               kStepRegistries, kStepSshPort, kReportJob);

/// stdin: argv of docker. Answers "vcp rc N" after the engine's output, framed by "vcp output".
inline constexpr RemoteCommand kDocker{kDockerText};

/// stdin: "look", "needs" or "all" (HostLook), needs, and the argv of docker that succeeds when the image is there.
/// Answers "vcp engine", "vcp version", "vcp image yes|no" and one "vcp container [...]" per container with our label,
/// or the state of the engine; "vcp lacks STEP"; facts.
inline constexpr RemoteCommand kInspect{kInspectText};

/// stdin: op id, steps, needs, argv of docker that pulls the image. Answers as kPollJob does.
inline constexpr RemoteCommand kStartJob{kStartJobText};

/// stdin: op id. Answers "vcp job unknown", "vcp job running" or "vcp job ended N", the step, how many layers of the
/// image are there and known of, then the end of the job's output, framed by "vcp output". Before "vcp job ended 0"
/// stand the lines "vcp container [...]" and "vcp lacks STEP" of a look.
inline constexpr RemoteCommand kPollJob{kPollJobText};

}  // namespace vcc::remote
