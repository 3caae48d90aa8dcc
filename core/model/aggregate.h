// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "model/records.h"

/// The states of units and VCs: computed from their nodes at read, never stored. Pure.
namespace vcc {

/// The wire state of a unit whose nodes (or disks) are in `nodes` (spec/rest-protocol 8.2 and 15 #8, design/choices):
/// DELETING once its deletion was accepted, whatever its nodes show; else ERROR for a fault of the unit or any node in
/// ERROR; RUNNING without nodes; the state that all share; INDEFINITE for a mixture.
State unitState(const Unit& unit, std::span<const State> nodes);

/// The wire state of a VC (spec/rest-protocol 8.1): ERROR while a unit is, else DELETING while it is being deleted,
/// else APPLYING while a unit is on its way, else RUNNING. `nodes_pending` is true when any node of the VC is in a
/// transient state: a unit in INDEFINITE alone does not tell.
VcState vcState(const Vc& vc, std::span<const State> units, bool nodes_pending);

}  // namespace vcc
