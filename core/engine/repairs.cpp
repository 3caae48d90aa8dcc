// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/commands.h"
#include "engine/lifecycle.h"
#include "engine/transitions.h"
#include "engine/visible.h"

/// Records that are set by hand: what is under way is no longer waited for (architecture 10), or the state of a node is
/// what an administrator says. No machine is touched.
namespace vcc {

namespace {

/// The goal that a node has reached as far as was seen, or nothing when it has reached none.
std::optional<Goal> nearestGoal(const Node& node, const Machine* machine) {
  if (!machine || machine->want_destroy || machine->observed == MachineState::kGone) return Goal::kStopped;
  if (node.container_started == 0) return std::nullopt;  // it has not served yet
  switch (machine->observed) {
    case MachineState::kStopping:
    case MachineState::kStopped:
      return Goal::kPowerOff;
    case MachineState::kRunning:
      // Its container rests until it is seen to run.
      return node.state == State::kResuming && node.step != Step::kReady ? Goal::kSuspended : Goal::kRunning;
    default:
      return std::nullopt;
  }
}

std::optional<Goal> goalOf(State state) {
  for (const Goal goal : {Goal::kRunning, Goal::kSuspended, Goal::kPowerOff, Goal::kStopped}) {
    if (settledState(goal) == state) return goal;
  }
  return std::nullopt;
}

/// The machine was asked to go off, and the last look does not show it yet.
bool wasAskedToGoOff(Tx& tx, const Node& node, const Machine& machine) {
  if (const Op* op = machine.open_op.empty() ? nullptr : tx.ops().find(machine.open_op)) {
    return op->verb == OpVerb::kPowerOff && op->sent_at > 0;
  }
  return node.step == Step::kPowerOff || node.step == Step::kDiskOff;
}

Status accept(Tx& tx, const Node& node, bool asserted, const std::string& by) {
  if (node.settled() || node.goal == Goal::kGone) return okStatus();
  const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
  const std::string reason = fmt::format("processing cleared by {} on the way to {}", by, goalName(node.goal));
  const auto goal = nearestGoal(node, machine);
  if (!goal) {
    return endInError(tx, node, fmt::format("{}, at step `{}`; `start` tries again", reason, stepName(node.step)),
                      asserted);
  }
  const bool going_off = needsMachine(*goal) && *goal != Goal::kPowerOff && wasAskedToGoOff(tx, node, *machine);
  VCC_RETURN_IF_ERROR(acceptGoal(tx, node, *goal, by, {reason, ""}));
  if (!going_off) return okStatus();
  Node settled = *tx.nodes().find(node.node_id);
  beginStep(settled, Step::kPowerOff, tx.now());
  return tx.nodes().put(std::move(settled));
}

/// Returns the unit's nodes.
Status clearUnit(Tx& tx, const CommandSeams& seams, const Unit& unit, const std::string& by,
                 std::vector<std::string>& touched) {
  if (unit.deleting) return notWhileDeleting(unit.vcid, unit.name);
  const DriverSlot* slot = seams.drivers.byInstance(unit.instance);
  const bool asserted = slot && slot->driver && slot->driver->info().existence == Existence::kAsserted;
  for (const Node& node : nodesOf(tx, unit.unit_id)) {
    touched.push_back(node.node_id);
    VCC_RETURN_IF_ERROR(accept(tx, node, asserted, by));
  }
  return okStatus();
}

}  // namespace

Status Commands::setNodeState(const std::string& vcid, const std::string& unit_name, std::int64_t node_no, State state,
                              const std::string& by) {
  const bool fault = state == State::kError || state == State::kHostError || state == State::kContainerError;
  const auto goal = goalOf(state);
  if (!fault && !goal) {
    return invalidArgument(
        fmt::format("state: {} is none that can be set; it must be RUNNING, SUSPENDED, POWER_OFF, "
                    "STOPPED, CONTAINER_ERROR, HOST_ERROR or ERROR",
                    stateName(state)));
  }
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    if (!tx.vcs().find(vcid)) return notFound(fmt::format("UnitGroup {} does not exist", cleanUtf8(vcid, 64)));
    VCC_ASSIGN_OR_RETURN(const Unit unit, unitOf(tx, vcid, unit_name));
    const std::vector<Node> nodes = nodesOf(tx, unit.unit_id);
    const auto node = std::ranges::find_if(nodes, [&](const Node& n) { return n.node_no == node_no; });
    if (node == nodes.end()) return notFound(fmt::format("unit {} has no node {}", unit_name, node_no));
    if (node->goal == Goal::kGone) return notWhileDeleting(vcid, unit_name);
    touched.push_back(node->node_id);
    const std::string reason = "set by " + by;
    if (goal) return acceptGoal(tx, *node, *goal, by, {reason, ""});
    return acceptFault(tx, *node, state, {reason, ""});
  }));
  seams_.log.warn("NODE_STATE_SET", "the recorded state of a node was set by hand",
                  {{"vcid", vcid}, {"unit", unit_name}, {"node_no", node_no}, {"state", stateName(state)}, {"by", by}});
  seams_.wake(touched);
  return okStatus();
}

Status Commands::clearProcessing(const Caller& caller, const std::string& vcid, const std::string& unit_name) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    return clearUnit(tx, seams_, unit, caller.principal.user, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::clearProcessing(const std::string& vcid, const std::string& unit_name, const std::string& by) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    if (!tx.vcs().find(vcid)) return notFound(fmt::format("UnitGroup {} does not exist", cleanUtf8(vcid, 64)));
    VCC_ASSIGN_OR_RETURN(const Unit unit, unitOf(tx, vcid, unit_name));
    return clearUnit(tx, seams_, unit, by, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

}  // namespace vcc
