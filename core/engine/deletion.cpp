// SPDX-License-Identifier: Apache-2.0
#include "engine/deletion.h"

#include "engine/lifecycle.h"
#include "model/aggregate.h"

namespace vcc {

namespace {

std::vector<State> nodeStates(Tx& tx, const std::string& unit_id) {
  std::vector<State> states;
  tx.nodes().scan("unit_id", unit_id, [&](const Node& node) {
    states.push_back(node.state);
    return true;
  });
  return states;
}

VcState presentState(Tx& tx, const Vc& vc) {
  std::vector<State> units;
  bool pending = false;
  tx.units().scan("vcid", vc.vcid, [&](const Unit& unit) {
    const std::vector<State> nodes = nodeStates(tx, unit.unit_id);
    for (const State state : nodes) pending = pending || isTransient(state);
    units.push_back(unitState(unit, nodes));
    return true;
  });
  return vcState(vc, units, pending);
}

std::string deletedBy(const std::string& by) { return "deleted by " + by; }

}  // namespace

Status beginNodeDeletion(Tx& tx, const Node& node, const std::string& by) {
  VCC_ASSIGN_OR_RETURN(const GoalChange change, applyVerb(Verb::kDelete, node.goal, node.state == State::kError));
  if (!change.changes) return okStatus();
  return setGoal(tx, node, change.goal, change.transient, by, 0);
}

Status beginUnitDeletion(Tx& tx, Unit unit, const std::string& by, std::vector<std::string>& touched) {
  if (!unit.deleting) {
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = unit.vcid,
                                         .object = "unit " + unit.name,
                                         .object_id = unit.unit_id,
                                         .from = std::string(stateName(unitState(unit, nodeStates(tx, unit.unit_id)))),
                                         .to = std::string(stateName(State::kDeleting)),
                                         .reason = deletedBy(by)}));
  }
  for (const Node& node : nodesOf(tx, unit.unit_id)) {
    VCC_RETURN_IF_ERROR(beginNodeDeletion(tx, node, by));
    touched.push_back(node.node_id);
  }
  unit.deleting = true;
  unit.fault = {};
  const std::string unit_id = unit.unit_id;
  VCC_RETURN_IF_ERROR(tx.units().put(std::move(unit)));
  return dropUnitIfDone(tx, unit_id);
}

Status beginVcDeletion(Tx& tx, Vc vc, const std::string& by, std::vector<std::string>& touched) {
  if (!vc.deleting) {
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vc.vcid,
                                         .object = "vc " + vc.name,
                                         .object_id = vc.vcid,
                                         .from = std::string(vcStateName(presentState(tx, vc))),
                                         .to = std::string(vcStateName(VcState::kDeleting)),
                                         .reason = deletedBy(by)}));
  }
  vc.deleting = true;
  const std::string vcid = vc.vcid;
  VCC_RETURN_IF_ERROR(tx.vcs().put(std::move(vc)));
  for (const Unit& unit : unitsOf(tx, vcid)) VCC_RETURN_IF_ERROR(beginUnitDeletion(tx, unit, by, touched));
  return dropVcIfDone(tx, vcid);
}

}  // namespace vcc
