// SPDX-License-Identifier: Apache-2.0
#include "vcp/plugin/cpp/plugin.h"
#include "driver.h"

namespace sakura {

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("jp.ac.nii.vcp.sakura");
  info.provider = VCP_LITERAL("sakura");
  info.display_name = VCP_LITERAL("Sakura Cloud");
  info.vendor = VCP_LITERAL("VCP");
  info.license = VCP_LITERAL("Apache-2.0");
  info.version = VCP_LITERAL("0.1+20261129");
  info.capabilities = VCP_CAP_NEEDS_ADDRESS;
  info.idempotency = VCP_IDEMPOTENCY_LOOKUP;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.concurrency = 2;  // the vendor asks for one disk at a time
  info.max_batch = 1;
  info.max_observe = 10;
  info.lookup_lag_ms = 10'000;
  info.settle_ms = 120'000;  // after "apiproxy_timeout_non_get" the request may still be executed
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace sakura

VCP_PLUGIN(sakura::SakuraDriver, sakura::kInfo);
