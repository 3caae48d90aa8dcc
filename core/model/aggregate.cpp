// SPDX-License-Identifier: Apache-2.0
#include "model/aggregate.h"

#include <algorithm>

namespace vcc {

State unitState(const Unit& unit, std::span<const State> nodes) {
  if (unit.deleting) return State::kDeleting;
  if (!unit.fault.text.empty() || std::ranges::count(nodes, State::kError) > 0) return State::kError;
  if (nodes.empty()) return State::kRunning;
  const bool alike = std::ranges::all_of(nodes, [&](State state) { return state == nodes.front(); });
  return alike ? nodes.front() : State::kIndefinite;
}

VcState vcState(const Vc& vc, std::span<const State> units, bool nodes_pending) {
  if (std::ranges::count(units, State::kError) > 0) return VcState::kError;
  if (vc.deleting) return VcState::kDeleting;
  const bool pending = nodes_pending || std::ranges::any_of(units, isTransient);
  return pending ? VcState::kApplying : VcState::kRunning;
}

}  // namespace vcc
