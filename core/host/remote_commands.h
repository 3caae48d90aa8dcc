// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/ssh_session.h"

/// Everything that the controller ever says to a shell. Data comes on stdin only. Each script is one argument of
/// /bin/sh in single quotes, hence without one of its own, so that the login shell does not matter.
///
/// A script answers in lines "vcp WORD ..." and ends with "vcp end"; other lines are noise of the host's start-up
/// files.
///
/// The argument limits of xargs: without -n, -x and -s a long argv would silently become two commands. xargs itself
/// runs under sudo, because sudo writes its arguments, here secrets, to the system log.
namespace vcc::remote {

// Sets `pre` to nothing or "sudo -n" and `ids` to the containers that carry our label; ends the script when no engine
// answers. sudo is tried only if the socket is denied: any other trouble would be hidden by it.
#define VCC_FIND_ENGINE                                                               \
  "LC_ALL=C; export LC_ALL; umask 077; pre=;"                                         \
  "list() { $pre docker ps -a -q --no-trunc --filter label=vcp.vcc </dev/null; };"    \
  "command -v docker >/dev/null 2>&1 || { echo vcp missing; echo vcp end; exit 0; };" \
  "if ! ids=$(list); then"                                                            \
  "  case $(list 2>&1) in"                                                            \
  "  *[Pp]\"ermission denied\"*)"                                                     \
  "    pre=\"sudo -n\"; ids=$(list) || { echo vcp denied; echo vcp end; exit 0; };;"  \
  "  *) echo vcp broken; echo vcp end; exit 0;;"                                      \
  "  esac;"                                                                           \
  "fi;"                                                                               \
  "engine() { $pre xargs -0 -n 9999 -x -s 1900000 docker; };"

// Reads the op id, the first line of stdin, and checks it although we sent it: it becomes a path.
#define VCC_READ_OP                                                             \
  "IFS= read -r op; case $op in *[!0-9a-f]*|\"\") echo vcp bad; exit 1;; esac;" \
  "jobs=$HOME/.vcp-jobs;"

/// stdin: argv of docker. Answers "vcp rc N" after the engine's output, framed by "vcp output".
inline constexpr RemoteCommand kDocker =
    "exec /bin/sh -c '" VCC_FIND_ENGINE "echo vcp output; engine; rc=$?; echo; echo vcp rc $rc; echo vcp end'";

/// stdin: argv of docker that succeeds when the image is there. Answers "vcp engine", "vcp version", "vcp image yes|no"
/// and one "vcp container [...]" per container with our label. A container may go between list and look: tried again.
inline constexpr RemoteCommand kInspect =
    "exec /bin/sh -c '" VCC_FIND_ENGINE
    "echo \"vcp engine ${pre:+$pre }docker\";"
    "version=$($pre docker version --format \"{{.Server.Version}}\" </dev/null 2>/dev/null) ||"
    "  version=$($pre docker version --format \"{{.Client.Version}}\" </dev/null 2>/dev/null);"
    "printf \"vcp version %s\\n\" \"$version\";"
    "if engine >/dev/null 2>&1; then echo vcp image yes; else echo vcp image no; fi;"
    "look() { [ -z \"$ids\" ] || $pre docker container inspect --format"
    "  \"vcp container [{{json .ID}},{{json .Name}},{{json .State.Status}},{{json .State.Running}},"
    "{{json .State.StartedAt}},{{json .Config.Labels}}]\" $ids </dev/null; };"
    "tries=0;"
    "until found=$(look); do"
    "  tries=$((tries+1)); [ $tries -lt 3 ] && ids=$(list) || { echo vcp broken; echo vcp end; exit 0; };"
    "done;"
    "printf \"%s\\n\" \"$found\"; echo vcp end'";

/// stdin: op id, newline, argv of docker. The lock is taken here and inherited by the job: who holds it runs, so there
/// is no moment in which a started job looks dead, and a reboot frees it. Old leftovers of others are swept.
inline constexpr RemoteCommand kStartJob =
    "exec /bin/sh -c '" VCC_READ_OP VCC_FIND_ENGINE
    "fail() { echo vcp nofolder; echo vcp end; exit 0; };"
    "mkdir -p \"$jobs/$op\" && chmod 700 \"$jobs\" && cd \"$jobs/$op\" && exec 9>lock || fail;"
    "find \"$jobs\" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} +;"
    "if [ ! -e rc ] && flock -n 9; then"
    "  cat >args || fail; export pre;"
    "  setsid /bin/sh -c \"trap \\\"\\\" HUP; \\$pre xargs -0 -n 9999 -x -s 1900000 docker <args;"
    "    echo \\$? >rc.new; mv rc.new rc\" </dev/null >out 2>&1 &"
    "fi;"
    "echo vcp started; echo vcp end'";

/// stdin: op id. Answers "vcp job unknown", "vcp job running" or "vcp job ended N", then the end of the job's output,
/// framed by "vcp output". The lock is asked before the result: a job writes its result before it lets go.
inline constexpr RemoteCommand kPollJob =
    "exec /bin/sh -c '" VCC_READ_OP
    "cd \"$jobs/$op\" 2>/dev/null || { echo vcp job unknown; echo vcp end; exit 0; };"
    "state=running; if flock -n lock true; then state=unknown; fi;"
    "if [ -e rc ]; then state=\"ended $(cat rc)\"; fi;"
    "echo \"vcp job $state\"; echo vcp output; tail -c 3000 out 2>/dev/null; echo; echo vcp end;"
    "case $state in ended*) cd / && rm -rf \"$jobs/$op\";; esac'";

#undef VCC_FIND_ENGINE
#undef VCC_READ_OP

}  // namespace vcc::remote
