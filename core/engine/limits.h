// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "store/store.h"

namespace vcc {

/// Limits that are checked before the 202 (architecture 24).
struct Limits {
  std::int64_t nodes_per_unit = 1000;
  std::int64_t nodes_per_user = 2000;
  std::int64_t nodes_total = 20000;
  std::int64_t vcs_per_user = 200;
  std::int64_t units_per_user = 500;
  std::int64_t units_total = 5000;
  /// Scopes: accounts at a place (driver instance, network, credentials). Each is asked and swept by itself.
  std::int64_t scopes_per_unit = 10;
  std::int64_t scopes_per_user = 100;
  std::int64_t scopes_total = 1000;
};

/// Whether there is room. All run inside a transaction and look at what the user owns, never at all nodes;
/// kResourceExhausted names the limit and what to do.
Status checkRoomForVc(Tx& tx, const Limits& limits, const std::string& owner);
/// `in_unit`: nodes that the unit has already.
Status checkRoomForNodes(Tx& tx, const Limits& limits, const std::string& owner, std::int64_t in_unit,
                         std::int64_t adding);
Status checkRoomForUnits(Tx& tx, const Limits& limits, const std::string& owner, std::int64_t adding);
/// A unit at `instance` and `network` with credentials of `fingerprint` (empty = none).
Status checkRoomForScope(Tx& tx, const Limits& limits, const std::string& owner, const std::string& instance,
                         const std::string& network, const std::string& fingerprint);
/// Other credentials for the machines to come of a unit.
Status checkRoomForGrant(Tx& tx, const Limits& limits, const std::string& unit_id);

}  // namespace vcc
