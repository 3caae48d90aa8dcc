// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vcp/plugin/abi.h"

namespace ec2 {

/// What the descriptors of both drivers have in common.
constexpr vcp_plugin_info_t commonInfo() {
  vcp_plugin_info_t info{};
  info.vendor = VCP_LITERAL("VCP");
  info.license = VCP_LITERAL("Apache-2.0");
  info.idempotency = VCP_IDEMPOTENCY_TOKEN;
  info.token_ttl_ms = 24 * 3'600'000;  // EC2 User Guide, "Ensuring idempotency": at least 24 h
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.attach_needs = VCP_ATTACH_ANY;
  info.concurrency = 16;
  info.max_batch = 50;
  info.max_observe = 1000;
  info.lookup_lag_ms = 60'000;  // InvalidInstanceID.NotFound just after a create is normal
  return info;
}

}  // namespace ec2
