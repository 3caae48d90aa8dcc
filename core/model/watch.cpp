// SPDX-License-Identifier: Apache-2.0
#include "model/watch.h"

#include "model/power.h"

namespace vcc {

namespace {

/// Fewer than these may well fail together by themselves: a plug, a switch.
constexpr std::size_t kManyAtOnce = 4;
/// The clocks of hosts differ from ours by so much, and a start takes a moment.
constexpr std::int64_t kClockSlackMs = 2000;

bool isFaulty(State state) { return state == State::kContainerError || state == State::kHostError; }

WatchFinding findingWhereAsked(Goal goal, const WatchSigns& signs) {
  if (signs.host == HostSign::kMissing) return WatchFinding::kNoContainer;
  if (goal == Goal::kSuspended) return WatchFinding::kWell;  // what is down is to be down
  if (signs.host == HostSign::kDown) return WatchFinding::kNoContainer;
  const bool silent = signs.ready_wanted && signs.ready_port == PortSign::kSilent;
  return silent ? WatchFinding::kSilentContainer : WatchFinding::kWell;
}

}  // namespace

WatchFinding findingOf(Goal goal, const WatchSigns& signs) {
  const bool ready_answers = signs.ready_wanted && signs.ready_port == PortSign::kAnswers;
  switch (signs.host) {
    case HostSign::kRunning:
    case HostSign::kDown:
    case HostSign::kMissing:
      return findingWhereAsked(goal, signs);
    case HostSign::kBlind:
      if (goal == Goal::kSuspended || ready_answers) return WatchFinding::kAlive;
      return signs.ready_wanted && signs.ready_port == PortSign::kSilent ? WatchFinding::kSilentContainer
                                                                         : WatchFinding::kUnsure;
    case HostSign::kStranger:
      break;  // whose answers these are is for people to find out
    case HostSign::kUnreachable:
      if (ready_answers) return WatchFinding::kAlive;
      if (signs.ssh_port != PortSign::kSilent) break;
      return signs.ready_wanted && signs.ready_port != PortSign::kSilent ? WatchFinding::kUnsure
                                                                         : WatchFinding::kNoHost;
  }
  return WatchFinding::kUnsure;
}

WatchPatience WatchPatience::of(std::int64_t interval_ms) {
  WatchPatience patience;
  patience.silent_ms = 3 * interval_ms;
  // Every port has been asked once more, with the jitter of the prober, and has had the time to answer.
  patience.lost_ms = interval_ms + interval_ms / 5 + 6000;
  return patience;
}

std::int64_t WatchPatience::needed(WatchFinding finding) const {
  switch (finding) {
    case WatchFinding::kNoContainer:
      return second_look_ms;
    case WatchFinding::kSilentContainer:
      return silent_ms;
    case WatchFinding::kNoHost:
      return lost_ms;
    case WatchFinding::kUnsure:
    case WatchFinding::kWell:
    case WatchFinding::kAlive:
      break;
  }
  return 0;
}

std::optional<State> stateAfter(const Node& node, WatchFinding finding) {
  State to = node.state;
  switch (finding) {
    case WatchFinding::kUnsure:
      break;
    case WatchFinding::kWell:
    case WatchFinding::kAlive:
      if (isFaulty(node.state)) to = settledState(node.goal);
      break;
    case WatchFinding::kNoContainer:
    case WatchFinding::kSilentContainer:
      to = State::kContainerError;
      break;
    case WatchFinding::kNoHost:
      to = State::kHostError;
      break;
  }
  if (to == node.state || !isLegalTransition(node.state, to)) return std::nullopt;
  return to;
}

bool isMassLoss(std::size_t silent, std::size_t watched) { return silent >= kManyAtOnce && 2 * silent > watched; }

bool isProbed(const Node& node, const Machine& machine) {
  if (!node.watch_mode || !node.settled() || machine.kind == UnitKind::kStorage) return false;
  if (isGoingOff(node)) return false;  // what stops to answer does what was asked for
  if (node.goal != Goal::kRunning && node.goal != Goal::kSuspended) return false;
  if (!isFaulty(node.state) && node.state != settledState(node.goal)) return false;
  return !machine.want_destroy && machine.open_op.empty() && !machine.address.empty();
}

bool isRevived(const Node& node, std::int64_t started_at) {
  return node.goal == Goal::kRunning && started_at > node.container_started + kClockSlackMs;
}

}  // namespace vcc
