// SPDX-License-Identifier: Apache-2.0
#include "engine/sight.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/transitions.h"
#include "model/doubt.h"
#include "model/power.h"

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

/// What a machine that was found means for a node that needs it.
Status judgeSight(Tx& tx, Node node, Machine machine, const Observation& seen, const Profile& profile, Random& random) {
  if (seen.state == MachineState::kRunning && node.boot_at == 0) node.boot_at = tx.now();
  const std::string wrong = wrongAddress(machine);
  if (!wrong.empty()) node.fault = {tx.now(), wrong};
  // An existing server was let in by its address: nothing is sent to another one.
  if (!wrong.empty() && profile.asserted) return endInError(tx, std::move(node), wrong, true);
  if (seen.state != MachineState::kFailed) return tx.nodes().put(std::move(node));
  const bool disk = machine.kind == UnitKind::kStorage;
  const std::string detail = seen.detail.empty() ? std::string("the cloud gives no reason") : seen.detail;
  // A machine that has served holds what its user left there.
  if (seen.failure == Code::kOk || !machine.open_op.empty() || node.container_started > 0) {
    node.fault = {tx.now(), fmt::format("the cloud reports the {} as failed: {}", disk ? "disk" : "machine", detail)};
    return tx.nodes().put(std::move(node));
  }
  // The same as if its create had been refused so.
  Status error(seen.failure, detail, Outcome::kNotApplied);
  error.withProviderCode(seen.provider_code);
  machine.want_destroy = true;
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  const std::string_view attempted = disk ? "making the disk" : "booting the machine";
  return recordFailure(tx, std::move(node), {attempted, error, CallKind::kCreate, profile.asserted}, random);
}

/// How far two looks that find a machine in trouble are apart, at least.
constexpr std::int64_t kWitnessGapMs = 5000;

/// True for a state that a settled node's machine should not be in.
bool isTrouble(Goal goal, MachineState state) {
  switch (state) {
    case MachineState::kTerminating:
    case MachineState::kGone:
    case MachineState::kFailed:
      return true;
    case MachineState::kStopping:
    case MachineState::kStopped:
      return goal != Goal::kPowerOff;
    case MachineState::kUnspecified:
    case MachineState::kProvisioning:
    case MachineState::kRunning:
      break;
  }
  return false;
}

bool isTrouble(const Node& node, const Observation& seen) { return !seen.found || isTrouble(node.goal, seen.state); }

/// True for the look that shows what was asked for before somebody cleared the processing.
bool isOffAtLast(const Node& node, const Observation& seen) {
  return isGoingOff(node) && seen.found && seen.state == MachineState::kStopped;
}

/// When the machine was first found in trouble; 0 = it was well at the last look.
std::int64_t troubledSince(const Node& node, const Machine& machine) {
  if (machine.absent_since > 0) return machine.absent_since;
  return isTrouble(node.goal, machine.observed) ? machine.observed_at : 0;
}

std::string_view causeOf(Reason reason) {
  switch (reason) {
    case Reason::kRequested:
      return "somebody asked for it";
    case Reason::kInterrupted:
      return "the cloud interrupted it";
    case Reason::kHostFailure:
      return "its host failed";
    case Reason::kUnpaid:
      return "the account is not paid for";
    case Reason::kUnknown:
      break;
  }
  return "the cloud gives no reason";
}

std::string troubleText(const Machine& machine, const Observation& seen) {
  std::string_view what = "does not exist any more";
  if (seen.found) {
    const bool off = seen.state == MachineState::kStopped || seen.state == MachineState::kStopping;
    what = off ? "was switched off" : seen.state == MachineState::kFailed ? "has failed" : "was taken away";
  }
  return fmt::format("machine {} {}: {}{}; nothing is repaired unasked: mend it in the cloud, or delete the node",
                     machine.cloud_id.empty() ? machine.name : machine.cloud_id, what, causeOf(seen.reason),
                     seen.detail.empty() ? std::string() : fmt::format(" ({})", seen.detail));
}

/// What a look means for a settled node. `before`: the machine as it was recorded.
Status judgeSettled(Tx& tx, Node node, const Machine& before, const Observation& seen, std::int64_t begun,
                    const Profile& profile) {
  if (!isTrouble(node, seen)) {
    if (node.state != State::kHostError) return tx.nodes().put(std::move(node));
    // What is on the machine must answer as well (engine/watcher.h).
    if (profile.watched) return tx.nodes().put(std::move(node));
    node.fault = {};
    const State back = settledState(node.goal);
    return setState(tx, std::move(node), back, {"the machine is back", ""});
  }
  if (node.state == State::kHostError) return tx.nodes().put(std::move(node));
  const bool final = seen.found && (seen.state == MachineState::kGone || seen.state == MachineState::kFailed);
  const std::int64_t since = troubledSince(node, before);
  const bool seen_twice = since > 0 && begun - since >= std::max(kWitnessGapMs, profile.lookup_lag_ms);
  if (!final && !seen_twice) return tx.nodes().put(std::move(node));
  const std::string text = troubleText(before, seen);
  node.fault = {tx.now(), text};
  return setState(tx, std::move(node), State::kHostError, {text, ""});
}

}  // namespace

bool isWatched(const Node& node, const Machine& machine) {
  if (machine.kind == UnitKind::kStorage) return false;  // the wire has no state for a disk that is lost
  if (!node.watch_mode || !node.settled()) return false;
  if (node.goal == Goal::kGone || node.goal == Goal::kStopped) return false;
  return node.state != State::kError && !machine.want_destroy && machine.open_op.empty();
}

bool isTroubled(const Node& node, const Machine& machine) { return troubledSince(node, machine) > 0; }

bool isSuspect(const Node& node, const Machine& machine, const Observation* seen) {
  const bool trouble = seen == nullptr || isTrouble(node, *seen);
  if (node.state == State::kHostError) return !trouble;
  return trouble || troubledSince(node, machine) > 0;
}

std::optional<std::int64_t> secondLookAt(const Node& node, const Machine& machine, const Profile& profile) {
  const std::int64_t since = troubledSince(node, machine);
  if (since == 0 || node.state == State::kHostError) return std::nullopt;
  return since + std::max(kWitnessGapMs, profile.lookup_lag_ms);
}

bool isListEnough(const Node& node, const Machine& machine) {
  if (machine.kind == UnitKind::kStorage) return false;  // lists show machines only
  if (!machine.open_op.empty() || inDoubt(machine) || machine.absent_since > 0) return false;
  return node.step == Step::kAddress || node.step == Step::kVerify;
}

bool needsPointRead(const Node& node, const Machine& machine, const Observation& seen) {
  const bool going = !needsMachine(node.goal) || machine.want_destroy;
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
  if (isOffAtLast(node, seen)) return true;
  if (isWatched(node, machine)) {
    const bool trouble = isTrouble(node, seen);
    if (trouble != (node.state == State::kHostError)) return true;
    if (trouble) return false;  // as it was
  }
  if (!seen.found || machine.absent_since > 0 || inDoubt(machine)) return true;
  if (seen.state != machine.observed || seen.reason != machine.observed_reason) return true;
  if (!seen.cloud_id.empty() && seen.cloud_id != machine.cloud_id) return true;
  if (!seen.address.empty() && seen.address != machine.address) return true;
  // Whether an op may be sent again is decided by what is recorded.
  const bool switching = node.step == Step::kPowerOff || node.step == Step::kPowerOn || node.step == Step::kDiskOff;
  if (switching && !machine.open_op.empty()) return true;
  if (seen.size_gib > 0 && seen.size_gib != machine.size_gib) return true;
  if (node.attempts > 0 || node.next_at > 0 || seen.state == MachineState::kFailed) return true;
  return !std::ranges::all_of(seen.resources, [&](const Resource& part) {
    const bool known = std::ranges::find(machine.resources, part) != machine.resources.end();
    return known || part.id.empty();
  });
}

Status recordSight(Tx& tx, Node node, Machine machine, const Observation& seen, std::int64_t begun,
                   const Profile& profile, Random& random) {
  const Machine before = machine;
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
  const bool booting = needsMachine(node.goal) && !node.settled() && !machine.want_destroy;
  if (seen.found && booting) return judgeSight(tx, std::move(node), std::move(machine), seen, profile, random);
  if (isOffAtLast(node, seen)) {
    const std::string by = node.goal_by;
    return acceptGoal(tx, std::move(node), Goal::kPowerOff, by, {"its machine went off, as was asked before", ""});
  }
  if (isGoingOff(node) && seen.found && seen.state == MachineState::kStopping) return tx.nodes().put(std::move(node));
  if (isWatched(node, machine) && !profile.asserted) {
    return judgeSettled(tx, std::move(node), before, seen, begun, profile);
  }
  return tx.nodes().put(std::move(node));
}

}  // namespace vcc
