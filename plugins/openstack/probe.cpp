// SPDX-License-Identifier: Apache-2.0
// What can be known of an entry and its credentials before anything is made.
#include "driver.h"
#include "errors.h"
#include "fields.h"
#include "names.h"

namespace openstack {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::Severity;

namespace {

/// An object that the entry names by its id.
void need(const Client& client, Service service, const std::string& path, const std::string& pointer,
          const std::string& what) {
  if (!client.find(service, path)) throw invalid(pointer, "the cloud has no " + what);
}

std::int64_t numberIn(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
}

/// An error that names the user's key, of a name that is the site's own default.
void needDefault(const char* pointer, const std::function<void()>& ask) {
  try {
    ask();
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    throw invalid(pointer, error.message());
  }
}

}  // namespace

void OpenStackDriver::probe(const Call& call) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  const std::string network = networkOf(client);
  need(client, Service::kNetwork, "/networks/" + encoded(network), "/catalog_entry/network_uuid", "network " + network);
  if (!site.subnet_id.empty()) {
    need(client, Service::kNetwork, "/subnets/" + encoded(site.subnet_id), "/catalog_entry/openstack_subnet_uuid",
         "subnet " + site.subnet_id);
  }
  for (const std::string& group : groupsOf(client)) {
    need(client, Service::kNetwork, "/security-groups/" + encoded(group), "/catalog_entry/security_group",
         "security group " + group);
  }
  if (!site.default_image.empty()) {
    needDefault("/catalog_entry/openstack_default_image", [&] {
      const std::string image = imageOf(client, site.default_image);
      need(client, Service::kImage, "/images/" + encoded(image), "/cloud_params/cloud_image", "image " + image);
    });
  }
  if (!site.default_flavor.empty()) {
    needDefault("/catalog_entry/openstack_default_flavor", [&] { flavorOf(client, site.default_flavor); });
  }
  const Json limits = client.get(Service::kCompute, "/limits");
  const Json& absolute = partOf(partOf(limits, "limits"), "absolute");
  const std::int64_t most = numberIn(absolute, "maxTotalInstances");
  const std::int64_t used = numberIn(absolute, "totalInstancesUsed");
  if (most >= 0 && used >= most) {
    services_.host.log(Severity::kWarning, "OPENSTACK_QUOTA_USED_UP", "the project's quota of instances is used up",
                       {{"project", client.login().project}, {"limit", std::to_string(most)}});
  }
}

}  // namespace openstack
