// SPDX-License-Identifier: Apache-2.0
// Neutron, and Glance, which only shows.
#include <algorithm>

#include "fake_openstack.h"

namespace fake_openstack {
namespace {

constexpr char kNet[] = "10.60.0.";

bool wantsOne(const Asked& asked, const char* key, const std::string& value) {
  const auto range = asked.query.equal_range(key);
  if (range.first == range.second) return true;
  return std::any_of(range.first, range.second, [&](const auto& one) { return one.second == value; });
}

/// Only the fields that were asked for.
Json fieldsOf(const Asked& asked, const Json& object) {
  const auto range = asked.query.equal_range("fields");
  if (range.first == range.second) return object;
  Json out = Json::object();
  for (auto it = range.first; it != range.second; ++it) {
    if (object.contains(it->second)) out[it->second] = object[it->second];
  }
  return out;
}

HttpResponse fixedThing(const Asked& asked, const char* one, const std::string& type, const Json& thing) {
  if (asked.path.size() == 2) {
    if (asked.path[1] != thing.at("id").get<std::string>()) refuseNeutron(404, type, "it could not be found.");
    return reply(200, {{one, thing}});
  }
  Json all = Json::array();
  if (wantsOne(asked, "name", thing.at("name"))) all.push_back(fieldsOf(asked, thing));
  std::string many = std::string(one) + "s";
  return reply(200, {{many, all}});
}

}  // namespace

Json FakeOpenStack::show(const std::string& id, const Port& port) const {
  return {{"id", id},
          {"name", port.name},
          {"network_id", port.network},
          {"project_id", port.project},
          {"tenant_id", port.project},
          {"description", port.description},
          {"status", port.server.empty() ? "DOWN" : "ACTIVE"},
          {"device_id", port.server},
          {"fixed_ips", {{{"subnet_id", kSubnetId}, {"ip_address", port.address}}}},
          {"security_groups", port.groups},
          {"created_at", time(port.made_ms).substr(0, 19) + "Z"}};
}

HttpResponse FakeOpenStack::network(const Asked& asked) {
  if (!asked.version.empty()) refuseNeutron(400, "HTTPBadRequest", "Neutron has no microversions");
  if (asked.method == "GET" && asked.path[0] == "networks") {
    return fixedThing(asked, "network", "NetworkNotFound",
                      {{"id", kNetworkId}, {"name", "priv"}, {"project_id", "p-admin"}, {"subnets", {kSubnetId}}});
  }
  if (asked.method == "GET" && asked.path[0] == "subnets") {
    return fixedThing(asked, "subnet", "SubnetNotFound",
                      {{"id", kSubnetId}, {"name", "priv4"}, {"project_id", "p-admin"}});
  }
  if (asked.method == "GET" && asked.path[0] == "security-groups") {
    return fixedThing(asked, "security_group", "SecurityGroupNotFound",
                      {{"id", kGroupId}, {"name", "vcp"}, {"project_id", asked.project}});
  }
  if (asked.is("POST", 1, "ports")) return makePort(asked);
  if (asked.is("GET", 1, "ports")) {
    Json all = Json::array();
    for (const auto& [id, port] : ports_) {
      if (!isShown(port, asked.project) || !wantsOne(asked, "name", port.name)) continue;
      if (!wantsOne(asked, "project_id", port.project)) continue;
      if (wantsOne(asked, "description", port.description)) all.push_back(fieldsOf(asked, show(id, port)));
    }
    return reply(200, {{"ports", all}});
  }
  if (asked.path.size() != 2 || asked.path[0] != "ports") {
    refuseNeutron(404, "HTTPNotFound", "The resource could not be found.");
  }
  const auto found = ports_.find(asked.path[1]);
  if (found == ports_.end() || !isShown(found->second, asked.project)) {
    refuseNeutron(404, "PortNotFound", "Port " + asked.path[1] + " could not be found.");
  }
  if (asked.method == "GET") return reply(200, {{"port", show(found->first, found->second)}});
  ports_.erase(found);
  return reply(204, nullptr);
}

HttpResponse FakeOpenStack::makePort(const Asked& asked) {
  const Json& wanted = asked.body.at("port");
  Port port;
  port.project = asked.project;
  port.name = wanted.at("name");
  port.description = wanted.value("description", "");
  port.network = wanted.at("network_id");
  port.made_ms = now_ms_;
  if (port.network != kNetworkId) {
    refuseNeutron(404, "NetworkNotFound", "Network " + port.network + " could not be found.");
  }
  port.groups = wanted.value("security_groups", std::vector<std::string>{kGroupId});
  for (const std::string& group : port.groups) {
    if (group != kGroupId) refuseNeutron(404, "SecurityGroupNotFound", "Security group " + group + " does not exist");
  }
  if (wanted.contains("fixed_ips")) port.address = wanted.at("fixed_ips").at(0).value("ip_address", "");
  if (!port.address.empty() && port.address.rfind(kNet, 0) != 0) {
    refuseNeutron(400, "InvalidIpForNetwork",
                  "IP address " + port.address + " is not a valid IP for any of the subnets");
  }
  if (!port.address.empty() && isTaken(port.address)) {
    refuseNeutron(409, "IpAddressAlreadyAllocated",
                  "IP address " + port.address + " already allocated in subnet " + kSubnetId);
  }
  while (port.address.empty() || isTaken(port.address)) {
    port.address = kNet + std::to_string(10 + ++last_address_ % 200);
  }
  const std::string id = newId();
  ports_[id] = port;
  return reply(201, {{"port", show(id, port)}});
}

HttpResponse FakeOpenStack::image(const Asked& asked) const {
  if (!asked.version.empty()) refuseNova(400, "badRequest", "Glance has no microversions");
  const Json one{{"id", kImageId},         {"name", "ubuntu"},   {"status", "active"},
                 {"visibility", "public"}, {"owner", "p-admin"}, {"created_at", "2026-11-22T23:13:23Z"},
                 {"disk_format", "raw"},   {"min_disk", 0}};
  if (asked.is("GET", 2, "images")) {
    if (asked.path[1] == kImageId) return reply(200, one);
    throw Refused{404,
                  {{"message", "No image found with ID " + asked.path[1] + "<br /><br />\n\n\n"},
                   {"code", "404 Not Found"},
                   {"title", "Not Found"}}};
  }
  Json all = Json::array();
  if (wantsOne(asked, "name", "ubuntu")) all.push_back(one);
  return reply(200, {{"images", all}, {"first", "/v2/images"}, {"schema", "/v2/schemas/images"}});
}

}  // namespace fake_openstack
