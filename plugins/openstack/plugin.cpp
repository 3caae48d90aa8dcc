// SPDX-License-Identifier: Apache-2.0
#include "vcp/plugin/cpp/plugin.h"
#include "driver.h"
#include "info.h"
#include "vcp_schema.h"

namespace {

class OpenStack final : public openstack::OpenStackDriver {
 public:
  OpenStack(vcp::plugin::Host host, std::string_view config) : OpenStackDriver(host, config) {}
  std::string_view schema() const override { return vcp_schema::kText; }
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info = openstack::commonInfo();
  info.id = VCP_LITERAL("jp.ac.nii.vcp.openstack");
  info.provider = VCP_LITERAL("openstack");
  info.display_name = VCP_LITERAL("OpenStack");
  info.version = VCP_LITERAL("1.3+20261129");
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace

VCP_PLUGIN(OpenStack, kInfo);
