// SPDX-License-Identifier: Apache-2.0
#include "vcp/plugin/cpp/plugin.h"
#include "driver.h"
#include "info.h"
#include "vcp_schema.h"

namespace {

/// Instances that AWS may take back. There is no power switch: EC2 refuses to stop one-time ones, and it starts a
/// persistent one itself whenever it can.
class AwsSpot final : public ec2::Ec2Driver {
 public:
  AwsSpot(vcp::plugin::Host host, std::string_view config) : Ec2Driver(host, config, ec2::Market::kSpot, "aws_spot") {}

  std::string_view schema() const override { return vcp_schema::kText; }
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info = ec2::commonInfo();
  info.id = VCP_LITERAL("jp.ac.nii.vcp.aws-spot");
  info.provider = VCP_LITERAL("aws_spot");
  info.display_name = VCP_LITERAL("Amazon EC2 spot instances");
  info.version = VCP_LITERAL("1.1+20261129");
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace

VCP_PLUGIN(AwsSpot, kInfo);
