// SPDX-License-Identifier: Apache-2.0
#include "model/progress.h"

#include <array>
#include <set>

namespace vcc {

namespace {

constexpr int kDone = 100;
// In the order of Step. Booting is the long part of a way up, the proof that nothing is left that of a way down.
constexpr std::array<int, 16> kStepPercent{0, 5, 15, 45, 50, 60, 70, 85, 95, 10, 30, 60, 50, 50, 10, 20};
static_assert(kStepPercent.size() == static_cast<std::size_t>(Step::kDiskOff) + 1);

std::string_view verbOf(const Node& node) {
  switch (node.state) {
    case State::kSuspending:
      return verbName(Verb::kSuspend);
    case State::kResuming:
      return verbName(Verb::kResume);
    case State::kShuttingDown:
      return verbName(Verb::kPowerOff);
    case State::kStopping:
      return verbName(Verb::kStop);
    default:
      if (node.goal == Goal::kGone) return verbName(Verb::kDelete);
      if (node.goal_seq == 1) return "create";
      // What has served before the goal was set still has its machine.
      return verbName(node.container_started > 0 && node.container_started <= node.goal_at ? Verb::kPowerOn
                                                                                           : Verb::kStart);
  }
}

}  // namespace

NodeOutcome nodeOutcome(const Node& node) {
  if (!node.settled()) return NodeOutcome::kPending;
  return node.state == settledState(node.goal) ? NodeOutcome::kReached : NodeOutcome::kFailed;
}

std::string_view outcomeName(NodeOutcome outcome) {
  constexpr std::array<std::string_view, 3> kNames{"pending", "reached", "failed"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

int nodePercent(const Node& node) {
  switch (nodeOutcome(node)) {
    case NodeOutcome::kReached:
      return kDone;
    case NodeOutcome::kFailed:
      return 0;
    case NodeOutcome::kPending:
      break;
  }
  return kStepPercent.at(static_cast<std::size_t>(node.step));
}

UnitProgress unitProgress(std::span<const Node* const> nodes) {
  UnitProgress progress;
  std::set<std::string_view> verbs;
  std::int64_t sum = 0;
  for (const Node* node : nodes) {
    const NodeOutcome outcome = nodeOutcome(*node);
    progress.reached += outcome == NodeOutcome::kReached ? 1 : 0;
    progress.failed += outcome == NodeOutcome::kFailed ? 1 : 0;
    if (outcome == NodeOutcome::kPending) verbs.insert(verbOf(*node));
    sum += nodePercent(*node);
  }
  for (const std::string_view verb : verbs) progress.verb.append(progress.verb.empty() ? "" : ", ").append(verb);
  if (!nodes.empty()) progress.percent = static_cast<int>(sum / static_cast<std::int64_t>(nodes.size()));
  return progress;
}

}  // namespace vcc
