// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "engine/decider.h"
#include "engine/lifecycle.h"
#include "engine/transitions.h"
#include "model/doubt.h"

/// Point reads, gathered by account: while one call is under way the next ones wait and go together (architecture 3.6).
namespace vcc {

namespace {

constexpr std::int64_t kObserveDeadlineMs = 60000;

/// What a look without an answer leads to: the machine's record stays as it is, the node is visited later.
Status recordBlindLook(Tx& tx, Node node, const Status& error, Random& random) {
  if (node.settled() && node.goal != Goal::kGone) return okStatus();  // it was a hint that asked; nothing waits for it
  return recordFailure(tx, std::move(node), {"looking at the machine", error, CallKind::kExisting, false}, random);
}

/// Takes over what a look found into the machine.
void learn(Machine& machine, const Observation& seen) {
  machine.absent_since = 0;
  machine.observed = seen.state;
  machine.observed_reason = seen.reason;
  if (!seen.cloud_id.empty()) machine.cloud_id = seen.cloud_id;
  if (!seen.address.empty()) machine.address = seen.address;
  mergeResources(machine.resources, seen.resources);
}

std::string wrongAddress(const Machine& machine) {
  if (machine.requested_address.empty() || machine.address.empty()) return {};
  if (machine.address == machine.requested_address) return {};
  return fmt::format("the machine has the address {}, but {} was asked for; report this to the driver's vendor",
                     machine.address, machine.requested_address);
}

/// What a machine that was found means for a node that is booting.
Status judgeSight(Tx& tx, Node node, Machine machine, const Observation& seen, const Profile& profile, Random& random) {
  if (seen.state == MachineState::kRunning && node.boot_at == 0) node.boot_at = tx.now();
  const std::string wrong = wrongAddress(machine);
  if (!wrong.empty()) node.fault = {tx.now(), wrong};
  // An existing server was let in by its address: nothing is sent to another one.
  if (!wrong.empty() && profile.asserted) return endInError(tx, std::move(node), wrong, true);
  if (seen.state != MachineState::kFailed) return tx.nodes().put(std::move(node));
  const std::string detail = seen.detail.empty() ? std::string("the cloud gives no reason") : seen.detail;
  if (seen.failure == Code::kOk || !machine.open_op.empty()) {
    node.fault = {tx.now(), fmt::format("the cloud reports the machine as failed: {}", detail)};
    return tx.nodes().put(std::move(node));
  }
  // The same as if its create had been refused so.
  Status error(seen.failure, detail, Outcome::kNotApplied);
  error.withProviderCode(seen.provider_code);
  machine.want_destroy = true;
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return recordFailure(tx, std::move(node), {"booting the machine", error, CallKind::kCreate, profile.asserted},
                       random);
}

/// `begun`: when the look began; what happened later it cannot have seen.
Status recordSight(Tx& tx, Node node, Machine machine, const Observation& seen, std::int64_t begun,
                   const Profile& profile, Random& random) {
  machine.observed_at = begun;
  if (seen.found) {
    learn(machine, seen);
  } else if (machine.absent_since == 0) {
    machine.absent_since = begun;
  }
  lookAtDoubt(machine, begun, profile);
  node.attempts = 0;
  node.next_at = 0;
  VCC_RETURN_IF_ERROR(tx.machines().put(machine));
  const bool booting = node.goal != Goal::kGone && !node.settled() && !machine.want_destroy;
  if (seen.found && booting) return judgeSight(tx, std::move(node), std::move(machine), seen, profile, random);
  return tx.nodes().put(std::move(node));
}

}  // namespace

void Decider::wantObservation(const Visit& visit) {
  busy_.insert(visit.node.node_id);
  lookups_[visit.account()].waiting.push_back(visit);
}

void Decider::flushObservations() {
  for (auto it = lookups_.begin(); it != lookups_.end();) {
    Lookups& lookups = it->second;
    if (lookups.in_flight) {
      ++it;
      continue;
    }
    if (lookups.waiting.empty()) {
      it = lookups_.erase(it);
      continue;
    }
    const std::string account = it->first;
    const DriverSlot& slot = *lookups.waiting.front().slot;
    const std::size_t count =
        std::min<std::size_t>(lookups.waiting.size(), std::max<std::size_t>(slot.driver->info().max_observe, 1));
    std::vector<MachineRef> refs;
    std::vector<Visit> looked(lookups.waiting.begin(), lookups.waiting.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) refs.push_back(refOf(*looked[i].machine, i));
    auto context = callContext(lookups.waiting.front(), kObserveDeadlineMs);
    lookups.waiting.erase(lookups.waiting.begin(), lookups.waiting.begin() + static_cast<std::ptrdiff_t>(count));
    lookups.in_flight = true;
    auto seen = std::make_shared<std::vector<Observation>>();
    runOn(
        driverExecutor(slot),
        [seen, refs, context = std::move(context), driver = slot.driver] {
          if (!context.ok()) {
            seen->assign(refs.size(), {.error = context.status()});
          } else {
            *seen = driver->observe(*context, refs);
          }
        },
        [this, account, seen, looked = std::move(looked), begun = seams_.store.now()] {
          lookups_[account].in_flight = false;
          recordObservations(looked, *seen, begun);
        });
    ++it;
  }
}

void Decider::recordObservations(const std::vector<Visit>& looked, const std::vector<Observation>& seen,
                                 std::int64_t begun) {
  std::vector<std::string> node_ids;
  for (const Visit& visit : looked) node_ids.push_back(visit.node.node_id);
  commit(node_ids, [this, looked, seen, begun](Tx& tx) -> Status {
    for (std::size_t i = 0; i < looked.size(); ++i) {
      const Node* node = tx.nodes().find(looked[i].node.node_id);
      const Machine* machine = tx.machines().find(looked[i].machine->machine_id);
      if (!node || !machine) continue;
      const Status error =
          i < seen.size() ? seen[i].error : Status(Code::kUnknown, "the driver said nothing about the machine");
      VCC_RETURN_IF_ERROR(error.ok()
                              ? recordSight(tx, *node, *machine, seen[i], begun, looked[i].profile, seams_.random)
                              : recordBlindLook(tx, *node, error, seams_.random));
    }
    return okStatus();
  });
}

}  // namespace vcc
