// SPDX-License-Identifier: Apache-2.0
#include "engine/limits.h"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "store/schema.h"

namespace vcc {
namespace {

void eachVc(Tx& tx, const std::string& owner, const std::function<bool(const Vc&)>& visit) {
  tx.vcs().scan("owner", owner, visit);
}

std::string scopeOf(Tx& tx, const Unit& unit) {
  const Grant* grant = unit.grant_id.empty() ? nullptr : tx.grants().find(unit.grant_id);
  return joinKey(joinKey(unit.instance, unit.network), grant ? grant->fingerprint : std::string());
}

}  // namespace

Status checkRoomForVc(Tx& tx, const Limits& limits, const std::string& owner) {
  const auto owned = static_cast<std::int64_t>(tx.vcs().count("owner", owner));
  if (owned < limits.vcs_per_user) return okStatus();
  return resourceExhausted(fmt::format("user {} has {} UnitGroups, the limit; delete one first", owner, owned));
}

Status checkRoomForNodes(Tx& tx, const Limits& limits, const std::string& owner, std::int64_t in_unit,
                         std::int64_t adding) {
  if (in_unit + adding > limits.nodes_per_unit) {
    return resourceExhausted(fmt::format("the unit would have {} nodes or disks; the limit is {} a unit",
                                         in_unit + adding, limits.nodes_per_unit));
  }
  const auto total = static_cast<std::int64_t>(tx.nodes().size());
  if (total + adding > limits.nodes_total) {
    return resourceExhausted(
        fmt::format("the controller would have {} nodes and disks; its limit is {}; delete some first", total + adding,
                    limits.nodes_total));
  }
  std::int64_t of_user = 0;
  eachVc(tx, owner, [&](const Vc& vc) {
    of_user += static_cast<std::int64_t>(tx.nodes().count("vcid", vc.vcid));
    return true;
  });
  if (of_user + adding > limits.nodes_per_user) {
    return resourceExhausted(
        fmt::format("user {} would have more than {} nodes and disks, the limit of a user; delete some first", owner,
                    limits.nodes_per_user));
  }
  return okStatus();
}

Status checkRoomForUnits(Tx& tx, const Limits& limits, const std::string& owner, std::int64_t adding) {
  const auto total = static_cast<std::int64_t>(tx.units().size());
  if (total + adding > limits.units_total) {
    return resourceExhausted(
        fmt::format("the controller has {} units, its limit is {}; delete units first", total, limits.units_total));
  }
  std::int64_t of_user = 0;
  eachVc(tx, owner, [&](const Vc& vc) {
    of_user += static_cast<std::int64_t>(tx.units().count("vcid", vc.vcid));
    return true;
  });
  if (of_user + adding > limits.units_per_user) {
    return resourceExhausted(
        fmt::format("user {} would have more than {} units, the limit of a user; delete units first", owner,
                    limits.units_per_user));
  }
  return okStatus();
}

Status checkRoomForScope(Tx& tx, const Limits& limits, const std::string& owner, const std::string& instance,
                         const std::string& network, const std::string& fingerprint) {
  std::set<std::string> scopes{joinKey(joinKey(instance, network), fingerprint)};
  const auto add = [&](const Unit& unit) {
    scopes.insert(scopeOf(tx, unit));
    return true;
  };
  eachVc(tx, owner, [&](const Vc& vc) {
    tx.units().scan("vcid", vc.vcid, add);
    return true;
  });
  if (static_cast<std::int64_t>(scopes.size()) > limits.scopes_per_user) {
    return resourceExhausted(fmt::format(
        "user {} would use more than {} accounts (driver, network, credentials), the limit of a user; delete "
        "units first",
        owner, limits.scopes_per_user));
  }
  // Fewer units than the limit cannot have more scopes than it.
  if (static_cast<std::int64_t>(tx.units().size()) < limits.scopes_total) return okStatus();
  tx.units().scan(add);
  if (static_cast<std::int64_t>(scopes.size()) > limits.scopes_total) {
    return resourceExhausted(
        fmt::format("the controller would use more than {} accounts (driver, network, credentials), its limit; delete "
                    "units first",
                    limits.scopes_total));
  }
  return okStatus();
}

Status checkRoomForGrant(Tx& tx, const Limits& limits, const std::string& unit_id) {
  std::set<std::string> grants;
  tx.machines().scan("unit_id", unit_id, [&](const Machine& machine) {
    grants.insert(machine.grant_id);
    return true;
  });
  if (static_cast<std::int64_t>(grants.size()) < limits.scopes_per_unit) return okStatus();
  return resourceExhausted(fmt::format(
      "the nodes of the unit stand on {} different credentials, the limit; delete nodes first, or make another "
      "unit",
      grants.size()));
}

}  // namespace vcc
