// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "fake_openstack.h"

namespace fake_openstack {
namespace {

constexpr std::size_t kServerPage = 3;  // far less than clouds give: pages are read

struct FakeFlavor {
  const char* id;
  const char* name;
};
constexpr FakeFlavor kFlavors[] = {{"auto", "m1.small"}, {"f-huge", "huge"}, {"f-tiny", "tiny"}, {"bm", "baremetal"}};

/// 2.67 of "compute 2.67"; 2.1 when no version was asked for.
int minorOf(const Asked& asked) {
  if (asked.version.empty()) return 1;
  if (asked.version.rfind("compute 2.", 0) != 0) refuseNova(400, "badRequest", "API Version String is invalid");
  const int minor = std::stoi(asked.version.substr(10));
  if (minor < 1 || minor > 93) refuseNova(406, "computeFault", "Version is not supported by the API");
  return minor;
}

void onlyKnown(const Json& body, const std::set<std::string>& known) {
  for (const auto& [key, value] : body.items()) {
    if (known.count(key) == 0) {
      refuseNova(400, "badRequest", "Additional properties are not allowed ('" + key + "' was unexpected)");
    }
  }
}

void checkRequest(const Asked& asked) {
  const int minor = minorOf(asked);
  onlyKnown(asked.body, {"server", "os:scheduler_hints"});
  std::set<std::string> known{"name",
                              "flavorRef",
                              "imageRef",
                              "networks",
                              "metadata",
                              "user_data",
                              "config_drive",
                              "availability_zone",
                              "key_name",
                              "security_groups",
                              "block_device_mapping_v2",
                              "OS-DCF:diskConfig"};
  if (minor >= 19) known.insert("description");
  if (minor >= 52) known.insert("tags");
  const Json& server = asked.body.at("server");
  onlyKnown(server, known);
  if (!server.contains("block_device_mapping_v2")) return;
  std::set<std::string> disk{"boot_index",       "uuid",        "source_type",
                             "destination_type", "volume_size", "delete_on_termination"};
  if (minor >= 67) disk.insert("volume_type");
  for (const Json& one : server.at("block_device_mapping_v2")) onlyKnown(one, disk);
}

/// The regular expressions that drivers send: a text, and whether it stands at the begin and the end.
bool matchesName(const std::string& name, std::string pattern) {
  if (pattern.empty()) return true;
  const bool begins = pattern.front() == '^';
  const bool ends = pattern.back() == '$';
  pattern = pattern.substr(begins ? 1 : 0, pattern.size() - (begins ? 1 : 0) - (ends ? 1 : 0));
  if (begins && ends) return name == pattern;
  if (begins) return name.rfind(pattern, 0) == 0;
  return name.find(pattern) != std::string::npos;
}

}  // namespace

Json FakeOpenStack::show(const std::string& id, const Server& server) const {
  Json json{{"id", id},
            {"name", server.name},
            {"status", server.status},
            {"tenant_id", server.project},
            {"metadata", server.metadata},
            {"created", time(server.made_ms).substr(0, 19) + "Z"},
            {"addresses", Json::object()},
            {"OS-EXT-AZ:availability_zone", server.zone},
            {"OS-EXT-STS:task_state", server.task.empty() ? Json(nullptr) : Json(server.task)}};
  if (server.status != "BUILD" && server.status != "ERROR") {
    json["addresses"]["priv"] = {
        {{"version", 4}, {"addr", server.address}, {"OS-EXT-IPS:type", "fixed"}, {"OS-EXT-IPS-MAC:mac_addr", "fa:16"}}};
  }
  if (!server.fault.empty()) {
    json["fault"] = {{"code", 500}, {"created", time(server.made_ms)}, {"message", server.fault}};
  }
  return json;
}

Server& FakeOpenStack::serverAt(const Asked& asked, std::size_t place) {
  const auto found = servers_.find(asked.path.at(place));
  if (found == servers_.end() || !isShown(found->second, asked.project)) {
    refuseNova(404, "itemNotFound", "Instance " + asked.path.at(place) + " could not be found.");
  }
  return found->second;
}

HttpResponse FakeOpenStack::compute(const Asked& asked) {
  minorOf(asked);
  if (asked.is("GET", 1, "flavors")) {
    Json all = Json::array();
    for (const FakeFlavor& flavor : kFlavors) all.push_back({{"id", flavor.id}, {"name", flavor.name}});
    return reply(200, {{"flavors", all}});
  }
  if (asked.is("GET", 1, "limits")) {
    const auto used = std::count_if(servers_.begin(), servers_.end(),
                                    [&](const auto& one) { return one.second.project == asked.project; });
    const Json absolute{{"maxTotalInstances", pace_.instances}, {"totalInstancesUsed", used}};
    return reply(200, {{"limits", {{"rate", Json::array()}, {"absolute", absolute}}}});
  }
  if (asked.is("POST", 1, "servers")) return makeServer(asked);
  if (asked.is("GET", 2, "servers") && asked.path[1] == "detail") {
    Json page = Json::array();
    Json links = Json::array();
    const std::string after = asked.first("marker");
    for (const auto& [id, one] : servers_) {
      if (id <= after || !isShown(one, asked.project) || !matchesName(one.name, asked.first("name"))) continue;
      if (page.size() == kServerPage) {
        links = {{{"rel", "next"}, {"href", "https://cloud.test:8774/v2.1/servers/detail?marker=..."}}};
        break;
      }
      page.push_back(show(id, one));
    }
    Json body{{"servers", page}};
    if (!links.empty()) body["servers_links"] = links;
    return reply(200, body);
  }
  if (asked.is("GET", 2, "servers")) return reply(200, {{"server", show(asked.path[1], serverAt(asked, 1))}});
  if (asked.is("DELETE", 2, "servers")) {
    Server& server = serverAt(asked, 1);
    if (server.task != "deleting") server.next_ms = now_ms_ + pace_.end_ms;
    server.task = "deleting";
    return reply(204, nullptr);
  }
  if (asked.is("POST", 3, "servers") && asked.path[2] == "action") return act(asked);
  if (asked.path.size() >= 3 && asked.path[2] == "os-volume_attachments") return attach(asked);
  refuseNova(404, "itemNotFound", "The resource could not be found.");
}

HttpResponse FakeOpenStack::makeServer(const Asked& asked) {
  checkRequest(asked);
  const Json& wanted = asked.body.at("server");
  const std::string flavor = wanted.at("flavorRef");
  const bool known =
      std::any_of(std::begin(kFlavors), std::end(kFlavors), [&](const FakeFlavor& f) { return flavor == f.id; });
  if (!known) refuseNova(400, "badRequest", "Flavor " + flavor + " could not be found.");
  const bool from_volume = wanted.contains("block_device_mapping_v2");
  const std::string image = from_volume ? wanted.at("block_device_mapping_v2").at(0).at("uuid").get<std::string>()
                                        : wanted.at("imageRef").get<std::string>();
  if (image != kImageId) refuseNova(400, "badRequest", "Image " + image + " could not be found.");
  const std::string port = wanted.at("networks").at(0).at("port");
  const auto held = ports_.find(port);
  if (held == ports_.end()) refuseNova(400, "badRequest", "Port " + port + " could not be found.");
  if (!held->second.server.empty()) refuseNova(409, "conflictingRequest", "Port " + port + " is still in use.");
  const auto used = std::count_if(servers_.begin(), servers_.end(),
                                  [&](const auto& one) { return one.second.project == asked.project; });
  if (used >= pace_.instances) {
    const std::string most = std::to_string(pace_.instances);
    refuseNova(403, "forbidden", "Quota exceeded for instances: Requested 1, but already used " + most + " of " + most);
  }
  const std::string id = newId();
  Server server;
  server.project = asked.project;
  server.name = wanted.at("name");
  server.status = "BUILD";
  server.task = "scheduling";
  server.port = port;
  server.address = held->second.address;
  server.metadata = wanted.value("metadata", Json::object());
  server.description = wanted.value("description", "");
  server.zone = wanted.value("availability_zone", "nova");
  server.hints = asked.body.value("os:scheduler_hints", Json::object());
  server.request = asked.body;
  server.made_ms = now_ms_;
  server.next_ms = now_ms_ + pace_.boot_ms;
  if (flavor == "f-huge") server.fault = "No valid host was found. There are not enough hosts available.";
  servers_[id] = server;
  held->second.server = id;
  HttpResponse response = reply(
      202,
      {{"server",
        {{"id", id}, {"links", Json::array()}, {"OS-DCF:diskConfig", "MANUAL"}, {"adminPass", "not-for-logs-1"}}}});
  response.headers.emplace_back("Location", std::string(kHost) + ":8774/v2.1/servers/" + id);
  return response;
}

HttpResponse FakeOpenStack::act(const Asked& asked) {
  Server& server = serverAt(asked, 1);
  const std::string action = asked.body.begin().key();
  const auto need = [&](bool fits) {
    if (fits && server.task.empty()) return;
    refuseNova(
        409, "conflictingRequest",
        "Cannot '" + action + "' instance " + asked.path[1] + " while it is in " + server.status + " " + server.task);
  };
  if (action == "os-stop") {
    need(server.status == "ACTIVE" || server.status == "ERROR");
    server.task = "powering-off";
  } else if (action == "os-start") {
    need(server.status == "SHUTOFF");
    server.task = "powering-on";
  } else if (action == "resume" || action == "unpause" || action == "unshelve") {
    need(server.status == "SUSPENDED" || server.status == "PAUSED" || server.status.rfind("SHELVED", 0) == 0);
    server.task = "powering-on";
  } else if (action == "forceDelete") {
    server.task = "deleting";
  } else {
    refuseNova(400, "badRequest", "There is no such action: " + action);
  }
  server.next_ms = now_ms_ + pace_.stop_ms;
  return reply(202, nullptr);
}

void FakeOpenStack::settleServers() {
  for (auto it = servers_.begin(); it != servers_.end();) {
    Server& server = it->second;
    if (server.task.empty() || now_ms_ < server.next_ms) {
      ++it;
      continue;
    }
    if (server.task != "deleting") {
      server.status = !server.fault.empty() ? "ERROR" : server.task == "powering-off" ? "SHUTOFF" : "ACTIVE";
      server.task.clear();
      ++it;
      continue;
    }
    const auto port = ports_.find(server.port);
    if (port != ports_.end()) port->second.server.clear();
    for (auto& [id, volume] : volumes_) {
      if (volume.server != it->first) continue;
      volume.server.clear();
      volume.status = "available";
    }
    it = servers_.erase(it);
  }
}

HttpResponse FakeOpenStack::attach(const Asked& asked) {
  const Server& server = serverAt(asked, 1);
  const bool on = asked.method == "POST";
  const std::string id = on ? asked.body.at("volumeAttachment").at("volumeId").get<std::string>() : asked.path.at(3);
  const auto found = volumes_.find(id);
  if (found == volumes_.end() || found->second.project != asked.project) {
    refuseNova(404, "itemNotFound", "Volume " + id + " could not be found.");
  }
  Volume& volume = found->second;
  if (on) {
    if (server.status == "BUILD") refuseNova(409, "conflictingRequest", "Cannot 'attach_volume' while in BUILD");
    if (volume.status != "available") {
      refuseNova(400, "badRequest",
                 "Invalid volume: volume " + id + " status must be 'available'. Currently in '" + volume.status + "'");
    }
    volume.server = asked.path[1];
    volume.status = "attaching";
  } else {
    if (volume.server != asked.path[1]) {
      refuseNova(404, "itemNotFound", "Instance " + asked.path[1] + " is not attached to volume " + id);
    }
    volume.status = "detaching";
  }
  volume.next_ms = now_ms_ + pace_.volume_ms;
  if (!on) return reply(202, nullptr);
  return reply(
      200, {{"volumeAttachment", {{"id", id}, {"serverId", asked.path[1]}, {"volumeId", id}, {"device", "/dev/sdb"}}}});
}

}  // namespace fake_openstack
