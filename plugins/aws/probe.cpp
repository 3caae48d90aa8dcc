// SPDX-License-Identifier: Apache-2.0
// What can be known of an entry and its credentials before anything is made.
#include <optional>

#include "driver.h"
#include "errors.h"

namespace ec2 {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::Severity;
using vcp::plugin::XmlDocument;
using vcp::plugin::XmlNode;

namespace {

constexpr char kProbeType[] = "t3.micro";  // any that every account knows: nothing is started

/// A read of one object of the entry; the cloud's "no such object" becomes an error that names the key. Nothing where
/// the account may not look: whether it may run instances is asked besides.
std::optional<XmlDocument> named(const char* pointer, const Client& client, const Form& form) {
  try {
    return client.read(form);
  } catch (const Error& error) {
    if (error.code() == Code::kPermissionDenied && !error.providerCode().empty()) return std::nullopt;
    if (!isAbsent(error) && error.code() != Code::kInvalidArgument) throw;
    throw invalid(pointer, error.message()).providerCode(error.providerCode());
  }
}

}  // namespace

void Ec2Driver::probe(const Call& call) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  std::string vpc;
  const auto subnets =
      named("/catalog_entry/aws_vpc_subnet_id", client, Form("DescribeSubnets").list("SubnetId", {entry.subnet}));
  if (subnets) vpc = checkSubnet(subnets->root().child("subnetSet").child("item"), entry);
  constexpr char kGroup[] = "/catalog_entry/aws_vpc_security_group_id";
  const auto groups = named(kGroup, client, Form("DescribeSecurityGroups").list("GroupId", entry.security_groups));
  if (groups && !vpc.empty()) {
    for (const XmlNode& group : groups->root().child("securityGroupInfo").children("item")) {
      if (group.child("vpcId").text() == vpc) continue;
      throw invalid(kGroup, "group " + group.child("groupId").text() + " is not in the VPC of the subnet");
    }
  }
  checkPermission(client, entry);
}

/// The subnet's VPC.
std::string Ec2Driver::checkSubnet(const XmlNode& subnet, const Entry& entry) const {
  const std::string zone = subnet.child("availabilityZone").text();
  if (!entry.zone.empty() && entry.zone != zone) {
    throw invalid("/catalog_entry/aws_availability_zone",
                  "is " + entry.zone + ", but the subnet is in " + zone + "; correct it, or leave it out");
  }
  const std::string left = subnet.child("availableIpAddressCount").text();
  if (left.size() == 1 && left < "8") {
    services_.host.log(Severity::kWarning, "AWS_SUBNET_NEARLY_FULL", "few addresses are left in the subnet",
                       {{"subnet", entry.subnet}, {"left", left}});
  }
  return subnet.child("vpcId").text();
}

/// Asks whether the account may run instances, without running one (DryRun).
void Ec2Driver::checkPermission(const Client& client, const Entry& entry) const {
  Image image;
  try {
    image = resolveImage(client, entry, "default", kProbeType);
  } catch (const Error& error) {
    // A missing image of the built-in rule hurts only those who do not name one.
    if (error.code() != Code::kInvalidArgument || !entry.default_image.empty()) throw;
    return;
  }
  Form form("RunInstances");
  form.set("ImageId", image.id).set("InstanceType", kProbeType).set("SubnetId", entry.subnet);
  form.list("SecurityGroupId", entry.security_groups).set("MinCount", "1").set("MaxCount", "1").set("DryRun", "true");
  form.tagged("instance", {{kTagProvider, provider_}});
  try {
    client.read(form);
  } catch (const Error& error) {
    // "DryRunOperation" says yes. Other refusals are of this very type or image, and not of the account.
    const bool refused = error.code() == Code::kPermissionDenied || error.code() == Code::kUnauthenticated ||
                         error.code() == Code::kUnavailable;
    if (refused && error.providerCode() != "DryRunOperation") throw;
  }
}

}  // namespace ec2
