// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vcp/plugin/abi.h"

namespace openstack {

/// What the descriptors of all drivers of this library have in common.
constexpr vcp_plugin_info_t commonInfo() {
  vcp_plugin_info_t info{};
  info.vendor = VCP_LITERAL("VCP");
  info.license = VCP_LITERAL("Apache-2.0");
  info.idempotency = VCP_IDEMPOTENCY_LOOKUP;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.attach_needs = VCP_ATTACH_ANY;
  info.concurrency = 16;
  info.max_batch = 1;
  info.max_observe = 1000;
  info.lookup_lag_ms = 5000;
  return info;
}

}  // namespace openstack
