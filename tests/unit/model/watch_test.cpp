// SPDX-License-Identifier: Apache-2.0
#include "model/watch.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vcc;

namespace {

constexpr auto kUnknown = PortSign::kUnknown;
constexpr auto kAnswers = PortSign::kAnswers;
constexpr auto kSilent = PortSign::kSilent;

Node settledNode(State state, Goal goal = Goal::kRunning) {
  Node node;
  node.goal = goal;
  node.state = state;
  return node;
}

Machine hostAt(const std::string& address) {
  Machine machine;
  machine.address = address;
  return machine;
}

}  // namespace

TEST_CASE("what a look over ssh and the ports say together") {
  struct Row {
    const char* what;
    WatchSigns signs;
    WatchFinding running;    // for a node that is to run
    WatchFinding suspended;  // for one whose container is to be down
  };
  const std::vector<Row> rows{
      {"all is well", {kAnswers, kAnswers, true, HostSign::kRunning}, WatchFinding::kWell, WatchFinding::kWell},
      {"port 22 was not asked yet",
       {kAnswers, kUnknown, true, HostSign::kRunning},
       WatchFinding::kWell,
       WatchFinding::kWell},
      {"an image without sshd",
       {kAnswers, kUnknown, false, HostSign::kRunning},
       WatchFinding::kWell,
       WatchFinding::kWell},
      {"the container is down",
       {kAnswers, kSilent, true, HostSign::kDown},
       WatchFinding::kNoContainer,
       WatchFinding::kWell},
      {"it is gone",
       {kAnswers, kSilent, true, HostSign::kMissing},
       WatchFinding::kNoContainer,
       WatchFinding::kNoContainer},
      {"its sshd is dead",
       {kAnswers, kSilent, true, HostSign::kRunning},
       WatchFinding::kSilentContainer,
       WatchFinding::kWell},
      {"the login is refused, users still get in",
       {kAnswers, kAnswers, true, HostSign::kBlind},
       WatchFinding::kAlive,
       WatchFinding::kAlive},
      {"the engine is dead, and so is the container",
       {kAnswers, kSilent, true, HostSign::kBlind},
       WatchFinding::kSilentContainer,
       WatchFinding::kAlive},
      {"the engine is dead, nobody knows more",
       {kAnswers, kUnknown, false, HostSign::kBlind},
       WatchFinding::kUnsure,
       WatchFinding::kAlive},
      {"somebody else answers",
       {kAnswers, kSilent, true, HostSign::kStranger},
       WatchFinding::kUnsure,
       WatchFinding::kUnsure},
      {"the host's sshd is dead, the container lives",
       {kSilent, kAnswers, true, HostSign::kUnreachable},
       WatchFinding::kAlive,
       WatchFinding::kAlive},
      {"nothing answers",
       {kSilent, kSilent, true, HostSign::kUnreachable},
       WatchFinding::kNoHost,
       WatchFinding::kNoHost},
      {"nothing answers, one port was not asked",
       {kSilent, kUnknown, true, HostSign::kUnreachable},
       WatchFinding::kUnsure,
       WatchFinding::kUnsure},
      {"nothing answers, and one port is all there is",
       {kSilent, kUnknown, false, HostSign::kUnreachable},
       WatchFinding::kNoHost,
       WatchFinding::kNoHost},
      {"a banner came, the login did not",
       {kAnswers, kSilent, true, HostSign::kUnreachable},
       WatchFinding::kUnsure,
       WatchFinding::kUnsure},
      {"the look came before any probe",
       {kUnknown, kUnknown, true, HostSign::kUnreachable},
       WatchFinding::kUnsure,
       WatchFinding::kUnsure},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(findingOf(Goal::kRunning, row.signs) == row.running);
    CHECK(findingOf(Goal::kSuspended, row.signs) == row.suspended);
  }
}

TEST_CASE("findings lead to states that the table of transitions knows, and back") {
  const Node running = settledNode(State::kRunning);
  CHECK(stateAfter(running, WatchFinding::kNoContainer) == State::kContainerError);
  CHECK(stateAfter(running, WatchFinding::kSilentContainer) == State::kContainerError);
  CHECK(stateAfter(running, WatchFinding::kNoHost) == State::kHostError);
  for (const WatchFinding finding : {WatchFinding::kWell, WatchFinding::kAlive, WatchFinding::kUnsure}) {
    CHECK_FALSE(stateAfter(running, finding));
  }
  for (const State fault : {State::kContainerError, State::kHostError}) {
    for (const WatchFinding finding : {WatchFinding::kWell, WatchFinding::kAlive}) {
      CHECK(stateAfter(settledNode(fault), finding) == State::kRunning);
      CHECK(stateAfter(settledNode(fault, Goal::kSuspended), finding) == State::kSuspended);
    }
    CHECK_FALSE(stateAfter(settledNode(fault), WatchFinding::kUnsure));
  }
  CHECK(stateAfter(settledNode(State::kContainerError), WatchFinding::kNoHost) == State::kHostError);
  CHECK(stateAfter(settledNode(State::kHostError), WatchFinding::kNoContainer) == State::kContainerError);
  // The wire has no arrow from SUSPENDED to CONTAINER_ERROR: `resume` finds out.
  CHECK_FALSE(stateAfter(settledNode(State::kSuspended, Goal::kSuspended), WatchFinding::kNoContainer));
  CHECK(stateAfter(settledNode(State::kSuspended, Goal::kSuspended), WatchFinding::kNoHost) == State::kHostError);
}

TEST_CASE("a lost host has to stay lost until all others have been asked as well") {
  for (const std::int64_t interval : {1000, 10000, 30000, 3600000}) {
    const WatchPatience patience = WatchPatience::of(interval);
    CHECK(patience.needed(WatchFinding::kNoHost) > interval + interval / 10);
    CHECK(patience.needed(WatchFinding::kSilentContainer) > interval);
    CHECK(patience.needed(WatchFinding::kNoContainer) == patience.second_look_ms);
    CHECK(patience.needed(WatchFinding::kWell) == 0);
    CHECK(patience.needed(WatchFinding::kAlive) == 0);
  }
}

TEST_CASE("many hosts lost at once are the controller's network, a few are hosts") {
  CHECK_FALSE(isMassLoss(0, 0));
  CHECK_FALSE(isMassLoss(1, 1));
  CHECK_FALSE(isMassLoss(3, 3));
  CHECK(isMassLoss(4, 4));
  CHECK(isMassLoss(4, 7));
  CHECK_FALSE(isMassLoss(4, 8));
  CHECK_FALSE(isMassLoss(1000, 2000));
  CHECK(isMassLoss(1001, 2000));
}

TEST_CASE("only settled nodes whose machine is to be on are asked, and only with watch_mode") {
  const Machine host = hostAt("10.0.0.1");
  CHECK(isProbed(settledNode(State::kRunning), host));
  CHECK(isProbed(settledNode(State::kContainerError), host));
  CHECK(isProbed(settledNode(State::kHostError), host));
  CHECK(isProbed(settledNode(State::kSuspended, Goal::kSuspended), host));
  CHECK_FALSE(isProbed(settledNode(State::kPowerOff, Goal::kPowerOff), host));
  CHECK_FALSE(isProbed(settledNode(State::kHostError, Goal::kPowerOff), host));
  CHECK_FALSE(isProbed(settledNode(State::kStopped, Goal::kStopped), host));
  CHECK_FALSE(isProbed(settledNode(State::kError), host));
  CHECK_FALSE(isProbed(settledNode(State::kRunning), hostAt("")));
  Node node = settledNode(State::kRunning);
  node.watch_mode = false;
  CHECK_FALSE(isProbed(node, host));
  node = settledNode(State::kShuttingDown, Goal::kPowerOff);
  node.goal_seq = 1;
  CHECK_FALSE(isProbed(node, host));
  node = settledNode(State::kResuming);
  node.goal_seq = 1;
  CHECK_FALSE(isProbed(node, host));
  Machine other = host;
  other.want_destroy = true;
  CHECK_FALSE(isProbed(settledNode(State::kRunning), other));
  other = host;
  other.open_op = "op";
  CHECK_FALSE(isProbed(settledNode(State::kRunning), other));
  other = host;
  other.kind = UnitKind::kStorage;
  CHECK_FALSE(isProbed(settledNode(State::kRunning), other));
}

TEST_CASE("a container that was started later than we know was started again") {
  Node node = settledNode(State::kRunning);
  node.container_started = 1'000'000;
  CHECK_FALSE(isRevived(node, 0));  // its engine does not say
  CHECK_FALSE(isRevived(node, 999'000));
  CHECK_FALSE(isRevived(node, 1'001'000));
  CHECK(isRevived(node, 1'010'000));
  node.goal = Goal::kSuspended;
  CHECK_FALSE(isRevived(node, 1'010'000));
}
