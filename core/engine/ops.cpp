// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/decider.h"
#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/spec_json.h"
#include "engine/transitions.h"
#include "model/doubt.h"
#include "secrets/grants.h"
#include "secrets/sealed_records.h"

/// Recorded changes: sending ops and recording their answers (architecture 3.4 to 3.8).
namespace vcc {

namespace {

constexpr std::int64_t kMutationDeadlineMs = 120000;
constexpr std::int64_t kShortestPendingMs = 200;
constexpr std::int64_t kLongestIdleMs = 5000;
constexpr std::int64_t kMostPauses = 5;  // 200 ms doubled so often is more than the longest
constexpr std::int64_t kRecordRetryMs = 1000;
constexpr std::int64_t kQueuedPauseMs = 5000;

bool isOpen(const OpItem& item) { return item.state == ItemState::kOpen || item.state == ItemState::kPending; }

/// Takes over what a call said about the machine, whether it succeeded or not.
void learn(Machine& machine, const ItemResult& result) {
  if (!result.cloud_id.empty()) machine.cloud_id = result.cloud_id;
  if (!result.address.empty()) machine.address = result.address;
  if (result.has_driver_state) machine.driver_state = result.driver_state;
  mergeResources(machine.resources, result.resources);
}

struct Answer {
  std::size_t index;
  ItemResult result;
  bool was_in_doubt = false;  ///< an earlier send was, which a refusal of this one does not settle
};

/// The pause before the next step: what the driver asked for, or, where it asked for none and nothing new came of the
/// last ones, ever longer.
void awaitNextStep(OpItem& item, const ItemResult& result, bool moved, std::int64_t now) {
  const bool idle = result.retry_after_ms == 0 && !moved;
  item.state = ItemState::kPending;
  item.pauses = idle ? std::min(item.pauses + 1, kMostPauses) : 0;
  const std::int64_t floor = std::min(kShortestPendingMs << item.pauses, kLongestIdleMs);
  item.next_at = now + std::max(result.retry_after_ms, floor);
}

/// Refusals that say "not now": the same request may be sent again as it is.
bool isNotNow(Code code) {
  return code == Code::kUnavailable || code == Code::kAborted || code == Code::kFailedPrecondition ||
         code == Code::kCancelled || code == Code::kDeadlineExceeded || code == Code::kUnknown;
}

std::string displayName(Tx& tx, const Member& member) {
  const Unit* unit = tx.units().find(member.machine->unit_id);
  const Vc* vc = tx.vcs().find(member.machine->vcid);
  if (!member.node || !unit || !vc) return {};
  return fmt::format("{}-{}-{}", vc->name, unit->name, member.node->node_no);
}

/// A create that was refused and left nothing in the cloud: the next attempt starts afresh with another machine.
Status dropFailedMachine(Tx& tx, Node& node, const std::string& machine_id) {
  eraseMachine(tx, machine_id);
  node.machine_id.clear();
  node.step = Step::kNone;
  node.step_at = tx.now();
  return tx.nodes().put(node);
}

Status recordCreate(Tx& tx, Op& op, const Answer& answer, bool asserted, Random& random) {
  OpItem& item = op.items[answer.index];
  const ItemResult& result = answer.result;
  const Machine* found = tx.machines().find(item.machine_id);
  if (!found) return okStatus();
  Machine machine = *found;
  const std::int64_t known = knownIds(machine);
  learn(machine, result);
  answerDoubt(machine, result.state, result.error.outcome(), answer.was_in_doubt, tx.now());
  const Node* owner = tx.nodes().find(machine.node_id);
  if (!owner) return internalError("machine " + machine.machine_id + " has no node");
  Node node = *owner;

  if (result.state == ItemState::kPending) {
    awaitNextStep(item, result, knownIds(machine) != known, tx.now());
    node.progress = result.reason;
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
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
                            CallKind::kCreate, asserted};
  const bool nothing = leavesNothing(machine);
  const bool in_doubt = inDoubt(machine);
  // The op stays open while its outcome is in doubt, and while what it has made so far can be gone on with.
  const bool goes_on = in_doubt ? !retryAfter(result.error, CallKind::kCreate, 1, random).final
                                : !nothing && isNotNow(result.error.code());
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

Status recordDestroy(Tx& tx, Op& op, const Answer& answer, Random& random) {
  OpItem& item = op.items[answer.index];
  const ItemResult& result = answer.result;
  const Machine* found = tx.machines().find(item.machine_id);
  if (!found) return okStatus();
  Machine machine = *found;
  const std::int64_t known = knownIds(machine);
  learn(machine, result);
  const Node* owner = tx.nodes().find(machine.node_id);
  if (!owner) return internalError("machine " + machine.machine_id + " has no node");
  Node node = *owner;
  if (result.state == ItemState::kPending) {
    awaitNextStep(item, result, knownIds(machine) != known, tx.now());
    node.progress = result.reason;
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  if (result.state == ItemState::kDone) {
    item.state = ItemState::kDone;
    machine.open_op.clear();
    machine.absent_since = 0;
    machine.observed_at = 0;  // looked at at once
    if (machine.observed != MachineState::kGone) machine.observed = MachineState::kTerminating;
    node.step = Step::kVerify;
    node.step_at = tx.now();
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
  // A destroy is idempotent whatever became of it: it is sent again. What may be this machine's own trouble must not
  // hold the others, nor spoil their request.
  if (op.items.size() > 1 && !isNotNow(result.error.code())) {
    item.state = ItemState::kFailed;
    Op alone = op;
    alone.op_id = newId(random);
    alone.items = {{.machine_id = machine.machine_id}};
    alone.attempt = alone.first_sent_at = alone.sent_at = 0;
    alone.created_at = tx.now();
    machine.open_op = alone.op_id;
    VCC_RETURN_IF_ERROR(tx.ops().put(std::move(alone)));
  }
  const std::string_view attempted = isDisk(machine) ? "giving the disk back" : "giving the machine back";
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return recordFailure(tx, std::move(node), {attempted, result.error, CallKind::kExisting, false}, random);
}

/// The first send of a create: what nobody wants any more leaves the op, the rest is numbered for good.
Status freeze(Tx& tx, Op& op) {
  const std::vector<Member> members = membersOf(tx, op);
  std::vector<OpItem> kept;
  std::vector<Machine> machines;
  for (std::size_t i = 0; i < op.items.size(); ++i) {
    if (members[i].machine == nullptr) continue;
    Machine machine = *members[i].machine;
    if (isOpen(op.items[i]) && isWanted(members[i])) {
      machine.item_index = static_cast<std::int64_t>(kept.size());
      kept.push_back(op.items[i]);
    } else {
      machine.open_op.clear();
    }
    machines.push_back(std::move(machine));
  }
  op.items = std::move(kept);
  for (Machine& machine : machines) {
    if (!machine.open_op.empty()) machine.create_size = static_cast<std::int64_t>(op.items.size());
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  }
  return okStatus();
}

/// Which items of the op go into its next call: those that are due and whose nodes are not in `busy`; what shares a
/// request goes as a whole or not at all. Records that they are sent.
Status chooseItems(Tx& tx, Op& op, const std::set<std::string>& busy, const Profile& profile,
                   std::vector<Sending>& chosen) {
  const bool create = op.verb == OpVerb::kCreate;
  const bool first = create && op.first_sent_at == 0;
  std::vector<Member> members = membersOf(tx, op);
  if (first) {
    for (const Member& member : members) {
      if (member.machine && busy.contains(member.machine->node_id)) return okStatus();
    }
    VCC_RETURN_IF_ERROR(freeze(tx, op));
    members = membersOf(tx, op);
  }
  std::vector<std::size_t> alone;
  std::vector<std::size_t> shared;
  bool shared_ready = true;
  for (std::size_t i = 0; i < op.items.size(); ++i) {
    const Member& member = members[i];
    if (member.machine == nullptr || !isOpen(op.items[i])) continue;
    const bool wanted = !create || isWanted(member);
    const std::int64_t due = std::max(op.items[i].next_at, wanted && member.node ? member.node->next_at : 0);
    const bool ready = first || (due <= tx.now() && !busy.contains(member.machine->node_id) &&
                                 (!create || mayBeSent(*member.machine, op, profile, tx.now())));
    if (create && sharesRequest(op.items[i], *member.machine, profile)) {
      shared.push_back(i);
      shared_ready = shared_ready && ready;
    } else if (ready && wanted) {
      alone.push_back(i);
    }
  }
  if (shared_ready) alone.insert(alone.end(), shared.begin(), shared.end());
  std::sort(alone.begin(), alone.end());
  for (const std::size_t i : alone) {
    Machine machine = *members[i].machine;
    machine.absent_since = 0;
    const bool was_in_doubt = create && beginDoubt(machine, tx.now());
    chosen.push_back({i, machine, displayName(tx, members[i]), was_in_doubt});
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  }
  return okStatus();
}

/// The op was purged while its call was under way: what the call made has no record that could hold its id.
void warnUnrecorded(Logger& log, const Op& sent, const std::vector<Sending>& items,
                    const std::vector<ItemResult>& results, const std::string& instance) {
  for (std::size_t i = 0; i < std::min(items.size(), results.size()); ++i) {
    if (sent.verb != OpVerb::kCreate || results[i].cloud_id.empty()) continue;
    log.warn("PURGED_MACHINE_APPEARED", "a machine was made for a node that an administrator has purged meanwhile",
             {{"instance", instance},
              {"vcid", sent.vcid},
              {"name", items[i].machine.name},
              {"id", results[i].cloud_id},
              {"address", results[i].address}});
  }
}

}  // namespace

MachineRef refOf(const Machine& machine, std::size_t index) {
  return {.index = static_cast<std::int64_t>(index),
          .name = machine.name,
          .display_name = {},
          .cloud_id = machine.cloud_id,
          .requested_address = machine.requested_address,
          .driver_state = machine.driver_state,
          .resources = machine.resources,
          .create_op = machine.create_op,
          .create_index = machine.item_index,
          .create_size = std::max<std::int64_t>(machine.create_size, 1)};
}

void Decider::sendOp(const Visit& visit) {
  // Its answer revisits all members; before that, one may run out of time.
  schedule(visit.node.node_id, kQueuedPauseMs);
  const std::string& op_id = visit.op->op_id;
  if (ops_in_flight_.contains(op_id) || !ops_queued_.insert(op_id).second) return;
  const auto kind = visit.op->verb == OpVerb::kDestroy ? CallQueue::Kind::kTakeAway : CallQueue::Kind::kMake;
  queueCall(*visit.slot, visit.account(), visit.vc.owner, kind,
            [this, op_id, node_id = visit.node.node_id, account = visit.account(), slot = visit.slot] {
              ops_queued_.erase(op_id);
              beginOp(node_id, op_id, *slot, account);
            });
}

void Decider::beginOp(const std::string& node_id, const std::string& op_id, const DriverSlot& slot,
                      const std::string& account) {
  const auto visit = look(node_id);
  if (visit.ok() && visit->op && visit->op->op_id == op_id) return startOp(*visit, account);
  // The node has left the op while that waited. Its other nodes, if there are any, ask again.
  leaveDriver(slot, account);
  std::vector<std::string> others;
  seams_.store.read([&](const ReadTx& tx) {
    const Op* op = tx.ops().find(op_id);
    if (!op) return;
    for (const Member& member : membersOf(tx, *op)) {
      if (member.node) others.push_back(member.node->node_id);
    }
  });
  revisit(others);
}

void Decider::startOp(const Visit& visit, const std::string& account) {
  ops_in_flight_.insert(visit.op->op_id);
  // Nobody else may begin anything with a member until it is known which of them go.
  std::vector<std::string> members;
  std::set<std::string> busy;
  seams_.store.read([&](const ReadTx& tx) {
    for (const Member& member : membersOf(tx, *visit.op)) {
      if (member.node == nullptr) continue;
      const std::string& id = member.node->node_id;
      if (busy_.contains(id)) {
        busy.insert(id);
      } else {
        members.push_back(id);
      }
    }
  });
  auto sent = std::make_shared<Op>();
  auto items = std::make_shared<std::vector<Sending>>();
  commit(
      members,
      [sent, items, busy, op_id = visit.op->op_id, profile = visit.profile](Tx& tx) -> Status {
        items->clear();
        const Op* found = tx.ops().find(op_id);
        if (!found) return okStatus();
        *sent = *found;
        VCC_RETURN_IF_ERROR(chooseItems(tx, *sent, busy, profile, *items));
        if (sent->items.empty()) tx.ops().erase(op_id);
        if (items->empty()) return okStatus();
        sent->attempt += 1;
        sent->sent_at = tx.now();
        if (sent->first_sent_at == 0) sent->first_sent_at = tx.now();
        return tx.ops().put(*sent);
      },
      [this, sent, items, visit, members, account](const Status& status) {
        if (!status.ok() || items->empty() || cancelled_) {
          ops_in_flight_.erase(visit.op->op_id);
          leaveDriver(*visit.slot, account);
          for (const std::string& id : members) schedule(id, kShortestPendingMs);
          return;
        }
        for (const Sending& item : *items) busy_.insert(item.machine.node_id);
        for (const std::string& id : members) {
          if (!busy_.contains(id)) schedule(id, kShortestPendingMs);
        }
        callDriver(*sent, std::move(*items), visit, account);
      });
}

void Decider::callDriver(const Op& op, std::vector<Sending> items, const Visit& visit, const std::string& account) {
  auto results = std::make_shared<std::vector<ItemResult>>();
  auto context = callContext(visit, kMutationDeadlineMs);
  std::vector<MachineRef> refs;
  for (const Sending& item : items) {
    refs.push_back(refOf(item.machine, item.index));
    refs.back().display_name = item.display_name;
  }
  const DriverSlot& slot = *visit.slot;
  runOn(
      *poolOf(slot).executor,
      [results, context = std::move(context), refs, op, request = visit.request, driver = slot.driver]() mutable {
        if (!context.ok()) {
          Status error = context.status();
          results->assign(refs.size(), {.error = Status(error.code(), error.message(), Outcome::kNotApplied)});
          return;
        }
        context->op_id = op.op_id;
        context->attempt = op.attempt;
        *results = op.verb == OpVerb::kCreate ? driver->create(*context, request->spec, refs)
                                              : driver->destroy(*context, refs);
      },
      [this, results, op, &slot, account, items = std::move(items)] {
        leaveDriver(slot, account);
        for (const Sending& item : items) {
          busy_.erase(item.machine.node_id);
          sightings_.erase(item.machine.machine_id);
        }
        recordResults(op, items, *results, slot);
      });
}

void Decider::recordResults(const Op& sent, const std::vector<Sending>& items, const std::vector<ItemResult>& results,
                            const DriverSlot& slot) {
  std::vector<Answer> answers;
  std::vector<std::string> node_ids;
  for (std::size_t i = 0; i < items.size(); ++i) {
    ItemResult result =
        i < results.size()
            ? results[i]
            : ItemResult{.error = Status(Code::kUnknown, "the driver gave no answer", Outcome::kUnknown)};
    if (result.state == ItemState::kFailed) {
      seams_.log.warn("OP_ITEM_FAILED", result.error.message(),
                      {{"op", sent.op_id},
                       {"verb", opVerbName(sent.verb)},
                       {"item", items[i].index},
                       {"instance", slot.instance},
                       {"code", codeName(result.error.code())},
                       {"provider_code", result.error.providerCode()}});
    }
    answers.push_back({items[i].index, std::move(result), items[i].was_in_doubt});
  }
  seams_.store.read([&](const ReadTx& tx) {
    for (const OpItem& item : sent.items) {
      if (const Machine* machine = tx.machines().find(item.machine_id)) node_ids.push_back(machine->node_id);
    }
  });
  const bool asserted = slot.driver->info().existence == Existence::kAsserted;
  auto unrecorded = std::make_shared<bool>(false);
  commit(
      node_ids,
      [this, answers, asserted, unrecorded, op_id = sent.op_id](Tx& tx) -> Status {
        const Op* found = tx.ops().find(op_id);
        *unrecorded = !found;
        if (!found) return okStatus();
        Op op = *found;
        for (const Answer& answer : answers) {
          VCC_RETURN_IF_ERROR(op.verb == OpVerb::kCreate ? recordCreate(tx, op, answer, asserted, seams_.random)
                                                         : recordDestroy(tx, op, answer, seams_.random));
        }
        if (std::any_of(op.items.begin(), op.items.end(), isOpen)) return tx.ops().put(std::move(op));
        tx.ops().erase(op_id);
        return okStatus();
      },
      [this, op_id = sent.op_id, node_ids, sent, items, results, unrecorded, &slot](const Status& status) {
        if (status.ok()) {
          if (*unrecorded) warnUnrecorded(seams_.log, sent, items, results, slot.instance);
          ops_in_flight_.erase(op_id);
          revisit(node_ids);
          return;
        }
        // The answer must not be lost: it may hold the only id of something that costs money.
        later(kRecordRetryMs, [this, sent, items, results, &slot] { recordResults(sent, items, results, slot); });
      });
}

Result<CallContext> Decider::callContext(const Visit& visit, std::int64_t deadline_ms) const {
  CallContext context;
  context.deadline_ms = deadline_ms;
  const bool frozen = visit.request && !visit.request->catalog_entry.empty();
  context.catalog_entry = frozen ? visit.request->catalog_entry : visit.entry.json;
  VCC_ASSIGN_OR_RETURN(context.credentials, credentialsOf(visit));
  context.vcc_id = options_.vcc_id;
  context.cancelled = &cancelled_;
  context.kind = visit.unit.kind;
  return context;
}

Result<SecretString> Decider::credentialsOf(const Visit& visit) const {
  if (!visit.grant.grant_id.empty()) return openGrant(visit.grant, seams_.sealer);
  // A unit of a version before grants has them in its CCI.
  VCC_ASSIGN_OR_RETURN(const UnitCci cci, openCci(seams_.sealer, visit.unit));
  VCC_ASSIGN_OR_RETURN(const SplitParams split, splitSecrets(cci.cloud_params, visit.slot->driver->info().secret_keys));
  return split.named;
}

}  // namespace vcc
