// SPDX-License-Identifier: Apache-2.0
#include "driver.h"

#include <algorithm>
#include <map>

#include "errors.h"
#include "fields.h"

namespace openstack {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Json;
using vcp::plugin::Observation;
using vcp::plugin::Observations;
using vcp::plugin::Outcome;
using vcp::plugin::Resource;
using vcp::plugin::Results;
using vcp::plugin::State;

namespace {

constexpr std::int64_t kGoingMs = 2000;   // between looks at a server that goes away
constexpr std::int64_t kBusyMs = 3000;    // of a server that Nova is changing
constexpr char kServerPart[] = "server";  // a twin

/// The host merges parts by (kind, name), so a second one of a kind needs a name of its own.
std::string partName(const std::string& name, std::size_t position, const std::string& id) {
  return name + (position == 0 ? "" : "+" + id);
}

template <typename Parts>
bool hasId(const Parts& parts, std::string_view id) {
  return std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.id == id; });
}

/// Parts of a machine besides its server: ports, and twins of either.
std::vector<Resource> partsOf(const Item& item, const Servers& servers, const Ports& ports) {
  std::vector<Resource> parts;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    parts.push_back({kPortPart, partName(portName(item.name), i, ports[i].id), ports[i].id});
  }
  for (std::size_t i = 1; i < servers.size(); ++i) {
    if (!servers[i].isOver()) {
      parts.push_back({kServerPart, partName(std::string(item.name), i, servers[i].id), servers[i].id});
    }
  }
  return parts;
}

/// The longest text with which all names begin; of ours that is at least "vcp-".
std::string commonStart(const Items& items) {
  std::string start(items.front().name);
  for (const Item& item : items) {
    std::size_t same = 0;
    while (same < start.size() && same < item.name.size() && start[same] == item.name[same]) ++same;
    start.resize(same);
  }
  return start;
}

}  // namespace

OpenStackDriver::OpenStackDriver(const vcp::plugin::Host& host, std::string_view config)
    : services_(host), settings_(parseSettings(config)) {}

std::string OpenStackDriver::serverName(const Item& item) const { return std::string(item.name); }

void OpenStackDriver::adjustServer(const Item& /*item*/, const Json& /*spec*/, const Site& /*site*/,
                                   Json& /*request*/) const {}

void OpenStackDriver::validate(std::string_view cloud_params, std::string_view catalog_entry) {
  const Json params = vcp::plugin::parseObject(cloud_params, "cloud_params");
  const Site site = parseSite(catalog_entry, settings_);
  parseMachine(params, site);
  checkSecrets(params, site);
  checkAddresses(params);
  checkVolumes(params);
}

Tags OpenStackDriver::marks(const Call& call, const Item& item, const Tags& users) const {
  Tags tags = users;
  tags[kTagController] = call.vccId();
  tags[kTagProvider] = settings_.instance;
  tags[kTagOp] = call.opId();
  tags[kTagName] = item.name;
  if (!item.display_name.empty()) tags[kTagTitle] = std::string(item.display_name).substr(0, 255);
  return tags;
}

Servers OpenStackDriver::lookForServers(const Client& client, const Item& item, Depth depth) const {
  Servers servers;
  if (depth == Depth::kDeep || item.cloud_id.empty()) servers = serversOf(client, serverName(item));
  const auto add = [&](std::string_view id) {
    if (id.empty() || hasId(servers, id)) return;
    // Also one that the list lags behind, or somebody has renamed.
    if (auto server = serverOf(client, id)) servers.push_back(std::move(*server));
  };
  add(item.cloud_id);
  for (const Resource& part : item.resources) {
    if (part.kind == kServerPart && depth == Depth::kDeep) add(part.id);
  }
  sortByAge(servers);
  return servers;
}

Ports OpenStackDriver::lookForPorts(const Client& client, const Item& item) {
  Ports ports = portsNamed(client, {portName(item.name)});
  for (const Resource& part : item.resources) {
    if (part.kind != kPortPart || part.id.empty() || hasId(ports, part.id)) continue;
    if (auto port = portOf(client, part.id)) ports.push_back(std::move(*port));
  }
  return ports;
}

OpenStackDriver::Sight OpenStackDriver::look(const Client& client, const Item& item, Depth depth) const {
  return {lookForServers(client, item, depth), lookForPorts(client, item)};
}

/// Two lists show nearly all; what is not in them is asked for by itself, because a list proves no absence.
std::vector<OpenStackDriver::Sight> OpenStackDriver::lookAtAll(const Call& call, const Client& client,
                                                               const Items& items) const {
  if (items.size() == 1) return {look(client, items.front(), Depth::kShallow)};
  std::multimap<std::string, Server> by_name;
  std::map<std::string, Server> by_id;
  for (Server& server : serversLike(client, commonStart(items))) {
    by_id[server.id] = server;
    by_name.emplace(server.name, std::move(server));
  }
  std::multimap<std::string, Port> ports;
  for (Port& port : portsMarked(client, portMark(call.vccId(), settings_.instance))) {
    ports.emplace(port.name, std::move(port));
  }
  std::vector<Sight> all;
  for (const Item& item : items) {
    Sight sight;
    const auto named = by_name.equal_range(serverName(item));
    for (auto one = named.first; one != named.second; ++one) sight.servers.push_back(one->second);
    const auto known = by_id.find(std::string(item.cloud_id));
    if (known != by_id.end() && sight.servers.empty()) sight.servers.push_back(known->second);
    const auto held = ports.equal_range(portName(item.name));
    for (auto one = held.first; one != held.second; ++one) sight.ports.push_back(one->second);
    sortByAge(sight.servers);
    const bool whole = !sight.servers.empty() && !sight.ports.empty();
    all.push_back(whole ? std::move(sight) : look(client, item, Depth::kShallow));
  }
  return all;
}

Observation OpenStackDriver::observationOf(const Item& item, const Sight& sight) const {
  const bool has_server = !sight.servers.empty() && !sight.servers.front().isOver();
  Observation seen = sight.servers.empty() ? Observation{} : openstack::observationOf(sight.servers.front());
  seen.name = item.name;
  seen.resources = partsOf(item, sight.servers, sight.ports);
  if (!sight.ports.empty() && !sight.ports.front().address.empty()) seen.address = sight.ports.front().address;
  if (!has_server && !seen.resources.empty()) {
    seen.found = true;
    seen.state = item.cloud_id.empty() && sight.servers.empty() ? State::kProvisioning : State::kTerminating;
  }
  return seen;
}

void OpenStackDriver::observe(const Call& call, const Items& items, Observations& out) {
  if (items.empty()) return;
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  const std::vector<Sight> sights = lookAtAll(call, client, items);
  for (std::size_t i = 0; i < items.size(); ++i) out.observed(items[i], observationOf(items[i], sights[i]));
}

void OpenStackDriver::report(const Item& item, const Sight& sight, Results& out) {
  for (const Resource& part : partsOf(item, sight.servers, sight.ports)) {
    out.resource(item, part.kind, part.name, part.id);
  }
  const std::string address = sight.ports.empty() ? "" : sight.ports.front().address;
  if (!sight.servers.empty()) {
    out.machine(item, sight.servers.front().id, address);
  } else if (!address.empty()) {
    out.machine(item, "", address);
  }
}

void OpenStackDriver::destroy(const Call& call, const Items& items, Results& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Item& item : items) {
    out.guard(item, [&] { destroyOne(client, item, out); });
  }
}

/// The server first: a port that went before it would give its address to somebody else while the machine still runs.
void OpenStackDriver::destroyOne(const Client& client, const Item& item, Results& out) const {
  Sight sight{lookForServers(client, item, Depth::kDeep), {}};
  const bool going =
      std::any_of(sight.servers.begin(), sight.servers.end(), [](const Server& server) { return !server.isOver(); });
  if (!going) sight.ports = lookForPorts(client, item);
  for (const Resource& part : item.resources) {
    const bool looked_for = part.kind == kServerPart || !going;
    if (looked_for && !part.id.empty() && !hasId(sight.servers, part.id) && !hasId(sight.ports, part.id)) {
      out.resource(item, part.kind, part.name, "");
    }
  }
  report(item, sight, out);
  const auto next = std::find_if(sight.servers.begin(), sight.servers.end(),
                                 [](const Server& server) { return !server.isLeaving(); });
  const auto remove = [&](const Change& change) {
    try {
      client.change(change);
    } catch (const Error& error) {
      if (!isAbsent(error)) throw;
    }
  };
  if (next != sight.servers.end()) {
    const std::string path = "/servers/" + encoded(next->id);
    if (next->isDeletedSoftly()) {
      remove({Service::kCompute, "POST", path + "/action", Json{{"forceDelete", nullptr}}, ""});
    } else {
      remove({Service::kCompute, "DELETE", path, nullptr, ""});
    }
    return out.pending(item, kGoingMs, "its server is going, its port is next");
  }
  if (going) return out.pending(item, kGoingMs, "its server is going");
  if (sight.ports.empty()) return out.done(item);
  const Port& port = sight.ports.front();
  remove({Service::kNetwork, "DELETE", "/ports/" + encoded(port.id), nullptr, ""});
  out.resource(item, kPortPart, portName(item.name), "");
  for (const Resource& part : item.resources) {
    if (part.id == port.id) out.resource(item, part.kind, part.name, "");
  }
  sight.ports.size() > 1 ? out.pending(item, 0, "another port of its name is next") : out.done(item);
}

void OpenStackDriver::list(const Call& call, Observations& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  const std::string end = portName("");
  std::multimap<std::string, Port> ports;  // by name of the machine
  for (Port& port : portsMarked(client, portMark(call.vccId(), settings_.instance))) {
    const bool ours =
        port.name.size() > end.size() && port.name.compare(port.name.size() - end.size(), end.size(), end) == 0;
    ports.emplace(ours ? port.name.substr(0, port.name.size() - end.size()) : port.id, std::move(port));
  }
  const auto tagged = [&](const Server& server, const char* key, std::string_view value) {
    const auto found = server.metadata.find(key);
    return found != server.metadata.end() && found->second == value;
  };
  std::vector<Observation> all;
  for (const Server& server : serversLike(client, "vcp-")) {
    if (server.isOver() || !tagged(server, kTagController, call.vccId()) ||
        !tagged(server, kTagProvider, settings_.instance)) {
      continue;
    }
    all.push_back(openstack::observationOf(server));
  }
  for (Observation& seen : all) {
    const auto held = ports.equal_range(seen.name);
    std::size_t position = 0;
    for (auto one = held.first; one != held.second; ++one, ++position) {
      seen.resources.push_back({kPortPart, partName(one->second.name, position, one->second.id), one->second.id});
    }
    ports.erase(held.first, held.second);
  }
  // A port whose server never came, or is gone.
  for (const auto& [name, port] : ports) {
    Observation seen;
    seen.found = true;
    seen.state = State::kProvisioning;
    seen.name = name;
    seen.address = port.address;
    seen.resources = {{kPortPart, port.name, port.id}};
    all.push_back(std::move(seen));
  }
  for (const Observation& seen : all) {
    if (!out.listed(seen)) return;
  }
  out.complete();
}

void OpenStackDriver::power(const Call& call, bool on, const Items& items, Results& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Item& item : items) {
    out.guard(item, [&] { powerOne(client, on, item, out); });
  }
}

void OpenStackDriver::powerOne(const Client& client, bool on, const Item& item, Results& out) const {
  const Servers servers = lookForServers(client, item, Depth::kShallow);
  if (servers.empty() || servers.front().isLeaving() || servers.front().isDeletedSoftly()) {
    throw Error(Code::kNotFound, Outcome::kNotApplied,
                "machine " + std::string(item.name) + ": cannot change its power: it does not exist");
  }
  const Server& server = servers.front();
  static const std::map<std::string, const char*> kStarts{{"SHUTOFF", "os-start"},
                                                          {"SUSPENDED", "resume"},
                                                          {"PAUSED", "unpause"},
                                                          {"SHELVED", "unshelve"},
                                                          {"SHELVED_OFFLOADED", "unshelve"}};
  const auto start = kStarts.find(server.status);
  const bool is_off = start != kStarts.end() && server.status != "PAUSED";
  if (server.task == (on ? "powering-on" : "powering-off")) return out.done(item);
  if (server.isChanging()) {
    return out.pending(item, kBusyMs, "its server is " + (server.task.empty() ? server.status : server.task));
  }
  if (on ? start == kStarts.end() && server.status != "ERROR" : is_off) return out.done(item);
  const std::string action = !on ? "os-stop" : start == kStarts.end() ? "os-start" : start->second;
  client.change({Service::kCompute, "POST", "/servers/" + encoded(server.id) + "/action", Json{{action, nullptr}}, ""});
  out.done(item);
}

}  // namespace openstack
