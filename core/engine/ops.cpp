// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/decider.h"
#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/op_answers.h"
#include "engine/spec_json.h"
#include "engine/transitions.h"
#include "model/doubt.h"
#include "model/power.h"
#include "secrets/grants.h"
#include "secrets/sealed_records.h"

/// Recorded changes: choosing and sending what is due (architecture 3.4 to 3.8).
namespace vcc {

namespace {

constexpr std::int64_t kSendAgainMs = 200;
constexpr std::size_t kSmallestShare = 4;
constexpr std::int64_t kRecordRetryMs = 1000;
constexpr std::int64_t kQueuedPauseMs = 5000;

std::string displayName(Tx& tx, const Member& member) {
  const Unit* unit = tx.units().find(member.machine->unit_id);
  const Vc* vc = tx.vcs().find(member.machine->vcid);
  if (!member.node || !unit || !vc) return {};
  return fmt::format("{}-{}-{}", vc->name, unit->name, member.node->node_no);
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

/// Leaves in `alone`, of the items that exist already, only what one of so many calls side by side takes; all while a
/// request for several machines is without an answer. Returns whether it left some out.
bool takeShare(const std::vector<Member>& members, const std::vector<std::size_t>& shared, std::size_t places,
               std::vector<std::size_t>& alone) {
  const auto made = [&](std::size_t i) { return !members[i].machine->cloud_id.empty(); };
  if (!std::ranges::all_of(shared, made)) return false;
  const auto count = static_cast<std::size_t>(std::ranges::count_if(alone, made));
  const std::size_t share = std::max(kSmallestShare, (count + places - 1) / places);
  std::size_t taken = 0;
  std::erase_if(alone, [&](std::size_t i) { return made(i) && ++taken > share; });
  return taken > share;
}

/// Which items of the op go into its next call: those that are due and whose nodes are not in `busy`; what shares a
/// request goes as a whole or not at all, and what exists already goes in up to `places` calls side by side. Records
/// that they are sent.
Status chooseItems(Tx& tx, Op& op, const std::set<std::string>& busy, const Profile& profile, std::size_t places,
                   Sendings& chosen) {
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
    const bool wanted = create ? isWanted(member)
                               : !isPower(op.verb) || op.items[i].state == ItemState::kPending ||
                                     (member.node && isPowerWanted(op.verb, *member.node, *member.machine));
    const std::int64_t due = std::max(op.items[i].next_at, wanted && member.node ? member.node->next_at : 0);
    const bool ready = first || (due <= tx.now() && !busy.contains(member.machine->node_id) &&
                                 (!create || mayBeSent(*member.machine, op, profile, tx.now())) &&
                                 (!isPower(op.verb) || mayBeSwitched(op.items[i], op, *member.machine)));
    if (create && sharesRequest(op.items[i], *member.machine, profile)) {
      shared.push_back(i);
      shared_ready = shared_ready && ready;
    } else if (ready && wanted) {
      alone.push_back(i);
    }
  }
  if (create) chosen.others_may_go = takeShare(members, shared, places, alone);
  if (shared_ready) alone.insert(alone.end(), shared.begin(), shared.end());
  std::sort(alone.begin(), alone.end());
  for (const std::size_t i : alone) {
    Machine machine = *members[i].machine;
    machine.absent_since = 0;
    const bool was_in_doubt = create && beginDoubt(machine, tx.now());
    chosen.items.push_back({i, machine, displayName(tx, members[i]), was_in_doubt});
    VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  }
  return okStatus();
}

std::vector<ItemResult> callOf(OpVerb verb, Driver& driver, const CallContext& context, const std::string& spec,
                               const std::vector<MachineRef>& items) {
  switch (verb) {
    case OpVerb::kCreate:
      return driver.create(context, spec, items);
    case OpVerb::kDestroy:
      return driver.destroy(context, items);
    case OpVerb::kPowerOff:
    case OpVerb::kPowerOn:
      break;
  }
  return driver.power(context, verb == OpVerb::kPowerOn, items);
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
  auto chosen = std::make_shared<Sendings>();
  const std::size_t places = std::max<std::size_t>(visit.slot->driver->info().concurrency, 1);
  commit(
      members,
      [sent, chosen, busy, places, op_id = visit.op->op_id, profile = visit.profile](Tx& tx) -> Status {
        *chosen = {};
        const Op* found = tx.ops().find(op_id);
        if (!found) return okStatus();
        *sent = *found;
        VCC_RETURN_IF_ERROR(chooseItems(tx, *sent, busy, profile, places, *chosen));
        if (sent->items.empty()) tx.ops().erase(op_id);
        if (chosen->items.empty()) return okStatus();
        sent->attempt += 1;
        sent->sent_at = tx.now();
        if (sent->first_sent_at == 0) sent->first_sent_at = tx.now();
        return tx.ops().put(*sent);
      },
      [this, sent, chosen, visit, members, account](const Status& status) {
        if (!status.ok() || chosen->items.empty() || cancelled_) {
          ops_in_flight_.erase(visit.op->op_id);
          leaveDriver(*visit.slot, account);
          for (const std::string& id : members) schedule(id, kSendAgainMs);
          return;
        }
        for (const Sending& item : chosen->items) busy_.insert(item.machine.node_id);
        if (chosen->others_may_go) ops_in_flight_.erase(sent->op_id);
        for (const std::string& id : members) {
          if (!busy_.contains(id)) schedule(id, chosen->others_may_go ? 0 : kSendAgainMs);
        }
        callDriver(*sent, std::move(*chosen), visit, account);
      });
}

void Decider::callDriver(const Op& op, Sendings sendings, const Visit& visit, const std::string& account) {
  auto results = std::make_shared<std::vector<ItemResult>>();
  auto context = callContext(visit, kMutationDeadlineMs);
  std::vector<MachineRef> refs;
  for (const Sending& item : sendings.items) {
    refs.push_back(refOf(item.machine, item.index));
    refs.back().display_name = item.display_name;
  }
  const DriverSlot& slot = *visit.slot;
  runOn(
      *poolOf(slot).executor,
      [this, results, context = std::move(context), refs, op, request = visit.request, driver = slot.driver]() mutable {
        if (context.ok() && !mayCall()) context = aborted("another controller has taken over");
        if (!context.ok()) {
          Status error = context.status();
          results->assign(refs.size(), {.error = Status(error.code(), error.message(), Outcome::kNotApplied)});
          return;
        }
        context->op_id = op.op_id;
        context->attempt = op.attempt;
        *results = callOf(op.verb, *driver, *context, request->spec, refs);
      },
      [this, results, op, visit, account, sendings = std::move(sendings)] {
        leaveDriver(*visit.slot, account);
        for (const Sending& item : sendings.items) {
          busy_.erase(item.machine.node_id);
          sightings_.erase(item.machine.machine_id);
        }
        recordResults(op, sendings, *results, visit);
      });
}

void Decider::recordResults(const Op& sent, const Sendings& sendings, const std::vector<ItemResult>& results,
                            const Visit& asked) {
  const std::vector<Sending>& items = sendings.items;
  const DriverSlot& slot = *asked.slot;
  Status error;
  std::vector<Answer> answers;
  std::vector<std::string> called;   // busy with this, and nothing else
  std::vector<std::string> members;  // of the op: what they wait for may have changed
  for (std::size_t i = 0; i < items.size(); ++i) {
    ItemResult result =
        i < results.size()
            ? results[i]
            : ItemResult{.error = Status(Code::kUnknown, "the driver gave no answer", Outcome::kUnknown)};
    if (result.state == ItemState::kFailed) {
      error = result.error;
      seams_.log.warn("OP_ITEM_FAILED", result.error.message(),
                      {{"op", sent.op_id},
                       {"verb", opVerbName(sent.verb)},
                       {"item", items[i].index},
                       {"instance", slot.instance},
                       {"code", codeName(result.error.code())},
                       {"provider_code", result.error.providerCode()}});
    }
    called.push_back(items[i].machine.node_id);
    answers.push_back({items[i].index, std::move(result), items[i].was_in_doubt});
  }
  seams_.store.read([&](const ReadTx& tx) {
    for (const OpItem& item : sent.items) {
      if (const Machine* machine = tx.machines().find(item.machine_id)) members.push_back(machine->node_id);
    }
  });
  heed(asked, error, sent.verb == OpVerb::kCreate ? CallKind::kCreate : CallKind::kExisting);
  const bool asserted = slot.driver->info().existence == Existence::kAsserted;
  auto unrecorded = std::make_shared<bool>(false);
  auto halved = std::make_shared<bool>(false);
  commit(
      called,
      [this, answers, asserted, unrecorded, halved, op_id = sent.op_id](Tx& tx) -> Status {
        const Op* found = tx.ops().find(op_id);
        *unrecorded = !found;
        if (!found) return okStatus();
        return recordAnswers(tx, *found, answers, asserted, seams_.random, *halved);
      },
      [this, called, members, sent, sendings, results, unrecorded, halved, asked](const Status& status) {
        if (status.ok()) {
          if (*unrecorded) warnUnrecorded(seams_.log, sent, sendings.items, results, asked.slot->instance);
          if (sent.verb == OpVerb::kCreate) noteBatch(sent, results, *halved, asked);
          if (!sendings.others_may_go) ops_in_flight_.erase(sent.op_id);
          revisit(members);
          return;
        }
        // The answer must not be lost: it may hold the only id of something that costs money. Until it is recorded
        // nothing else begins with these nodes.
        for (const std::string& id : called) busy_.insert(id);
        later(kRecordRetryMs,
              [this, sent, sendings, results, asked] { recordResults(sent, sendings, results, asked); });
      });
}

/// A unit whose batches are too many for its cloud gets smaller ones, until they succeed.
void Decider::noteBatch(const Op& sent, const std::vector<ItemResult>& results, bool halved, const Visit& asked) {
  const std::string& unit_id = asked.unit.unit_id;
  if (halved) {
    batch_limits_[unit_id] = (sent.items.size() + 1) / 2;
    return;
  }
  const auto limit = batch_limits_.find(unit_id);
  if (limit == batch_limits_.end()) return;
  const bool good = std::ranges::all_of(results, [](const ItemResult& r) { return r.state != ItemState::kFailed; });
  if (!good || results.size() < limit->second) return;
  limit->second *= 2;
  if (limit->second >= asked.slot->driver->info().max_batch) batch_limits_.erase(limit);
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
