// SPDX-License-Identifier: Apache-2.0
#include "vcp/plugin/cpp/plugin.h"
#include "driver.h"
#include "info.h"
#include "vcp_schema.h"

namespace {

/// Instances that are paid by the hour, and can be switched off.
class Aws final : public ec2::Ec2Driver, public vcp::plugin::Power {
 public:
  Aws(vcp::plugin::Host host, std::string_view config) : Ec2Driver(host, config, ec2::Market::kOnDemand, "aws") {}

  std::string_view schema() const override { return vcp_schema::kText; }

  void power(const vcp::plugin::Call& call, bool on, const vcp::plugin::Items& items,
             vcp::plugin::Results& out) override {
    switchPower(call, on, items, out);
  }
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info = ec2::commonInfo();
  info.id = VCP_LITERAL("jp.ac.nii.vcp.aws");
  info.provider = VCP_LITERAL("aws");
  info.display_name = VCP_LITERAL("Amazon EC2");
  info.version = VCP_LITERAL("1.2+20261129");
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace

VCP_PLUGIN(Aws, kInfo);
