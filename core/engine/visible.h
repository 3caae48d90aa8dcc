// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/encoding.h"
#include "engine/commands.h"
#include "engine/lifecycle.h"

/// What a caller may name in a command, inside a transaction. `AnyTx` is Tx or ReadTx.
namespace vcc {

/// "<vcid>:<unit>:| Conflict: <why>", the documented form of a refusal by state (spec/rest-protocol 3.1).
inline Status stateConflict(const std::string& vcid, const std::string& unit, std::string_view why) {
  return failedPrecondition(fmt::format("{}:{}:| Conflict: {}", vcid, unit, why));
}

inline Status notWhileDeleting(const std::string& vcid, const std::string& unit) {
  return stateConflict(vcid, unit, "it is being deleted, so cannot apply");
}

/// kNotFound; kPermissionDenied when it belongs to somebody else.
template <typename AnyTx>
Result<Vc> visibleVc(AnyTx& tx, const Caller& caller, const std::string& vcid) {
  const Vc* vc = tx.vcs().find(vcid);
  if (!vc) return notFound(fmt::format("UnitGroup {} does not exist", cleanUtf8(vcid, 64)));
  VCC_RETURN_IF_ERROR(checkOwner(caller, *vc));
  return *vc;
}

/// The unit of that name; the VC's owner was checked or does not matter.
template <typename AnyTx>
Result<Unit> unitOf(AnyTx& tx, const std::string& vcid, const std::string& name) {
  for (Unit& unit : unitsOf(tx, vcid)) {
    if (unit.name == name) return std::move(unit);
  }
  return notFound(fmt::format("unit {} does not exist in UnitGroup {}", cleanUtf8(name, 64), vcid));
}

template <typename AnyTx>
Result<Unit> visibleUnit(AnyTx& tx, const Caller& caller, const std::string& vcid, const std::string& name) {
  VCC_RETURN_IF_ERROR(visibleVc(tx, caller, vcid).status());
  return unitOf(tx, vcid, name);
}

/// The node of that id, in that unit.
template <typename AnyTx>
Result<Node> nodeOf(AnyTx& tx, const Unit& unit, const std::string& node_id) {
  const Node* node = tx.nodes().find(node_id);
  if (node && node->unit_id == unit.unit_id) return *node;
  return notFound(fmt::format("node {} does not exist in unit {}", cleanUtf8(node_id, 64), unit.name));
}

}  // namespace vcc
