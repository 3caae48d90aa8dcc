// SPDX-License-Identifier: Apache-2.0
// What can be known of an entry and its credentials before anything is made.
#include <algorithm>
#include <set>

#include "driver.h"
#include "errors.h"

namespace ec2 {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::Severity;
using vcp::plugin::XmlNode;

namespace {

constexpr int kFewAddresses = 8;
constexpr char kProbeType[] = "t3.micro";  // any that every account knows: nothing is started

/// A read of one object of the entry; the cloud's "no such object" becomes an error that names the key.
template <class Read>
auto named(const char* pointer, Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    if (!isAbsent(error) && error.code() != Code::kInvalidArgument) throw;
    throw invalid(pointer, error.message()).providerCode(error.providerCode());
  }
}

}  // namespace

void Ec2Driver::probe(const Call& call) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  constexpr char kSubnet[] = "/catalog_entry/aws_vpc_subnet_id";
  const auto subnets =
      named(kSubnet, [&] { return client.read(Form("DescribeSubnets").list("SubnetId", {entry.subnet})); });
  const XmlNode subnet = subnets.root().child("subnetSet").child("item");
  const std::string zone = subnet.child("availabilityZone").text();
  if (!entry.zone.empty() && entry.zone != zone) {
    throw invalid("/catalog_entry/aws_availability_zone",
                  "is " + entry.zone + ", but the subnet is in " + zone + "; correct it, or leave it out");
  }
  const std::string left = subnet.child("availableIpAddressCount").text();
  if (!left.empty() && left.size() < 5 && std::atoi(left.c_str()) < kFewAddresses) {
    services_.host.log(Severity::kWarning, "AWS_SUBNET_NEARLY_FULL", "few addresses are left in the subnet",
                       {{"subnet", entry.subnet}, {"left", left}});
  }
  constexpr char kGroup[] = "/catalog_entry/aws_vpc_security_group_id";
  const auto groups =
      named(kGroup, [&] { return client.read(Form("DescribeSecurityGroups").list("GroupId", entry.security_groups)); });
  for (const XmlNode& group : groups.root().child("securityGroupInfo").children("item")) {
    if (group.child("vpcId").text() == subnet.child("vpcId").text()) continue;
    throw invalid(kGroup, "group " + group.child("groupId").text() + " is not in the VPC of the subnet");
  }
  checkPermission(client, entry);
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
                         (error.code() == Code::kUnavailable);
    if (refused && error.providerCode() != "DryRunOperation") throw;
  }
}

}  // namespace ec2
