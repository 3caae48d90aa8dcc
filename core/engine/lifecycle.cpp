// SPDX-License-Identifier: Apache-2.0
#include "engine/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/disk_ties.h"
#include "engine/sweep_records.h"
#include "model/steps.h"
#include "secrets/grants.h"
#include "store/schema.h"

namespace vcc {

namespace {

/// Ends what the node has to do with disks. Those that told of it in their fault tell nothing now.
Status dropAttachments(Tx& tx, const std::string& node_id) {
  for (const Attachment& tie : attachmentsOf(tx, node_id)) {
    tx.attachments().erase(tie.disk);
    const Node* disk = tx.nodes().find(tie.disk);
    if (disk == nullptr || !disk->settled() || disk->state != State::kRunning || disk->fault.text.empty()) continue;
    Node told = *disk;
    told.fault = {};
    VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(told)));
  }
  return okStatus();
}

}  // namespace

std::string nodeLabel(Tx& tx, const Node& node) {
  const Unit* unit = tx.units().find(node.unit_id);
  return fmt::format("{} {} of unit {}", memberNoun(unit ? unit->kind : UnitKind::kCompute), node.node_no,
                     unit ? unit->name : node.unit_id);
}

namespace {

/// Of the node's step, when it begins `now`.
std::int64_t stepDeadline(const Node& node, std::int64_t now) {
  const std::int64_t limit = node.deadline > 0 ? (node.deadline - node.goal_at) * stepShare(node.step) / 100 : 0;
  return limit > 0 ? now + limit : 0;
}

/// The op that the node's machine came from, when a state is reached with it; what a user asks for has none.
std::string originOf(Tx& tx, const Node& node, State to) {
  const Machine* machine = isTransient(to) ? nullptr : tx.machines().find(node.machine_id);
  return machine ? machine->create_op : std::string();
}

bool hasNodes(Tx& tx, const std::string& unit_id) {
  bool found = false;
  tx.nodes().scan("unit_id", unit_id, [&](const Node&) {
    found = true;
    return false;
  });
  return found;
}

Status putState(Tx& tx, Node node, State to, const Cause& cause) {
  const State from = node.state;
  if (from != to) {
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = node.vcid,
                                         .object = nodeLabel(tx, node),
                                         .object_id = node.node_id,
                                         .from = std::string(stateName(from)),
                                         .to = std::string(stateName(to)),
                                         .reason = cause.reason,
                                         .op_id = cause.op_id.empty() ? originOf(tx, node, to) : cause.op_id}));
  }
  node.state = to;
  return tx.nodes().put(std::move(node));
}

void freeAddresses(Tx& tx, const std::string& node_id) {
  std::vector<std::string> held;
  tx.addresses().scan("node_id", node_id, [&](const Address& a) {
    held.push_back(Schema<Address>::key(a));
    return true;
  });
  for (const std::string& key : held) tx.addresses().erase(key);
}

}  // namespace

Status recordEvent(Tx& tx, Event event) {
  event.seq = tx.nextCounter("event");
  event.at = tx.now();
  return tx.events().put(std::move(event));
}

Status setGoal(Tx& tx, Node node, Goal goal, State transient, const std::string& by, std::int64_t deadline) {
  node.goal = goal;
  node.goal_seq += 1;
  node.goal_at = tx.now();
  node.goal_by = by;
  node.deadline = deadline;
  // The way begins anew, but what the cloud has accepted already counts.
  constexpr std::array kAccepted{Step::kDestroy, Step::kVerify, Step::kPowerOff, Step::kPowerOn};
  if (std::ranges::find(kAccepted, node.step) == kAccepted.end()) {
    beginStep(node, Step::kNone, tx.now());
  } else {
    node.step_deadline = stepDeadline(node, tx.now());
  }
  node.fault = {};
  node.attempts = 0;
  node.next_at = 0;
  node.progress.clear();
  forgetFailedCreates(node);
  return setState(tx, std::move(node), transient, {fmt::format("goal {} by {}", goalName(goal), by), ""});
}

void beginStep(Node& node, Step step, std::int64_t now) {
  node.step = step;
  node.step_at = now;
  node.step_deadline = stepDeadline(node, now);
}

void endWay(Node& node, std::int64_t now) {
  node.reached_seq = node.goal_seq;
  beginStep(node, Step::kNone, now);
  node.attempts = 0;
  node.next_at = 0;
  node.progress.clear();
}

void forgetFailedCreates(Node& node) {
  node.create_attempts = 0;
  node.create_at = 0;
  node.spoilt = 0;
}

Status acceptGoal(Tx& tx, Node node, Goal goal, const std::string& by, const Cause& cause) {
  node.goal = goal;
  node.goal_seq += 1;
  node.goal_at = tx.now();
  node.goal_by = by;
  node.deadline = 0;
  node.fault = {};
  endWay(node, tx.now());
  forgetFailedCreates(node);
  return putState(tx, std::move(node), settledState(goal), cause);
}

Status acceptFault(Tx& tx, Node node, State state, const Cause& cause) {
  endWay(node, tx.now());
  node.fault = {tx.now(), cause.reason};
  return putState(tx, std::move(node), state, cause);
}

Status setState(Tx& tx, Node node, State to, const Cause& cause) {
  if (!isLegalTransition(node.state, to)) {
    return internalError(fmt::format("node {}: {} to {} is not in the transition table", node.node_id,
                                     stateName(node.state), stateName(to)));
  }
  return putState(tx, std::move(node), to, cause);
}

Status dropNode(Tx& tx, const Node& node, const Cause& cause) {
  VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = node.vcid,
                                       .object = nodeLabel(tx, node),
                                       .object_id = node.node_id,
                                       .from = std::string(stateName(node.state)),
                                       .to = "gone",
                                       .reason = cause.reason,
                                       .op_id = cause.op_id}));
  freeAddresses(tx, node.node_id);
  VCC_RETURN_IF_ERROR(dropAttachments(tx, node.node_id));
  const std::string unit_id = node.unit_id;
  tx.nodes().erase(std::string(node.node_id));
  return dropUnitIfDone(tx, unit_id);
}

Status dropUnitIfDone(Tx& tx, const std::string& unit_id) {
  const Unit* unit = tx.units().find(unit_id);
  if (!unit || !unit->deleting || hasNodes(tx, unit_id)) return okStatus();
  const std::string vcid = unit->vcid;
  VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vcid,
                                       .object = "unit " + unit->name,
                                       .object_id = unit_id,
                                       .from = "DELETING",
                                       .to = "gone",
                                       .reason = fmt::format("it has no {} left", memberNoun(unit->kind))}));
  const std::string grant_id = unit->grant_id;
  tx.units().erase(unit_id);
  dropGrantIfUnused(tx, grant_id);
  return dropVcIfDone(tx, vcid);
}

Status dropVcIfDone(Tx& tx, const std::string& vcid) {
  const Vc* vc = tx.vcs().find(vcid);
  if (!vc || !vc->deleting || !unitsOf(tx, vcid).empty()) return okStatus();
  VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vcid,
                                       .object = "vc " + vc->name,
                                       .object_id = vcid,
                                       .from = "DELETING",
                                       .to = "gone",
                                       .reason = "it has no unit left"}));
  tx.vcs().erase(vcid);
  return okStatus();
}

void mergeResources(std::vector<Resource>& known, const std::vector<Resource>& touched) {
  for (const Resource& part : touched) {
    std::erase_if(known, [&](const Resource& old) { return old.kind == part.kind && old.name == part.name; });
    if (!part.id.empty()) known.push_back(part);
  }
}

void eraseMachine(Tx& tx, const std::string& machine_id) {
  const Machine* machine = tx.machines().find(machine_id);
  if (!machine) return;
  const std::string request_id = machine->request_id;
  const std::string grant_id = machine->grant_id;
  const Node* node = tx.nodes().find(machine->node_id);
  if (node && node->requested_address.empty()) freeAddresses(tx, node->node_id);
  // The row of a place has no unique value that this could violate.
  static_cast<void>(touchPlace(tx, *machine));
  tx.machines().erase(std::string(machine_id));
  bool used = false;
  tx.machines().scan("request_id", request_id, [&](const Machine&) {
    used = true;
    return false;
  });
  if (!used) tx.requests().erase(request_id);
  dropGrantIfUnused(tx, grant_id);
}

Status closeItem(Tx& tx, Op op, const std::string& machine_id, ItemState state) {
  bool open = false;
  for (OpItem& item : op.items) {
    if (item.machine_id == machine_id) item.state = state;
    open = open || item.state == ItemState::kOpen || item.state == ItemState::kPending;
  }
  if (const Machine* found = tx.machines().find(machine_id)) {
    Machine machine = *found;
    machine.open_op.clear();
    machine.ended_op = op.op_id;
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  }
  if (open) return tx.ops().put(std::move(op));
  tx.ops().erase(std::string(op.op_id));
  return okStatus();
}

}  // namespace vcc
