// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/records.h"

/// What signs from outside mean for a settled node whose machine is a real host (operations 4.8, architecture 22, 26).
/// A sign alone never changes a state: a look over ssh follows it, and a state changes after two looks that agree.
/// Pure.
namespace vcc {

/// What a port said when it was asked last.
enum class PortSign : std::uint8_t { kUnknown, kAnswers, kSilent };

/// What a look over ssh found.
enum class HostSign : std::uint8_t {
  kRunning,      ///< our base container runs
  kDown,         ///< it is there and does not run
  kMissing,      ///< it is not there
  kBlind,        ///< the host answers, and cannot be asked: login refused, no engine
  kStranger,     ///< a host with another key answers at the address
  kUnreachable,  ///< no ssh
};

/// All that is known of a host at one moment.
struct WatchSigns {
  PortSign ssh_port = PortSign::kUnknown;    ///< where the host's sshd listens
  PortSign ready_port = PortSign::kUnknown;  ///< where the container's does
  bool ready_wanted = true;                  ///< false: nothing is to answer there (suspended, `ready_port: none`)
  HostSign host = HostSign::kUnreachable;
};

enum class WatchFinding : std::uint8_t {
  kUnsure,           ///< the signs contradict each other, or one is missing: nothing follows
  kWell,             ///< as the goal wants it
  kAlive,            ///< as far as can be seen, though the controller cannot look into the host
  kNoContainer,      ///< the host is well, its container does not run
  kSilentContainer,  ///< the container runs, or may run, and nobody answers in it
  kNoHost,           ///< nothing of it answers
};

WatchFinding findingOf(Goal goal, const WatchSigns& signs);

/// How long a finding must last, from one look to another, before the state follows it.
struct WatchPatience {
  std::int64_t second_look_ms = 5000;
  std::int64_t silent_ms = 90000;  ///< kSilentContainer: what runs in a container takes its time to start
  std::int64_t lost_ms = 45000;    ///< kNoHost: by then all other hosts have been asked as well (isMassLoss)

  /// For ports that are asked every `interval_ms`.
  static WatchPatience of(std::int64_t interval_ms);
  std::int64_t needed(WatchFinding finding) const;
};

/// The state that the finding leads to once it has lasted; none: the node stays what it is. Recovery needs no second
/// look: what answers, answers.
std::optional<State> stateAfter(const Node& node, WatchFinding finding);

/// True for so many hosts of one network lost at once that the fault is more likely between them and the controller.
/// Both count hosts that are not in HOST_ERROR already: what is lost one by one is never held back.
bool isMassLoss(std::size_t silent, std::size_t watched);

/// True for a node whose ports are asked, and whose host may be looked into. `watch_mode` off: nobody looks.
bool isProbed(const Node& node, const Machine& machine);

/// True for a container that its engine has started again since `node` was known to run: it gets a new date.
bool isRevived(const Node& node, std::int64_t started_at);

}  // namespace vcc
