// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vcc {

/// What of a node's surroundings the decisions of the engine depend on: facts of its driver and catalog entry.
struct Profile {
  bool asserted = false;          ///< an existing server: never destroyed, only released
  bool simulated_hosts = false;   ///< no ssh, no container
  bool watched = false;           ///< its host is asked as well as its cloud (engine/watcher.h)
  bool disk = false;              ///< a disk of a storage unit: no address, no power; `simulated_hosts` holds too
  bool can_power = false;         ///< the cloud switches machines off and on
  bool attach_off = false;        ///< disks are attached only to machines that are off
  bool idempotent_token = false;  ///< the cloud remembers the op id
  std::int64_t token_ttl_ms = 0;
  std::int64_t lookup_lag_ms = 0;            ///< how long an accepted change may be missing from point reads
  std::int64_t settle_ms = 120000;           ///< how long after its sender gave up a request may still take effect
  std::int64_t release_timeout_ms = 300000;  ///< an unreachable existing server is given up after this
  int ready_port = 22;                       ///< 0 = no banner to wait for
};

}  // namespace vcc
