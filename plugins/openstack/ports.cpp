// SPDX-License-Identifier: Apache-2.0
#include "ports.h"

#include <algorithm>

#include "fields.h"

namespace openstack {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

constexpr std::size_t kMostNames = 50;  // of one query: servers refuse URLs of more than 8 KiB
constexpr char kPortFields[] = "fields=id&fields=name&fields=fixed_ips&fields=created_at";

void takePorts(const Client& client, const std::string& query, Ports& out) {
  client.each(Service::kNetwork, "/ports?" + query + kPortFields, "ports",
              [&](const Json& one) { out.push_back(Port::of(one)); });
}

void sortPorts(Ports& ports) {
  std::stable_sort(ports.begin(), ports.end(), [](const Port& a, const Port& b) { return a.created < b.created; });
}

}  // namespace

Port Port::of(const Json& json) {
  Port out;
  out.id = textIn(json, "id");
  if (out.id.empty()) {
    throw Error(Code::kUnavailable, Outcome::kUnknown, "Neutron's answer has a port without an id");
  }
  out.name = textIn(json, "name");
  out.created = textIn(json, "created_at");
  for (const Json& one : partOf(json, "fixed_ips")) {
    const std::string address = textIn(one, "ip_address");
    if (out.address.empty() && address.find(':') == std::string::npos) out.address = address;
  }
  return out;
}

std::string portName(std::string_view name) { return std::string(name) + "-port"; }

std::string portMark(std::string_view vcc_id, std::string_view instance) {
  return "vcp:" + std::string(vcc_id) + ":" + std::string(instance);
}

Ports portsNamed(const Client& client, const std::vector<std::string>& names) {
  Ports found;
  for (std::size_t at = 0; at < names.size(); at += kMostNames) {
    std::string query;
    for (std::size_t i = at; i < std::min(names.size(), at + kMostNames); ++i) {
      query += "name=" + encoded(names[i]) + "&";
    }
    takePorts(client, query, found);
  }
  sortPorts(found);
  return found;
}

Ports portsMarked(const Client& client, const std::string& mark) {
  Ports found;
  // An administrator sees the ports of all projects, and of their servers none.
  takePorts(client, "description=" + encoded(mark) + "&project_id=" + encoded(client.login().project) + "&", found);
  sortPorts(found);
  return found;
}

std::optional<Port> portOf(const Client& client, std::string_view id) {
  const auto answer = client.find(Service::kNetwork, "/ports/" + encoded(id));
  if (!answer) return std::nullopt;
  return Port::of(partOf(*answer, "port"));
}

}  // namespace openstack
