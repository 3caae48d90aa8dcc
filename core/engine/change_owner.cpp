// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "base/encoding.h"
#include "engine/commands.h"
#include "engine/lifecycle.h"

namespace vcc {

namespace {

/// Only the user's limits: what changes hands is there already.
Limits withoutTotals(Limits limits) {
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  limits.nodes_per_unit = limits.nodes_total = limits.units_total = kAny;
  return limits;
}

}  // namespace

Status Commands::changeOwner(const Caller& caller, const std::string& vcid, const std::string& owner) {
  return seams_.store.transact([&](Tx& tx) -> Status {
    const Vc* found = tx.vcs().find(vcid);
    if (!found) return notFound(fmt::format("UnitGroup {} does not exist", cleanUtf8(vcid, 64)));
    VCC_RETURN_IF_ERROR(checkOwner(caller, *found));
    if (!tx.users().find(owner)) {
      return invalidArgument(
          fmt::format("owner: there is no user {}; make one with `vcc user add`", cleanUtf8(owner, 64)));
    }
    if (found->owner == owner) return okStatus();
    const auto units = static_cast<std::int64_t>(tx.units().count("vcid", vcid));
    const auto nodes = static_cast<std::int64_t>(tx.nodes().count("vcid", vcid));
    VCC_RETURN_IF_ERROR(checkRoomForVc(tx, seams_.limits, owner));
    VCC_RETURN_IF_ERROR(checkRoomForUnits(tx, withoutTotals(seams_.limits), owner, units));
    VCC_RETURN_IF_ERROR(checkRoomForNodes(tx, withoutTotals(seams_.limits), owner, 0, nodes));
    Vc vc = *found;
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vcid,
                                         .object = "vc " + vc.name,
                                         .object_id = vcid,
                                         .from = "owner " + vc.owner,
                                         .to = "owner " + owner,
                                         .reason = "given by " + caller.principal.user,
                                         .op_id = ""}));
    vc.owner = owner;
    return tx.vcs().put(std::move(vc));
  });
}

}  // namespace vcc
