// SPDX-License-Identifier: Apache-2.0
#include "model/progress.h"

#include <doctest/doctest.h>

#include <vector>

using namespace vcc;

namespace {

Node node(Goal goal, State state, Step step, std::int64_t seq = 1, bool settled = false) {
  Node made;
  made.goal = goal;
  made.state = state;
  made.step = step;
  made.goal_seq = seq;
  made.reached_seq = settled ? seq : seq - 1;
  return made;
}

UnitProgress progressOf(const std::vector<Node>& nodes) {
  std::vector<const Node*> pointers;
  for (const Node& each : nodes) pointers.push_back(&each);
  return unitProgress(pointers);
}

}  // namespace

TEST_CASE("a node is pending, where it should be, or failed") {
  CHECK(nodeOutcome(node(Goal::kRunning, State::kBooting, Step::kSsh)) == NodeOutcome::kPending);
  CHECK(nodeOutcome(node(Goal::kRunning, State::kRunning, Step::kNone, 1, true)) == NodeOutcome::kReached);
  CHECK(nodeOutcome(node(Goal::kPowerOff, State::kPowerOff, Step::kNone, 2, true)) == NodeOutcome::kReached);
  CHECK(nodeOutcome(node(Goal::kRunning, State::kError, Step::kNone, 1, true)) == NodeOutcome::kFailed);
  CHECK(nodeOutcome(node(Goal::kRunning, State::kHostError, Step::kNone, 1, true)) == NodeOutcome::kFailed);
}

TEST_CASE("percentages rise along the steps of each way") {
  const auto rises = [](Goal goal, State state, const std::vector<Step>& steps) {
    int last = -1;
    for (const Step step : steps) {
      const int now = nodePercent(node(goal, state, step));
      CHECK(now > last);
      CHECK(now < 100);
      last = now;
    }
  };
  rises(Goal::kRunning, State::kBooting,
        {Step::kNone, Step::kCreate, Step::kAddress, Step::kSsh, Step::kPrepare, Step::kImage, Step::kContainer,
         Step::kReady});
  rises(Goal::kGone, State::kDeleting, {Step::kNone, Step::kRelease, Step::kDestroy, Step::kVerify});
  CHECK(nodePercent(node(Goal::kRunning, State::kRunning, Step::kNone, 1, true)) == 100);
  CHECK(nodePercent(node(Goal::kRunning, State::kError, Step::kNone, 1, true)) == 0);
}

TEST_CASE("a unit says what is under way and how far") {
  const UnitProgress none = progressOf({});
  CHECK(none.verb.empty());
  CHECK(none.percent == 100);
  const std::vector<Node> nodes{node(Goal::kRunning, State::kRunning, Step::kNone, 1, true),
                                node(Goal::kRunning, State::kError, Step::kNone, 1, true),
                                node(Goal::kRunning, State::kBooting, Step::kSsh),
                                node(Goal::kGone, State::kDeleting, Step::kNone, 2)};
  const UnitProgress mixed = progressOf(nodes);
  CHECK(mixed.verb == "create, delete");
  CHECK(mixed.reached == 1);
  CHECK(mixed.failed == 1);
  CHECK(mixed.percent == 37);
  const std::vector<Node> again{node(Goal::kRunning, State::kBooting, Step::kNone, 2),
                                node(Goal::kPowerOff, State::kShuttingDown, Step::kNone, 3)};
  CHECK(progressOf(again).verb == "power_off, start");
  Node switched = node(Goal::kRunning, State::kBooting, Step::kPowerOn, 3);
  switched.goal_at = 2000;
  switched.container_started = 1000;
  CHECK(progressOf({switched}).verb == "power_on");
  switched.container_started = 3000;  // made by this way up: its machine is another one
  CHECK(progressOf({switched}).verb == "start");
}
