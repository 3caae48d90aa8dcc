// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "engine/commands.h"
#include "engine/lifecycle.h"
#include "engine/visible.h"

/// The verbs of units and nodes: goals and transient states are written, the engine does the rest (architecture 3.1).
namespace vcc {

namespace {

/// A verb on the nodes of one unit.
struct VerbRequest {
  Verb verb;
  const Unit& unit;
  std::string by;
  std::int64_t boot_ms;
  bool asserted;
};

Result<VerbRequest> prepare(const CommandSeams& seams, const Caller& caller, const Unit& unit, Verb verb) {
  if (unit.kind == UnitKind::kStorage) {
    return stateConflict(unit.vcid, unit.name,
                         fmt::format("{} is refused: a storage unit has no nodes", verbName(verb)));
  }
  if (unit.deleting) return notWhileDeleting(unit.vcid, unit.name);
  const DriverSlot* slot = seams.drivers.byInstance(unit.instance);
  if (!slot || !slot->driver) {
    return unavailable(
        fmt::format("{} is refused: driver instance {} of provider {} is not loaded; `vcc status` "
                    "tells why",
                    verbName(verb), unit.instance, unit.provider));
  }
  const DriverInfo& info = slot->driver->info();
  if ((verb == Verb::kPowerOff || verb == Verb::kPowerOn) && !info.can_power) {
    return stateConflict(unit.vcid, unit.name,
                         fmt::format("{} is refused: provider {} cannot switch machines off and on; suspend and resume "
                                     "their containers, or stop and start them",
                                     verbName(verb), unit.provider));
  }
  const auto entry = seams.catalog()->entry(unit.provider, unit.network);
  return VerbRequest{verb, unit, caller.principal.user, (entry.ok() ? *entry : CatalogEntry{}).boot_deadline_s * 1000,
                     info.existence == Existence::kAsserted};
}

/// A machine that cannot serve any more is not what a retry goes on with.
Status giveUpLost(Tx& tx, const Node& node, bool asserted) {
  const Machine* found = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
  if (!found || asserted) return okStatus();
  if (found->observed != MachineState::kFailed && found->observed != MachineState::kGone) return okStatus();
  Machine machine = *found;
  machine.want_destroy = true;
  return tx.machines().put(std::move(machine));
}

/// kFailedPrecondition when the goal table refuses; nothing is written then, nor for a no-op.
Status change(Tx& tx, const VerbRequest& request, const Node& node, std::vector<std::string>& touched) {
  const bool in_error = node.state == State::kError;
  const auto applied = applyVerb(request.verb, node.goal, in_error);
  if (!applied.ok()) {
    return stateConflict(node.vcid, request.unit.name,
                         fmt::format("node {}: {}", node.node_no, applied.status().message()));
  }
  if (!applied->changes) return okStatus();
  if (in_error && needsMachine(applied->goal)) VCC_RETURN_IF_ERROR(giveUpLost(tx, node, request.asserted));
  touched.push_back(node.node_id);
  return setGoal(tx, node, applied->goal, applied->transient, request.by,
                 tx.now() + goalLimitMs(applied->goal, node.container_started > 0, request.boot_ms));
}

Status watch(Tx& tx, Node node, const Unit& unit, bool on, const std::string& by, std::vector<std::string>& touched) {
  if (node.goal == Goal::kGone) {
    return stateConflict(
        node.vcid, unit.name,
        fmt::format("node {}: {} is refused: the node is being deleted", node.node_no, on ? "watch" : "unwatch"));
  }
  if (node.watch_mode == on) return okStatus();
  const auto word = [](bool mode) { return std::string(mode ? "watched" : "unwatched"); };
  VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = node.vcid,
                                       .object = fmt::format("node {} of unit {}", node.node_no, unit.name),
                                       .object_id = node.node_id,
                                       .from = word(!on),
                                       .to = word(on),
                                       .reason = "asked by " + by}));
  node.watch_mode = on;
  touched.push_back(node.node_id);
  return tx.nodes().put(std::move(node));
}

/// Does `one` to every node of the unit where it is legal; the first refusal when it is legal nowhere.
template <typename One>
Status toEach(Tx& tx, const Unit& unit, One&& one) {
  Status refusal;
  bool applied = false;
  std::vector<Node> nodes = nodesOf(tx, unit.unit_id);
  std::ranges::sort(nodes, {}, &Node::node_no);
  for (const Node& node : nodes) {
    Status done = one(node);
    if (!done.ok() && done.code() != Code::kFailedPrecondition) return done;
    applied = applied || done.ok();
    if (refusal.ok()) refusal = done;
  }
  return applied ? okStatus() : refusal;
}

}  // namespace

Status Commands::changeUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name, Verb verb) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    VCC_ASSIGN_OR_RETURN(const VerbRequest request, prepare(seams_, caller, unit, verb));
    return toEach(tx, unit, [&](const Node& node) { return change(tx, request, node, touched); });
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::changeNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                            const std::string& node_id, Verb verb) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    VCC_ASSIGN_OR_RETURN(const Node node, nodeOf(tx, unit, node_id));
    VCC_ASSIGN_OR_RETURN(const VerbRequest request, prepare(seams_, caller, unit, verb));
    return change(tx, request, node, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::backupNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                            const std::string& node_id) const {
  Status refusal;
  seams_.store.read([&](const ReadTx& tx) {
    const auto unit = visibleUnit(tx, caller, vcid, unit_name);
    refusal = unit.ok() ? nodeOf(tx, *unit, node_id).status() : unit.status();
  });
  if (!refusal.ok()) return refusal;
  return stateConflict(vcid, unit_name,
                       "backup is refused: this controller keeps no images of nodes; commit the container on the node "
                       "and push it to a registry of yours");
}

Status Commands::watchUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name, bool on) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    return toEach(tx, unit,
                  [&](const Node& node) { return watch(tx, node, unit, on, caller.principal.user, touched); });
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::watchNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                           const std::string& node_id, bool on) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    VCC_ASSIGN_OR_RETURN(const Node node, nodeOf(tx, unit, node_id));
    return watch(tx, node, unit, on, caller.principal.user, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

}  // namespace vcc
