// SPDX-License-Identifier: Apache-2.0
#include "fake_openstack.h"

#include <algorithm>
#include <cstdio>

namespace fake_openstack {
namespace {

std::string decodedText(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::vector<std::string> splitText(const std::string& text, char sign) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.find(sign, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

[[noreturn]] void refuseKeystone() {
  throw Refused{401,
                {{"error",
                  {{"code", 401},
                   {"title", "Unauthorized"},
                   {"message", "The request you have made requires authentication."}}}}};
}

Json endpointsOf(const std::string& url) {
  Json all = Json::array();
  for (const char* interface : {"public", "admin", "internal"}) {
    all.push_back({{"id", std::string(interface) + url},
                   {"interface", interface},
                   {"region_id", "RegionOne"},
                   {"region", "RegionOne"},
                   {"url", interface == std::string("public") ? url : "https://inside.test" + url.substr(18)}});
  }
  return all;
}

}  // namespace

HttpResponse reply(int status, const Json& body) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"X-Openstack-Request-Id", "req-7"}};
  if (!body.is_null()) {
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = body.dump();
  }
  return response;
}

void refuseNova(int status, const std::string& name, const std::string& message) {
  throw Refused{status, {{name, {{"code", status}, {"message", message}}}}};
}

void refuseNeutron(int status, const std::string& type, const std::string& message) {
  throw Refused{status, {{"NeutronError", {{"type", type}, {"message", message}, {"detail", ""}}}}};
}

std::string Asked::first(const std::string& key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string() : found->second;
}

bool Asked::is(const char* method_wanted, std::size_t length, const char* collection) const {
  return method == method_wanted && path.size() == length && !path.empty() && path[0] == collection;
}

FakeOpenStack::FakeOpenStack(std::string_view options) {
  const Json json = vcp::plugin::parseObject(options, "cloud_options");
  for (const Json& one : json.at("accounts")) {
    accounts_.push_back({one.at("user").get<std::string>(), one.at("secret").get<std::string>(),
                         one.at("project").get<std::string>(), one.value("application", false)});
  }
  const auto number = [&](const char* key, std::int64_t& value) { value = json.value(key, value); };
  number("lag_ms", pace_.lag_ms);
  number("boot_ms", pace_.boot_ms);
  number("stop_ms", pace_.stop_ms);
  number("end_ms", pace_.end_ms);
  number("volume_ms", pace_.volume_ms);
  number("token_ms", pace_.token_ms);
  number("instances", pace_.instances);
  number("volumes", pace_.volumes);
}

Asked FakeOpenStack::askedBy(const HttpRequest& request) const {
  static const std::map<std::string, std::string> kPorts{
      {"5000", "identity"}, {"8774", "compute"}, {"9696", "network"}, {"9292", "image"}, {"8776", "volume"}};
  Asked asked;
  asked.method = request.method;
  const std::size_t place = request.url.find("://") + 3;
  const std::size_t slash = std::min(request.url.find('/', place), request.url.size());
  const std::string host = request.url.substr(place, slash - place);
  const auto service = kPorts.find(host.substr(host.find(':') + 1));
  if (host.rfind("cloud.test:", 0) != 0 || service == kPorts.end()) refuseNova(404, "error", "no such place");
  asked.service = service->second;
  const std::string rest = request.url.substr(slash);
  const std::size_t sign = std::min(rest.find('?'), rest.size());
  for (const std::string& part : splitText(rest.substr(0, sign), '/')) asked.path.push_back(decodedText(part));
  for (const std::string& part : splitText(rest.substr(std::min(sign + 1, rest.size())), '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    asked.query.emplace(part.substr(0, equals), decodedText(part.substr(std::min(equals + 1, part.size()))));
  }
  if (!request.body.empty()) asked.body = Json::parse(request.body);
  static const std::map<std::string, std::string> kVersions{
      {"identity", "v3"}, {"compute", "v2.1"}, {"network", "v2.0"}, {"image", "v2"}, {"volume", "v3"}};
  if (asked.path.empty() || asked.path[0] != kVersions.at(asked.service)) {
    refuseNova(404, "itemNotFound", "The resource could not be found.");
  }
  asked.path.erase(asked.path.begin());
  std::string token;
  for (const auto& [name, value] : request.headers) {
    if (name == "OpenStack-API-Version") asked.version = value;
    if (name == "X-Auth-Token") token = value;
  }
  if (asked.service == "identity") return asked;
  const auto known = tokens_.find(token);
  if (known == tokens_.end() || known->second.ends_ms <= now_ms_) refuseKeystone();
  asked.project = known->second.project;
  if (asked.service == "volume") {
    if (asked.path.empty() || asked.path[0] != asked.project) refuseNova(400, "badRequest", "Malformed request url");
    asked.path.erase(asked.path.begin());
  }
  return asked;
}

HttpResponse FakeOpenStack::handle(const HttpRequest& request) {
  try {
    const Asked asked = askedBy(request);
    if (asked.service == "identity") return identity(asked);
    if (asked.service == "compute") return compute(asked);
    if (asked.service == "network") return network(asked);
    if (asked.service == "image") return image(asked);
    return volume(asked);
  } catch (const Refused& no) {
    return reply(no.status, no.body);
  }
}

bool FakeOpenStack::isChange(const HttpRequest& request) const {
  return request.method != "GET" && request.url.find("/auth/tokens") == std::string::npos;
}

HttpResponse FakeOpenStack::identity(const Asked& asked) {
  if (!asked.is("POST", 2, "auth")) refuseNova(404, "error", "not found");
  ++logins;
  const Json& auth = asked.body.at("auth");
  const std::string how = auth.at("identity").at("methods").at(0);
  std::string user;
  std::string secret;
  std::string project;
  if (how == "password") {
    const Json& given = auth.at("identity").at("password").at("user");
    const bool domain =
        given.at("domain").value("id", "") == "default" || given.at("domain").value("name", "") == "Default";
    user = domain ? given.at("name").get<std::string>() : "";
    secret = given.at("password");
    project = auth.at("scope").at("project").value("name", "");
  } else {
    const Json& given = auth.at("identity").at("application_credential");
    if (auth.contains("scope")) refuseNova(400, "error", "application credentials have a scope of their own");
    user = given.at("id");
    secret = given.at("secret");
  }
  for (const Account& account : accounts_) {
    const bool fits = account.is_application == (how != "password") && account.user == user && account.secret == secret;
    if (!fits || (!account.is_application && project != account.project)) continue;
    const std::string token = "gAAAAAB-" + newId();
    tokens_[token] = {account.project, now_ms_ + pace_.token_ms};
    HttpResponse response = reply(201, {{"token", tokenBody(account)}});
    response.headers.emplace_back("X-Subject-Token", token);
    return response;
  }
  refuseKeystone();
}

Json FakeOpenStack::tokenBody(const Account& account) const {
  const std::string host = kHost;
  Json catalog = Json::array();
  const auto add = [&](const char* type, const char* name, const std::string& url) {
    catalog.push_back({{"id", name}, {"type", type}, {"name", name}, {"endpoints", endpointsOf(host + url)}});
  };
  add("identity", "keystone", ":5000/v3/");
  add("compute", "nova", ":8774/v2.1");
  add("network", "neutron", ":9696");
  add("image", "glance", ":9292");
  add("volumev3", "cinder", ":8776/v3/" + account.project);
  const Json domain{{"id", "default"}, {"name", "Default"}};
  return {{"methods", {account.is_application ? "application_credential" : "password"}},
          {"user", {{"domain", domain}, {"id", "u1"}, {"name", account.user}, {"password_expires_at", nullptr}}},
          {"expires_at", time(now_ms_ + pace_.token_ms)},
          {"issued_at", time(now_ms_)},
          {"project", {{"domain", domain}, {"id", account.project}, {"name", account.project}}},
          {"is_domain", false},
          {"catalog", catalog}};
}

std::vector<CloudObject> FakeOpenStack::objects() const {
  std::vector<CloudObject> all;
  for (const auto& [id, one] : servers_) {
    if (one.task != "deleting") all.push_back({"machine", one.name, id, one.project});
  }
  for (const auto& [id, one] : ports_) all.push_back({"port", one.name, id, one.project});
  for (const auto& [id, one] : volumes_) {
    if (one.status != "deleting") all.push_back({"volume", one.name, id, one.project});
  }
  return all;
}

void FakeOpenStack::advance(std::int64_t ms) {
  now_ms_ += ms;
  settleServers();
  settleVolumes();
}

void FakeOpenStack::addForeign() {
  const std::string name = "vcp-ffffffff-00000000000000000000";
  Port port;
  port.project = accounts_.front().project;
  port.name = name + "-port";
  port.description = "vcp:somebody:openstack";
  port.address = "10.60.0.9";
  port.network = kNetworkId;
  const std::string id = newId();
  ports_[id] = port;
  Server server;
  server.project = port.project;
  server.name = name;
  server.status = "ACTIVE";
  server.port = id;
  server.address = port.address;
  server.metadata = {{"vcp:vcc", "somebody"}, {"vcp:provider", "openstack"}, {"vcp:name", name}};
  servers_[newId()] = server;
}

bool FakeOpenStack::isTaken(const std::string& address) const {
  return std::any_of(ports_.begin(), ports_.end(), [&](const auto& one) { return one.second.address == address; });
}

std::string FakeOpenStack::newId() {
  char text[40];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012llx", static_cast<unsigned long long>(++last_));
  return text;
}

std::string FakeOpenStack::time(std::int64_t ms) const {
  char text[48];
  std::snprintf(text, sizeof text, "2026-11-%02dT%02d:%02d:%02d.000000Z", static_cast<int>(1 + ms / 86'400'000 % 28),
                static_cast<int>(ms / 3'600'000 % 24), static_cast<int>(ms / 60'000 % 60),
                static_cast<int>(ms / 1000 % 60));
  return text;
}

}  // namespace fake_openstack
