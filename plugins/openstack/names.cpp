// SPDX-License-Identifier: Apache-2.0
#include "names.h"

#include "fields.h"

namespace openstack {
namespace {

using vcp::plugin::invalid;
using vcp::plugin::Json;

/// Of the objects of a name: the project's own, else the only one. An administrator sees those of all projects.
std::string oneOf(const Client& client, const std::string& path, const char* key, const std::string& pointer,
                  const std::string& what) {
  const std::string project = client.login().project;
  std::vector<std::string> own;
  std::vector<std::string> all;
  client.each(Service::kNetwork, path, key, [&](const Json& one) {
    std::string owner = textIn(one, "project_id");
    if (owner.empty()) owner = textIn(one, "tenant_id");
    all.push_back(textIn(one, "id"));
    if (owner == project) own.push_back(all.back());
  });
  if (all.empty()) throw invalid(pointer, "the cloud has no " + what);
  const std::vector<std::string>& best = own.empty() ? all : own;
  if (best.size() > 1) throw invalid(pointer, "the cloud has several of " + what + "; give the id");
  return best.front();
}

std::string groupOf(const Client& client, const std::string& group) {
  if (isUuid(group)) return group;
  return client.remembered("group/" + group, [&] {
    return oneOf(client, "/security-groups?name=" + encoded(group) + "&fields=id&fields=project_id", "security_groups",
                 "/catalog_entry/security_group", "security group '" + group + "'");
  });
}

}  // namespace

std::string networkOf(const Client& client) {
  const Site& site = client.site();
  if (!site.network_id.empty()) return site.network_id;
  return client.remembered("network/" + site.network_name, [&] {
    return oneOf(client, "/networks?name=" + encoded(site.network_name) + "&fields=id&fields=project_id", "networks",
                 "/catalog_entry/network_name", "network '" + site.network_name + "'");
  });
}

std::vector<std::string> groupsOf(const Client& client) {
  std::vector<std::string> ids;
  for (const std::string& group : client.site().security_groups) ids.push_back(groupOf(client, group));
  return ids;
}

std::string imageOf(const Client& client, const std::string& image) {
  if (isUuid(image)) return image;
  return client.remembered("image/" + image, [&] {
    std::string newest;
    std::string created;
    client.each(Service::kImage, "/images?name=" + encoded(image) + "&status=active", "images", [&](const Json& one) {
      if (!newest.empty() && textIn(one, "created_at") <= created) return;
      newest = textIn(one, "id");
      created = textIn(one, "created_at");
    });
    if (newest.empty()) throw invalid("/cloud_params/cloud_image", "the cloud has no image '" + image + "'");
    return newest;
  });
}

std::string flavorOf(const Client& client, const std::string& flavor) {
  return client.remembered("flavor/" + flavor, [&] {
    std::string by_name;
    std::string by_id;
    client.each(Service::kCompute, "/flavors", "flavors", [&](const Json& one) {
      if (textIn(one, "name") == flavor) by_name = textIn(one, "id");
      if (textIn(one, "id") == flavor) by_id = flavor;
    });
    if (by_name.empty() && by_id.empty()) {
      throw invalid("/cloud_params/flavor_name", "the cloud has no flavor '" + flavor + "'");
    }
    return by_name.empty() ? by_id : by_name;
  });
}

}  // namespace openstack
