// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "engine/address_choice.h"
#include "engine/admission.h"
#include "engine/decider.h"
#include "engine/lifecycle.h"
#include "engine/spec_json.h"
#include "engine/transitions.h"
#include "model/power.h"
#include "secrets/sealed_records.h"

/// Intents: the ops that give machines to nodes and take them away, gathered into batches (architecture 3.4).
namespace vcc {

namespace {

/// Fills ops up to `max_batch` items and stores them.
class OpBuilder {
 public:
  OpBuilder(Op pattern, std::size_t max_batch, Random& random)
      : pattern_(std::move(pattern)), max_batch_(max_batch), random_(random) {}

  /// The op that the next item goes into.
  const Op& open(Tx& tx) {
    if (op_.op_id.empty()) {
      op_ = pattern_;
      op_.op_id = newId(random_);
      op_.created_at = tx.now();
    }
    return op_;
  }
  Status add(Tx& tx, const std::string& machine_id) {
    op_.items.push_back({.machine_id = machine_id});
    return op_.items.size() >= max_batch_ ? flush(tx) : okStatus();
  }
  Status flush(Tx& tx) {
    if (op_.items.empty()) return okStatus();
    Op full = std::move(op_);
    op_ = {};
    return tx.ops().put(std::move(full));
  }

 private:
  Op pattern_;
  std::size_t max_batch_;
  Random& random_;
  Op op_;
};

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
  const bool disks = sample->unit.kind == UnitKind::kStorage;
  const bool needs_address = info.needs_address && !disks;
  std::optional<MachineAccess> access;
  if (cci.ok() && !disks) {
    access = {loginUser(cci->cloud_params, info.secret_keys), options_.public_key, sample->entry.ssh_port};
  }
  const auto spec = split.ok() ? machineRequest(split->clear,
                                                {sample->unit.provider, options_.vcc_id, sample->vc.vcid,
                                                 sample->vc.name, sample->unit.name, sample->vc.owner},
                                                access)
                               : Result<std::string>(split.status());
  const auto pool = needs_address && spec.ok() ? AddressPool::of(sample->entry, options_.own_addresses)
                                               : Result<AddressPool>(spec.status());
  if (!spec.ok() || (needs_address && !pool.ok())) {
    for (const std::string& id : node_ids) {
      if (const auto damaged = look(id); damaged.ok()) giveUp(*damaged, pool.status().message());
    }
    return;
  }
  const Op pattern{.verb = OpVerb::kCreate,
                   .vcid = sample->unit.vcid,
                   .instance = sample->unit.instance,
                   .scope = scopeOf(sample->unit.instance, sample->unit.network,
                                    sample->grant.fingerprint.substr(0, 16), sample->entry.json),
                   .fence = fence_};
  const Machine machine{.unit_id = unit_id,
                        .vcid = sample->unit.vcid,
                        .instance = sample->unit.instance,
                        .scope = pattern.scope,
                        .grant_id = sample->grant.grant_id,
                        .network = sample->unit.network,
                        .kind = sample->unit.kind};
  const Address taker{.instance = machine.instance,
                      .network = addressSpace(info, machine.network),
                      .ip = {},
                      .node_id = {},
                      .vcid = machine.vcid};
  const std::string request_id = newId(seams_.random);
  const auto limit = batch_limits_.find(unit_id);
  const std::size_t most = std::max<std::size_t>(info.max_batch, 1);
  commit(node_ids,
         [this, node_ids, pattern, machine, taker, request_id,
          max_batch = limit == batch_limits_.end() ? most : std::min(most, limit->second),
          place = sweeper_->placeOf(machine, info, sample->entry.json),
          text = freeze({*spec, sample->entry.json}, request_id, seams_.sealer),
          fresh_pool = needs_address ? std::optional(*pool) : std::nullopt](Tx& tx) -> Status {
           const Unit* unit = tx.units().find(machine.unit_id);
           if (!unit || unit->grant_id != machine.grant_id) return okStatus();  // nodes are visited again
           auto chooser = fresh_pool;
           const Request request{request_id, text, tx.now()};
           // A cloud may batch machines whose address it chooses, and not those with a fixed one.
           std::array<OpBuilder, 2> builders{OpBuilder(pattern, max_batch, seams_.random),
                                             OpBuilder(pattern, max_batch, seams_.random)};
           bool used = false;
           for (const std::string& id : node_ids) {
             const Node* found = tx.nodes().find(id);
             if (!found || !found->machine_id.empty() || !needsMachine(found->goal)) continue;
             Node node = *found;
             Machine made = machine;
             made.requested_address = node.requested_address;
             if (made.requested_address.empty() && chooser) {
               Address wish = taker;
               wish.node_id = id;
               const auto chosen = chooser->take(tx, std::move(wish));
               if (!chosen.ok()) {
                 VCC_RETURN_IF_ERROR(recordFailure(tx, std::move(node),
                                                   {"choosing an address", chosen.status(), CallKind::kCreate, false},
                                                   seams_.random));
                 continue;
               }
               made.requested_address = *chosen;
             }
             OpBuilder& builder = builders[made.requested_address.empty() ? 0 : 1];
             made.machine_id = newId(seams_.random);
             made.node_id = id;
             made.name = fmt::format("vcp-{}-{}", options_.vcc_id.substr(0, 8), randomHex(seams_.random, 10));
             made.create_op = made.open_op = builder.open(tx).op_id;
             made.request_id = request.request_id;
             made.created_at = tx.now();
             node.machine_id = made.machine_id;
             beginStep(node, Step::kCreate, tx.now());
             used = true;
             VCC_RETURN_IF_ERROR(builder.add(tx, made.machine_id));
             VCC_RETURN_IF_ERROR(tx.machines().put(std::move(made)));
             VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
           }
           for (OpBuilder& builder : builders) VCC_RETURN_IF_ERROR(builder.flush(tx));
           if (used && !place.scope.empty()) VCC_RETURN_IF_ERROR(notePlace(tx, place));
           return used ? tx.requests().put(request) : okStatus();
         });
}

void Decider::wantChange(const Visit& visit, OpVerb verb) {
  // The answer of a call that is under way for others revisits this one too.
  if (visit.op && ops_in_flight_.contains(visit.op->op_id)) return;
  busy_.insert(visit.node.node_id);
  changes_[{visit.account(), visit.machine->vcid, verb}].push_back(visit);
}

void Decider::flushChanges() {
  auto wanted = std::move(changes_);
  changes_.clear();
  for (const auto& [place, visits] : wanted) {
    const OpVerb verb = std::get<OpVerb>(place);
    const Op pattern{.verb = verb,
                     .vcid = visits.front().machine->vcid,
                     .instance = visits.front().machine->instance,
                     .scope = visits.front().machine->scope,
                     .fence = fence_};
    const std::size_t max_batch = std::max<std::size_t>(visits.front().slot->driver->info().max_batch, 1);
    std::vector<std::string> node_ids;
    std::vector<std::string> machine_ids;
    for (const Visit& visit : visits) {
      node_ids.push_back(visit.node.node_id);
      machine_ids.push_back(visit.machine->machine_id);
    }
    commit(node_ids, [this, machine_ids, pattern, verb, max_batch](Tx& tx) -> Status {
      OpBuilder builder(pattern, max_batch, seams_.random);
      for (const std::string& id : machine_ids) {
        const Machine* present = tx.machines().find(id);
        const Node* found = present ? tx.nodes().find(present->node_id) : nullptr;
        if (!found || (isPower(verb) && !isPowerWanted(verb, *found, *present))) continue;
        if (const Op* before = present->open_op.empty() ? nullptr : tx.ops().find(present->open_op)) {
          VCC_RETURN_IF_ERROR(closeItem(tx, Op(*before), id, ItemState::kFailed));
          present = tx.machines().find(id);
        }
        Machine machine = *present;
        machine.open_op = builder.open(tx).op_id;
        machine.want_destroy = machine.want_destroy || !isPower(verb);
        Node node = *found;
        beginStep(node, isPower(verb) ? powerStep(verb, node) : Step::kDestroy, tx.now());
        VCC_RETURN_IF_ERROR(builder.add(tx, id));
        VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
        VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
      }
      return builder.flush(tx);
    });
  }
}

}  // namespace vcc
