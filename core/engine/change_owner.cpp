// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/encoding.h"
#include "engine/commands.h"
#include "engine/lifecycle.h"

namespace vcc {

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
    std::int64_t owned = 0;
    tx.vcs().scan([&](const Vc& other) {
      owned += other.owner == owner ? 1 : 0;
      return true;
    });
    if (owned >= seams_.limits.vcs_per_user) {
      return resourceExhausted(fmt::format("user {} has {} UnitGroups, the limit", owner, owned));
    }
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
