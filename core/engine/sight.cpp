// SPDX-License-Identifier: Apache-2.0
#include "engine/sight.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/transitions.h"
#include "model/doubt.h"

namespace vcc {

namespace {

/// Takes over what a look found into the machine.
void learn(Machine& machine, const Observation& seen) {
  machine.absent_since = 0;
  machine.observed = seen.state;
  machine.observed_reason = seen.reason;
  if (!seen.cloud_id.empty()) machine.cloud_id = seen.cloud_id;
  if (!seen.address.empty()) machine.address = seen.address;
  if (seen.size_gib > 0) machine.size_gib = seen.size_gib;
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
    node.fault = {tx.now(),
                  fmt::format("the cloud reports the {} as failed: {}", isDisk(machine) ? "disk" : "machine", detail)};
    return tx.nodes().put(std::move(node));
  }
  // The same as if its create had been refused so.
  Status error(seen.failure, detail, Outcome::kNotApplied);
  error.withProviderCode(seen.provider_code);
  machine.want_destroy = true;
  const std::string_view attempted = isDisk(machine) ? "making the disk" : "booting the machine";
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return recordFailure(tx, std::move(node), {attempted, error, CallKind::kCreate, profile.asserted}, random);
}

}  // namespace

bool isListEnough(const Node& node, const Machine& machine) {
  if (!machine.open_op.empty() || inDoubt(machine) || machine.absent_since > 0) return false;
  return node.step == Step::kAddress || node.step == Step::kVerify;
}

bool needsPointRead(const Node& node, const Machine& machine, const Observation& seen) {
  const bool going = node.goal == Goal::kGone || machine.want_destroy;
  switch (seen.state) {
    case MachineState::kRunning:
      return seen.address.empty() && machine.address.empty();
    case MachineState::kProvisioning:
    case MachineState::kStopping:
    case MachineState::kStopped:
      return false;
    case MachineState::kTerminating:
      return !going;
    case MachineState::kUnspecified:
    case MachineState::kGone:
    case MachineState::kFailed:
      return true;
  }
  return true;
}

bool isNews(const Node& node, const Machine& machine, const Observation& seen) {
  if (!seen.found || machine.absent_since > 0 || inDoubt(machine)) return true;
  if (seen.state != machine.observed || seen.reason != machine.observed_reason) return true;
  if (!seen.cloud_id.empty() && seen.cloud_id != machine.cloud_id) return true;
  if (!seen.address.empty() && seen.address != machine.address) return true;
  if (seen.size_gib > 0 && seen.size_gib != machine.size_gib) return true;
  if (node.attempts > 0 || node.next_at > 0 || seen.state == MachineState::kFailed) return true;
  return !std::ranges::all_of(seen.resources, [&](const Resource& part) {
    const bool known = std::ranges::find(machine.resources, part) != machine.resources.end();
    return known || part.id.empty();
  });
}

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

}  // namespace vcc
