// SPDX-License-Identifier: Apache-2.0
#include "engine/op_answers.h"

#include <algorithm>

#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/transitions.h"
#include "model/doubt.h"
#include "model/power.h"

namespace vcc {

namespace {

constexpr std::int64_t kShortestPendingMs = 200;
constexpr std::int64_t kLongestIdleMs = 5000;
constexpr std::int64_t kMostPauses = 5;  // 200 ms doubled so often is more than the longest

/// What an item's answer is about, with what was learnt from it taken over already.
struct Told {
  OpItem& item;
  const ItemResult& result;
  Machine machine;
  Node node;
};

/// Takes over what a call said about the machine, whether it succeeded or not.
void learn(Machine& machine, const ItemResult& result) {
  if (!result.cloud_id.empty()) machine.cloud_id = result.cloud_id;
  if (!result.address.empty()) machine.address = result.address;
  if (result.has_driver_state) machine.driver_state = result.driver_state;
  mergeResources(machine.resources, result.resources);
}

/// Something that was not there before is recorded now. Cannot be said for ever, whatever a driver reports.
bool isFurther(const Machine& before, const Machine& after) {
  return knownIds(after) > knownIds(before) || (before.driver_state.empty() && !after.driver_state.empty());
}

/// The pause before the next step: what the driver asked for, or, where it asked for none, nothing after a step that
/// led further and ever longer after others.
void awaitNextStep(OpItem& item, const ItemResult& result, bool moved, std::int64_t now) {
  const bool idle = result.retry_after_ms == 0 && !moved;
  item.state = ItemState::kPending;
  item.pauses = idle ? std::min(item.pauses + 1, kMostPauses) : 0;
  const std::int64_t floor = moved ? 0 : std::min(kShortestPendingMs << item.pauses, kLongestIdleMs);
  item.next_at = now + std::max(result.retry_after_ms, floor);
}

/// A create that was refused and left nothing in the cloud: the next attempt starts afresh with another machine.
Status dropFailedMachine(Tx& tx, Node& node, const std::string& machine_id) {
  eraseMachine(tx, machine_id);
  node.machine_id.clear();
  beginStep(node, Step::kNone, tx.now());
  return tx.nodes().put(node);
}

Status recordCreate(Tx& tx, const Op& op, Told& told, bool asserted, Random& random) {
  auto& [item, result, machine, node] = told;
  if (result.state == ItemState::kDone) {
    item.state = ItemState::kDone;
    machine.open_op.clear();
    node.attempts = 0;
    node.next_at = 0;
    node.progress.clear();
    node.fault = {};
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }

  const StepFailure failure{isDisk(machine) ? "creating the disk" : "creating a machine", result.error,
                            CallKind::kCreate, asserted, op.op_id};
  const bool nothing = leavesNothing(machine);
  const bool in_doubt = inDoubt(machine);
  // The op stays open while its outcome is in doubt, and while what it has made so far can be gone on with.
  const bool goes_on =
      in_doubt ? !retryAfter(result.error, CallKind::kCreate, 1, random).final : !nothing && isNotNow(result.error);
  if (goes_on) {
    // The op's own pause: a look that succeeds meanwhile does not shorten it.
    node.create_attempts += 1;
    item.next_at = tx.now() + retryAfter(result.error, CallKind::kExisting, node.create_attempts, random).after_ms;
    node.progress.clear();
    node.fault = {tx.now(), failureText(failure)};
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  item.state = ItemState::kFailed;
  machine.open_op.clear();
  const std::string machine_id = machine.machine_id;
  const bool erase = nothing && !in_doubt;
  if (!erase) machine.want_destroy = true;
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  if (erase) VCC_RETURN_IF_ERROR(dropFailedMachine(tx, node, machine_id));
  return recordFailure(tx, std::move(node), failure, random);
}

/// What may be this machine's own trouble must not hold the others of its op, nor spoil their request.
Status leaveBatch(Tx& tx, const Op& op, OpItem& item, Machine& machine, Random& random) {
  if (op.items.size() < 2) return okStatus();
  item.state = ItemState::kFailed;
  Op alone = op;
  alone.op_id = newId(random);
  alone.items = {{.machine_id = machine.machine_id}};
  alone.attempt = alone.first_sent_at = alone.sent_at = 0;
  alone.created_at = tx.now();
  machine.open_op = alone.op_id;
  return tx.ops().put(std::move(alone));
}

Status recordDestroy(Tx& tx, const Op& op, Told& told, Random& random) {
  auto& [item, result, machine, node] = told;
  if (result.state == ItemState::kDone) {
    item.state = ItemState::kDone;
    machine.open_op.clear();
    machine.ended_op = op.op_id;
    machine.absent_since = 0;
    machine.observed_at = 0;  // looked at at once
    if (machine.observed != MachineState::kGone) machine.observed = MachineState::kTerminating;
    beginStep(node, Step::kVerify, tx.now());
    node.attempts = 0;
    node.next_at = 0;
    node.progress.clear();
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  if (isRefusedAsHeld(node, machine, result.error)) {
    item.state = ItemState::kFailed;
    machine.open_op.clear();
    machine.want_destroy = false;
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return keepDisk(tx, std::move(node), "the cloud says that it is in use: " + result.error.message());
  }
  // A destroy is idempotent whatever became of it: it is sent again.
  if (!isNotNow(result.error)) VCC_RETURN_IF_ERROR(leaveBatch(tx, op, item, machine, random));
  const std::string_view attempted = isDisk(machine) ? "giving the disk back" : "giving the machine back";
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return recordFailure(tx, std::move(node), {attempted, result.error, CallKind::kExisting, false}, random);
}

Status recordPower(Tx& tx, const Op& op, Told& told, Random& random) {
  auto& [item, result, machine, node] = told;
  const bool refused = result.state == ItemState::kFailed && result.error.outcome() == Outcome::kNotApplied;
  const Code code = result.state == ItemState::kFailed ? result.error.code() : Code::kOk;
  // What does not exist is looked at, like what was accepted: one answer is no proof.
  if (result.state == ItemState::kDone || (refused && code == Code::kNotFound)) {
    item.state = ItemState::kDone;
    machine.open_op.clear();
    if (!node.settled()) beginStep(node, powerStep(op.verb, node), tx.now());
    node.attempts = 0;
    node.next_at = 0;
    node.progress.clear();
    if (code == Code::kOk && op.verb == OpVerb::kPowerOn) node.boot_at = tx.now();
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  const StepFailure failure{op.verb == OpVerb::kPowerOff ? "switching the machine off" : "switching the machine on",
                            result.error, CallKind::kExisting, false};
  if (node.settled()) {  // nobody waits for it: a look ends it
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  const bool wanted = isPowerWanted(op.verb, node, machine);
  const bool hopeless = refused && (code == Code::kUnimplemented || code == Code::kInvalidArgument);
  if (refused && (hopeless || !wanted)) {
    item.state = ItemState::kFailed;
    machine.open_op.clear();
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    if (hopeless && wanted) return endInError(tx, std::move(node), failureText(failure), false);
    beginStep(node, Step::kNone, tx.now());
    return tx.nodes().put(std::move(node));
  }
  if (refused && !isNotNow(result.error)) VCC_RETURN_IF_ERROR(leaveBatch(tx, op, item, machine, random));
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return recordFailure(tx, std::move(node), failure, random);
}

Status recordAnswer(Tx& tx, Op& op, const Answer& answer, bool asserted, Random& random) {
  OpItem& item = op.items[answer.index];
  const ItemResult& result = answer.result;
  const Machine* found = tx.machines().find(item.machine_id);
  if (!found) return okStatus();
  Machine machine = *found;
  learn(machine, result);
  if (op.verb == OpVerb::kCreate) {
    answerDoubt(machine, result.state, result.error.outcome(), answer.was_in_doubt, tx.now());
  }
  const Node* owner = tx.nodes().find(machine.node_id);
  if (!owner) return internalError("machine " + machine.machine_id + " has no node");
  Node node = *owner;
  if (result.state == ItemState::kPending) {
    awaitNextStep(item, result, isFurther(*found, machine), tx.now());
    node.progress = result.reason;
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  // From here on it counts how long the request may still take effect.
  const bool unknown = result.state == ItemState::kFailed && result.error.outcome() != Outcome::kNotApplied;
  if (isPower(op.verb) && unknown) op.sent_at = tx.now();
  Told told{item, result, std::move(machine), std::move(node)};
  switch (op.verb) {
    case OpVerb::kCreate:
      return recordCreate(tx, op, told, asserted, random);
    case OpVerb::kDestroy:
      return recordDestroy(tx, op, told, random);
    case OpVerb::kPowerOff:
    case OpVerb::kPowerOn:
      break;
  }
  return recordPower(tx, op, told, random);
}

/// True when the cloud refused the whole batch for want of capacity, and nothing came of it: fewer may be had.
bool isTooMany(Tx& tx, const Op& op, const std::vector<Answer>& answers) {
  if (op.verb != OpVerb::kCreate || op.items.size() < 2 || answers.size() != op.items.size()) return false;
  return std::ranges::all_of(answers, [&](const Answer& answer) {
    const Status& error = answer.result.error;
    if (answer.result.state != ItemState::kFailed || error.outcome() != Outcome::kNotApplied) return false;
    const ErrorClass what = errorClass(error);
    if (what != ErrorClass::kCapacity && what != ErrorClass::kQuota) return false;
    const Machine* machine = tx.machines().find(op.items[answer.index].machine_id);
    if (!machine || answer.was_in_doubt) return false;
    Machine after = *machine;
    learn(after, answer.result);
    return leavesNothing(after);
  });
}

/// Asks for the two halves of the batch afresh, each by an op of its own.
Status halve(Tx& tx, const Op& op, const Status& why, Random& random) {
  const std::size_t middle = (op.items.size() + 1) / 2;
  for (const std::size_t first : {std::size_t{0}, middle}) {
    Op half{.op_id = newId(random),
            .verb = op.verb,
            .vcid = op.vcid,
            .instance = op.instance,
            .scope = op.scope,
            .fence = op.fence,
            .created_at = tx.now()};
    const std::size_t end = first == 0 ? middle : op.items.size();
    for (std::size_t i = first; i < end; ++i) {
      Machine machine = *tx.machines().find(op.items[i].machine_id);
      machine.create_op = machine.open_op = half.op_id;
      machine.create_size = machine.item_index = 0;
      machine.doubt_at = machine.doubt_parts = 0;
      half.items.push_back({.machine_id = machine.machine_id});
      if (const Node* owner = tx.nodes().find(machine.node_id)) {
        Node node = *owner;
        node.fault = {tx.now(), failureText({"creating a machine", why, CallKind::kCreate, false})};
        VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
      }
      VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    }
    VCC_RETURN_IF_ERROR(tx.ops().put(std::move(half)));
  }
  tx.ops().erase(op.op_id);
  return okStatus();
}

}  // namespace

bool isOpen(const OpItem& item) { return item.state == ItemState::kOpen || item.state == ItemState::kPending; }

Status recordAnswers(Tx& tx, Op op, const std::vector<Answer>& answers, bool asserted, Random& random, bool& halved) {
  halved = isTooMany(tx, op, answers);
  if (halved) return halve(tx, op, answers.front().result.error, random);
  for (const Answer& answer : answers) VCC_RETURN_IF_ERROR(recordAnswer(tx, op, answer, asserted, random));
  if (std::any_of(op.items.begin(), op.items.end(), isOpen)) return tx.ops().put(std::move(op));
  tx.ops().erase(std::string(op.op_id));
  return okStatus();
}

}  // namespace vcc
