// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/decider.h"
#include "engine/lifecycle.h"
#include "engine/spec_json.h"
#include "engine/transitions.h"
#include "secrets/grants.h"
#include "secrets/sealed_cci.h"

/// Recorded changes: making ops, sending them, recording their answers (architecture 3.4 to 3.8).
namespace vcc {

namespace {

constexpr std::int64_t kMutationDeadlineMs = 120000;
constexpr std::int64_t kShortestPendingMs = 200;
constexpr std::int64_t kRecordRetryMs = 1000;

bool isOpen(const OpItem& item) { return item.state == ItemState::kOpen || item.state == ItemState::kPending; }

/// Takes over what a call said about the machine, whether it succeeded or not.
void learn(Machine& machine, const ItemResult& result) {
  if (!result.cloud_id.empty()) machine.cloud_id = result.cloud_id;
  if (!result.address.empty()) machine.address = result.address;
  if (result.has_driver_state) machine.driver_state = result.driver_state;
  mergeResources(machine.resources, result.resources);
}

bool leavesNothing(const Machine& machine) {
  return machine.cloud_id.empty() && machine.resources.empty() && machine.driver_state.empty();
}

struct Answer {
  std::size_t index;
  ItemResult result;
  bool repeats_doubt = false;  ///< the send before this one had an unknown outcome, which a refusal does not settle
};

/// Refusals that say "not now": the same request may be sent again as it is.
bool isNotNow(Code code) {
  return code == Code::kUnavailable || code == Code::kAborted || code == Code::kFailedPrecondition ||
         code == Code::kCancelled || code == Code::kDeadlineExceeded || code == Code::kUnknown;
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
  learn(machine, result);
  const Node* owner = tx.nodes().find(machine.node_id);
  if (!owner) return internalError("machine " + machine.machine_id + " has no node");
  Node node = *owner;

  if (result.state == ItemState::kPending) {
    item.state = ItemState::kPending;
    item.next_at = tx.now() + std::max(result.retry_after_ms, kShortestPendingMs);
    return tx.machines().put(std::move(machine));
  }
  if (result.state == ItemState::kDone) {
    item.state = ItemState::kDone;
    machine.open_op.clear();
    if (asserted) {
      machine.observed = MachineState::kRunning;
      if (machine.address.empty()) machine.address = machine.requested_address;
    }
    node.attempts = 0;
    node.next_at = 0;
    node.fault = {};
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }

  const StepFailure failure{"creating a machine", result.error, CallKind::kCreate, asserted};
  const bool nothing = leavesNothing(machine);
  const bool in_doubt = result.error.outcome() != Outcome::kNotApplied || answer.repeats_doubt;
  // The op stays open while its outcome is in doubt, and while what it has made so far can be gone on with.
  const bool goes_on = in_doubt ? !retryAfter(result.error, CallKind::kCreate, 1, random).final
                                : !nothing && isNotNow(result.error.code());
  if (goes_on) {
    if (in_doubt) {
      op.unresolved = true;
      op.sent_at = tx.now();
    }
    node.attempts += 1;
    node.next_at = tx.now() + retryAfter(result.error, CallKind::kExisting, node.attempts, random).after_ms;
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
  learn(machine, result);
  const Node* owner = tx.nodes().find(machine.node_id);
  if (!owner) return internalError("machine " + machine.machine_id + " has no node");
  Node node = *owner;
  if (result.state == ItemState::kPending) {
    item.state = ItemState::kPending;
    item.next_at = tx.now() + std::max(result.retry_after_ms, kShortestPendingMs);
    return tx.machines().put(std::move(machine));
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
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
    return tx.nodes().put(std::move(node));
  }
  // A destroy is idempotent whatever became of it: the same op is sent again.
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return recordFailure(tx, std::move(node), {"giving the machine back", result.error, CallKind::kExisting, false},
                       random);
}

}  // namespace

void Decider::flushCreates() {
  auto wanted = std::move(creates_);
  creates_.clear();
  for (const auto& [unit_id, node_ids] : wanted) makeOps(unit_id, node_ids);
}

void Decider::makeOps(const std::string& unit_id, const std::vector<std::string>& node_ids) {
  const auto sample = look(node_ids.front());
  if (!sample.ok()) return revisit(node_ids);
  const DriverInfo& info = sample->slot->driver->info();
  const auto cci = openCci(seams_.sealer, sample->unit);
  const auto split = cci.ok() ? splitSecrets(cci->cloud_params, info.secret_keys) : Result<SplitParams>(cci.status());
  const auto request = split.ok()
                           ? machineRequest(split->clear, {sample->unit.provider, options_.vcc_id, sample->vc.vcid,
                                                           sample->vc.name, sample->unit.name, sample->vc.owner})
                           : Result<std::string>(split.status());
  if (!request.ok()) {
    for (const std::string& id : node_ids) {
      if (const auto damaged = look(id); damaged.ok()) giveUp(*damaged, request.status().message());
    }
    return;
  }
  // One account's view at one place: what may share a look-up, a batch and a rate limit.
  const std::string scope =
      fmt::format("{}/{}/{}", sample->unit.instance, sample->unit.network, sample->grant.fingerprint.substr(0, 16));

  commit(node_ids,
         [this, unit_id, node_ids, scope, request = *request, max_batch = std::max<std::size_t>(info.max_batch, 1),
          asserted = sample->profile.asserted](Tx& tx) -> Status {
           const Unit* unit = tx.units().find(unit_id);
           if (!unit) return okStatus();
           Op op;
           const auto flush = [&]() -> Status {
             if (op.items.empty()) return okStatus();
             Op full = std::move(op);
             op = {};
             return tx.ops().put(std::move(full));
           };
           for (const std::string& id : node_ids) {
             const Node* found = tx.nodes().find(id);
             if (!found || !found->machine_id.empty() || found->goal != Goal::kRunning) continue;
             if (op.items.empty()) {
               op.op_id = newId(seams_.random);
               op.verb = OpVerb::kCreate;
               op.vcid = unit->vcid;
               op.instance = unit->instance;
               op.scope = scope;
               op.request = request;
               op.fence = fence_;
               op.created_at = tx.now();
             }
             Machine machine;
             machine.machine_id = newId(seams_.random);
             machine.node_id = id;
             machine.unit_id = unit_id;
             machine.vcid = unit->vcid;
             machine.instance = unit->instance;
             machine.name = fmt::format("vcp-{}-{}", options_.vcc_id.substr(0, 8), randomHex(seams_.random, 10));
             machine.create_op = op.op_id;
             machine.item_index = static_cast<std::int64_t>(op.items.size());
             machine.open_op = op.op_id;
             machine.spec = request;
             machine.scope = op.scope;
             machine.grant_id = unit->grant_id;
             machine.network = unit->network;
             machine.requested_address = found->requested_address;
             machine.created_at = tx.now();
             op.items.push_back({.machine_id = machine.machine_id});
             Node node = *found;
             node.machine_id = machine.machine_id;
             node.step = asserted ? Step::kAddress : Step::kCreate;
             node.step_at = tx.now();
             VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
             VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
             if (op.items.size() >= max_batch) VCC_RETURN_IF_ERROR(flush());
           }
           return flush();
         });
}

void Decider::makeDestroyOp(const Visit& visit) {
  commit({visit.node.node_id},
         [this, node_id = visit.node.node_id, machine_id = visit.machine->machine_id](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(node_id);
           const Machine* present = tx.machines().find(machine_id);
           if (!found || !present) return okStatus();
           if (const Op* create = present->open_op.empty() ? nullptr : tx.ops().find(present->open_op)) {
             VCC_RETURN_IF_ERROR(closeItem(tx, Op(*create), machine_id, ItemState::kFailed));
             present = tx.machines().find(machine_id);
           }
           Op op;
           op.op_id = newId(seams_.random);
           op.verb = OpVerb::kDestroy;
           op.vcid = present->vcid;
           op.instance = present->instance;
           op.scope = present->scope;
           op.items = {{.machine_id = machine_id}};
           op.fence = fence_;
           op.created_at = tx.now();
           Machine machine = *present;
           machine.open_op = op.op_id;
           machine.want_destroy = true;
           Node node = *found;
           node.step = Step::kDestroy;
           node.step_at = tx.now();
           VCC_RETURN_IF_ERROR(tx.ops().put(std::move(op)));
           VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
           return tx.nodes().put(std::move(node));
         });
}

void Decider::sendOp(const Visit& visit) {
  if (!ops_in_flight_.insert(visit.op->op_id).second) return;  // its answer revisits all members
  struct Sent {
    Op op;
    std::vector<std::size_t> indexes;
    std::vector<Machine> machines;
    std::vector<std::string> display_names;  // of `machines`: <group>-<unit>-<no>
    std::vector<std::string> nodes;          // of `machines`
    std::vector<std::string> members;        // of all open items
    bool repeats_doubt = false;
  };
  auto sent = std::make_shared<Sent>();
  commit(
      {visit.node.node_id},
      [sent, visit, op_id = visit.op->op_id](Tx& tx) -> Status {
        *sent = {};
        const Op* found = tx.ops().find(op_id);
        if (!found) return okStatus();
        Op op = *found;
        for (std::size_t i = 0; i < op.items.size(); ++i) {
          if (!isOpen(op.items[i])) continue;
          const Machine* machine = tx.machines().find(op.items[i].machine_id);
          if (machine) sent->members.push_back(machine->node_id);
          const Node* node = machine ? tx.nodes().find(machine->node_id) : nullptr;
          const bool leaving =
              op.verb == OpVerb::kCreate && (!node || node->goal == Goal::kGone || machine->want_destroy);
          const std::int64_t due = std::max(op.items[i].next_at, node ? node->next_at : 0);
          if (!machine || leaving || due > tx.now()) continue;
          Machine asked = *machine;
          asked.absent_since = 0;
          sent->indexes.push_back(i);
          sent->machines.push_back(asked);
          sent->nodes.push_back(asked.node_id);
          sent->display_names.push_back(
              fmt::format("{}-{}-{}", visit.vc.name, visit.unit.name, node ? node->node_no : 0));
          VCC_RETURN_IF_ERROR(tx.machines().put(std::move(asked)));
        }
        if (sent->indexes.empty()) return okStatus();
        sent->repeats_doubt = op.unresolved;
        op.attempt += 1;
        op.sent_at = tx.now();
        if (op.first_sent_at == 0) op.first_sent_at = tx.now();
        op.unresolved = false;
        sent->op = op;
        sent->op.unresolved = sent->repeats_doubt;  // for the reading of the answer
        return tx.ops().put(std::move(op));
      },
      [this, sent, visit](const Status& status) {
        if (!status.ok() || sent->indexes.empty()) {
          ops_in_flight_.erase(visit.op->op_id);
          for (const std::string& id : sent->members) schedule(id, kShortestPendingMs);
          return;
        }
        for (const std::string& id : sent->nodes) busy_.insert(id);
        callDriver(sent->op, sent->indexes, sent->machines, sent->display_names, visit);
      });
}

void Decider::callDriver(const Op& op, std::vector<std::size_t> indexes, std::vector<Machine> machines,
                         const std::vector<std::string>& display_names, const Visit& visit) {
  auto results = std::make_shared<std::vector<ItemResult>>();
  auto context = callContext(visit, kMutationDeadlineMs);
  std::vector<MachineRef> refs;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const Machine& m = machines[i];
    refs.push_back({.index = static_cast<std::int64_t>(indexes[i]),
                    .name = m.name,
                    .display_name = display_names[i],
                    .cloud_id = m.cloud_id,
                    .requested_address = m.requested_address,
                    .driver_state = m.driver_state,
                    .resources = m.resources,
                    .create_op = m.create_op,
                    .create_index = m.item_index,
                    .create_size = static_cast<std::int64_t>(op.items.size())});
  }
  const DriverSlot& slot = *visit.slot;
  runOn(
      driverExecutor(slot),
      [results, context = std::move(context), refs, op, driver = slot.driver]() mutable {
        if (!context.ok()) {
          Status error = context.status();
          results->assign(refs.size(), {.error = Status(error.code(), error.message(), Outcome::kNotApplied)});
          return;
        }
        context->op_id = op.op_id;
        context->attempt = op.attempt;
        *results =
            op.verb == OpVerb::kCreate ? driver->create(*context, op.request, refs) : driver->destroy(*context, refs);
      },
      [this, results, op, indexes, &slot, machines = std::move(machines)] {
        for (const Machine& machine : machines) busy_.erase(machine.node_id);
        recordResults(op, indexes, *results, slot);
      });
}

void Decider::recordResults(const Op& sent, const std::vector<std::size_t>& indexes,
                            const std::vector<ItemResult>& results, const DriverSlot& slot) {
  std::vector<Answer> answers;
  std::vector<std::string> node_ids;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    ItemResult result =
        i < results.size()
            ? results[i]
            : ItemResult{.error = Status(Code::kUnknown, "the driver gave no answer", Outcome::kUnknown)};
    if (result.state == ItemState::kFailed) {
      seams_.log.warn("OP_ITEM_FAILED", result.error.message(),
                      {{"op", sent.op_id},
                       {"verb", opVerbName(sent.verb)},
                       {"item", indexes[i]},
                       {"instance", slot.instance},
                       {"code", codeName(result.error.code())},
                       {"provider_code", result.error.providerCode()}});
    }
    answers.push_back({indexes[i], std::move(result), sent.unresolved});
  }
  seams_.store.read([&](const ReadTx& tx) {
    for (const OpItem& item : sent.items) {
      if (const Machine* machine = tx.machines().find(item.machine_id)) node_ids.push_back(machine->node_id);
    }
  });
  const bool asserted = slot.driver->info().existence == Existence::kAsserted;
  commit(
      node_ids,
      [this, answers, asserted, op_id = sent.op_id](Tx& tx) -> Status {
        const Op* found = tx.ops().find(op_id);
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
      [this, op_id = sent.op_id, node_ids, sent, indexes, results, &slot](const Status& status) {
        if (status.ok()) {
          ops_in_flight_.erase(op_id);
          revisit(node_ids);
          return;
        }
        // The answer must not be lost: it may hold the only id of something that costs money.
        later(kRecordRetryMs, [this, sent, indexes, results, &slot] { recordResults(sent, indexes, results, slot); });
      });
}

Result<CallContext> Decider::callContext(const Visit& visit, std::int64_t deadline_ms) const {
  CallContext context;
  context.deadline_ms = deadline_ms;
  context.catalog_entry = visit.entry.json;
  VCC_ASSIGN_OR_RETURN(context.credentials, credentialsOf(visit));
  context.vcc_id = options_.vcc_id;
  context.cancelled = &cancelled_;
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
