// SPDX-License-Identifier: Apache-2.0
#include "model/power.h"

namespace vcc {

bool showsPower(const Machine& machine, OpVerb verb) {
  if (machine.absent_since > 0) return false;
  if (verb == OpVerb::kPowerOff) {
    return machine.observed == MachineState::kStopped || machine.observed == MachineState::kStopping;
  }
  return machine.observed == MachineState::kRunning || machine.observed == MachineState::kProvisioning;
}

bool isUnansweredPower(const OpItem& item, const Op& op) { return item.state == ItemState::kOpen && op.sent_at > 0; }

bool mayBeSwitched(const OpItem& item, const Op& op, const Machine& machine) {
  return !isUnansweredPower(item, op) || machine.observed_at > op.sent_at;
}

std::int64_t powerCertainAt(const Op& op, const Profile& profile) {
  return op.sent_at + profile.settle_ms + profile.lookup_lag_ms;
}

bool isPowerWanted(OpVerb verb, const Node& node, const Machine& machine) {
  if (machine.want_destroy || !needsMachine(node.goal)) return false;
  const bool off = node.goal == Goal::kPowerOff || node.step == Step::kDiskOff;
  // When the disks hang on the machine it is switched on from kAttach, where it was to be off before.
  return off == (verb == OpVerb::kPowerOff) || node.step == Step::kAttach;
}

}  // namespace vcc
