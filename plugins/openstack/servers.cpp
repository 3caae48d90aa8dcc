// SPDX-License-Identifier: Apache-2.0
#include "servers.h"

#include <algorithm>
#include <map>

#include "errors.h"
#include "fields.h"

namespace openstack {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::Json;
using vcp::plugin::Observation;
using vcp::plugin::Outcome;
using vcp::plugin::Reason;
using vcp::plugin::State;

State stateOf(const Server& server) {
  static const std::map<std::string, State> kStates{{"BUILD", State::kProvisioning},
                                                    {"REBUILD", State::kProvisioning},
                                                    {"ACTIVE", State::kRunning},
                                                    {"REBOOT", State::kRunning},
                                                    {"HARD_REBOOT", State::kRunning},
                                                    {"PASSWORD", State::kRunning},
                                                    {"MIGRATING", State::kRunning},
                                                    {"VERIFY_RESIZE", State::kRunning},
                                                    {"SHUTOFF", State::kStopped},
                                                    {"SUSPENDED", State::kStopped},
                                                    {"PAUSED", State::kStopped},
                                                    {"SHELVED", State::kStopped},
                                                    {"SHELVED_OFFLOADED", State::kStopped},
                                                    {"SOFT_DELETED", State::kTerminating},
                                                    {"DELETED", State::kGone},
                                                    {"ERROR", State::kFailed}};
  if (server.isOver()) return State::kGone;
  if (server.task == "deleting" || server.task == "soft-deleting") return State::kTerminating;
  if (server.status == "ACTIVE" && server.task == "powering-off") return State::kStopping;
  if (server.status == "SHUTOFF" && server.task == "powering-on") return State::kProvisioning;
  const auto known = kStates.find(server.status);
  return known == kStates.end() ? State::kUnspecified : known->second;
}

std::string fixedAddress(const Json& addresses) {
  std::string any;
  for (const Json& network : addresses) {
    if (!network.is_array()) continue;
    for (const Json& one : network) {
      std::string address = textIn(one, "addr");
      if (address.find(':') != std::string::npos) continue;
      const std::string type = textIn(one, "OS-EXT-IPS:type");
      if (type == "fixed") return address;
      if (type.empty() && any.empty()) any = address;
    }
  }
  return any;
}

}  // namespace

Server Server::of(const Json& json) {
  Server out;
  out.id = textIn(json, "id");
  if (out.id.empty()) {
    throw Error(Code::kUnavailable, Outcome::kUnknown, "Nova's answer has a server without an id");
  }
  out.name = textIn(json, "name");
  out.status = textIn(json, "status");
  out.task = textIn(json, "OS-EXT-STS:task_state");
  out.created = textIn(json, "created");
  out.address = fixedAddress(partOf(json, "addresses"));
  const Json& fault = partOf(json, "fault");
  out.fault = textIn(fault, "message");
  const auto code = fault.find("code");
  if (code != fault.end() && code->is_number_integer()) out.fault_code = code->get<int>();
  for (const auto& [key, value] : partOf(json, "metadata").items()) {
    if (value.is_string()) out.metadata[key] = value.get<std::string>();
  }
  return out;
}

void sortByAge(Servers& servers) {
  std::stable_sort(servers.begin(), servers.end(), [](const Server& a, const Server& b) {
    return a.isOver() != b.isOver() ? b.isOver() : a.created < b.created;
  });
}

Servers serversOf(const Client& client, std::string_view name) {
  Servers found;
  // Nova takes a regular expression; names of ours have no character that means something in one.
  client.each(Service::kCompute, "/servers/detail?name=" + encoded("^" + std::string(name) + "$"), "servers",
              [&](const Json& one) {
                if (textIn(one, "name") == name) found.push_back(Server::of(one));
              });
  sortByAge(found);
  return found;
}

std::optional<Server> serverOf(const Client& client, std::string_view id) {
  const auto answer = client.find(Service::kCompute, "/servers/" + encoded(id));
  if (!answer) return std::nullopt;
  return Server::of(partOf(*answer, "server"));
}

Servers serversLike(const Client& client, std::string_view part) {
  Servers found;
  client.each(Service::kCompute, "/servers/detail?name=" + encoded(part), "servers",
              [&](const Json& one) { found.push_back(Server::of(one)); });
  sortByAge(found);
  return found;
}

Observation observationOf(const Server& server) {
  Observation seen;
  seen.found = true;
  seen.state = stateOf(server);
  const auto tag = [&](const char* key) {
    const auto found = server.metadata.find(key);
    return found == server.metadata.end() ? std::string() : found->second;
  };
  seen.name = tag(kTagName);
  if (seen.name.empty()) seen.name = server.name;
  seen.cloud_id = server.id;
  seen.address = server.address;
  seen.create_op = tag(kTagOp);
  if (seen.state == State::kFailed) {
    const Error fault = faultOf(server.fault, server.fault_code);
    seen.failure = fault.code();
    seen.detail = fault.message();
    seen.provider_code = fault.providerCode();
  } else if (seen.state == State::kUnspecified) {
    seen.detail = server.status;
  }
  if (server.status == "UNKNOWN") seen.reason = Reason::kHostFailure;
  return seen;
}

}  // namespace openstack
