// SPDX-License-Identifier: Apache-2.0
// Sakura Cloud as the driver sees it: servers, disks that are copied from an archive, a power switch, searches that lag
// behind and find parts of names. Answers have the shapes of API 1.1.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace {

using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::testing::CloudObject;

constexpr char kRoot[] = "https://secure.sakura.ad.jp/cloud/zone/is1b/api/cloud/1.1";
constexpr std::int64_t kLagMs = 5'000;     // until a search shows what was made
constexpr std::int64_t kCopyMs = 180'000;  // of an archive
constexpr std::int64_t kOnMs = 3'000;
constexpr std::int64_t kOffMs = 8'000;

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kDigits[(group >> (18U - 6U * k)) & 0x3FU] : '=';
    }
  }
  return out;
}

std::string percentDecoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    out += escape ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (escape) i += 2;
  }
  return out;
}

struct Thing {
  std::string owner;
  std::string name;
  Json tags = Json::array();
  std::string server;          // of a disk
  std::string power = "down";  // of a server
  std::int64_t since_ms = 0;   // of the power switch
  std::int64_t made_ms = 0;
};
using Things = std::map<std::string, Thing>;

class Sakura final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit Sakura(std::string_view text) {
    const Json options = vcp::plugin::parseObject(text, "cloud_options");
    for (const auto& [account, owner] : options.at("accounts").items()) {
      accounts_["Basic " + base64(account)] = owner.get<std::string>();
    }
    first_ = options.at("accounts").begin().value().get<std::string>();
  }

  HttpResponse handle(const HttpRequest& request) override {
    std::string owner;
    for (const auto& [name, value] : request.headers) {
      const auto account = accounts_.find(value);
      if (name == "Authorization" && account != accounts_.end()) owner = account->second;
    }
    if (owner.empty()) return refuse(401, "unauthorized");
    const std::string root = kRoot;
    if (request.url.compare(0, root.size(), root) != 0) return refuse(404, "not_found");
    const std::string rest = request.url.substr(root.size() + 1);
    const std::size_t query = rest.find('?');
    std::vector<std::string> path(1);
    for (const char c : rest.substr(0, query)) {
      if (c == '/') path.emplace_back();
      if (c != '/') path.back() += c;
    }
    const Json body = Json::parse(request.body, nullptr, false);
    const Json asked =
        query == std::string::npos ? Json() : Json::parse(percentDecoded(rest.substr(query + 1)), nullptr, false);
    return serve(owner, request.method, path, asked, body);
  }

  std::vector<CloudObject> objects() const override {
    std::vector<CloudObject> all;
    for (const auto& [id, server] : servers_) all.push_back({"machine", server.name, id, server.owner});
    for (const auto& [id, disk] : disks_) all.push_back({"disk", disk.name, id, disk.owner});
    return all;
  }

  void advance(std::int64_t ms) override { now_ms_ += ms; }

  void addForeign() override {
    Thing server;
    server.owner = first_;
    server.name = "vcp-ffffffff-00000000000000000000";
    server.tags = {"somebody"};
    servers_[newId()] = server;
  }

 private:
  static HttpResponse reply(int status, const Json& body) {
    HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "application/json; charset=UTF-8"}};
    response.body = body.dump();
    return response;
  }

  static HttpResponse refuse(int status, const std::string& code) {
    return reply(status, {{"is_fatal", true},
                          {"serial", "0123456789abcdef"},
                          {"status", std::to_string(status) + " Refused"},
                          {"error_code", code},
                          {"error_msg", "the fake cloud refuses: " + code}});
  }

  std::string newId() { return "1130" + std::to_string(10'000'000 + ++last_); }

  HttpResponse serve(const std::string& owner, const std::string& method, const std::vector<std::string>& path,
                     const Json& asked, const Json& body) {
    const std::string& kind = path[0];
    if (kind == "switch") return reply(200, {{"Switch", {{"ID", path.at(1)}}}, {"is_ok", true}});
    if (kind == "archive") return archives(asked);
    if (kind != "server" && kind != "disk") return refuse(404, "not_found");
    Things& things = kind == "server" ? servers_ : disks_;
    if (path.size() == 1) return method == "POST" ? make(owner, kind, body) : search(owner, kind, things, asked);
    const auto found = things.find(path[1]);
    if (found == things.end() || found->second.owner != owner) return refuse(404, "not_found");
    if (path.size() == 3 && path[2] == "power") return power(found->second, method == "PUT");
    if (method == "GET")
      return reply(200, {{kind == "server" ? "Server" : "Disk", show(kind, *found)}, {"is_ok", true}});
    return kind == "server" ? removeServer(found->first, body) : removeDisk(found->first);
  }

  std::string powerOf(const Thing& server) const {
    if (server.power == "on") return now_ms_ >= server.since_ms + kOnMs ? "up" : "down";
    if (server.power == "off") return now_ms_ >= server.since_ms + kOffMs ? "down" : "cleaning";
    return "down";
  }
  bool copied(const Thing& disk) const { return now_ms_ >= disk.made_ms + kCopyMs; }

  Json show(const std::string& kind, const Things::value_type& entry) const {
    const auto& [id, thing] = entry;
    Json out{{"ID", id}, {"Name", thing.name}, {"Tags", thing.tags}};
    if (kind == "server") {
      out["Availability"] = "available";
      out["Instance"] = {{"Status", powerOf(thing)}, {"BeforeStatus", nullptr}};
      out["Disks"] = Json::array();
      for (const auto& disk : disks_) {
        if (disk.second.server == id) out["Disks"].push_back(show("disk", disk));
      }
      return out;
    }
    out["Availability"] = copied(thing) ? "available" : "migrating";
    out["SizeMB"] = 40960;
    out["MigratedMB"] = copied(thing) ? 40960 : 40960 * (now_ms_ - thing.made_ms) / kCopyMs;
    out["Server"] = {{"ID", thing.server}};
    return out;
  }

  static HttpResponse archives(const Json& asked) {
    Json list = Json::array();
    const std::string part = asked.at("Filter").value("Name", "");
    const std::vector<std::pair<std::string, std::string>> all{{"112900000001", "vcp-base-24.04"},
                                                               {"112900000002", "vcp-base-24.04-old"}};
    for (const auto& [id, name] : all) {
      if (name.find(part) != std::string::npos) list.push_back({{"ID", id}, {"Name", name}});
    }
    return reply(200, {{"From", 0}, {"Count", list.size()}, {"Total", list.size()}, {"Archives", list}});
  }

  HttpResponse search(const std::string& owner, const std::string& kind, const Things& things, const Json& asked) {
    if (!asked.is_object()) return refuse(400, "bad_request");
    const std::string part = asked.at("Filter").value("Name", "");
    const Json tags = asked.at("Filter").value("Tags.Name", Json::array());
    std::vector<Json> found;
    for (const auto& entry : things) {
      const Thing& thing = entry.second;
      bool fits =
          thing.owner == owner && now_ms_ >= thing.made_ms + kLagMs && thing.name.find(part) != std::string::npos;
      for (const Json& tag : tags) {
        fits = fits && std::count(thing.tags.begin(), thing.tags.end(), tag) != 0;
      }
      if (fits) found.push_back(show(kind, entry));
    }
    const auto from = asked.value("From", std::size_t{0});
    const auto count = std::min(asked.value("Count", std::size_t{0}), std::size_t{2});  // small pages
    Json page = Json::array();
    for (std::size_t i = from; i < found.size() && page.size() < count; ++i) page.push_back(found[i]);
    return reply(200, {{"From", from},
                       {"Count", page.size()},
                       {"Total", found.size()},
                       {kind == "server" ? "Servers" : "Disks", page},
                       {"is_ok", true}});
  }

  HttpResponse make(const std::string& owner, const std::string& kind, const Json& body) {
    const char* member = kind == "server" ? "Server" : "Disk";
    if (!body.is_object() || !body.contains(member)) return refuse(400, "missing_param");
    const Json& wanted = body.at(member);
    Thing thing;
    thing.owner = owner;
    thing.name = wanted.at("Name").get<std::string>();
    thing.tags = wanted.at("Tags");
    thing.made_ms = now_ms_;
    if (kind == "disk") {
      thing.server = wanted.at("Server").at("ID").get<std::string>();
      if (servers_.count(thing.server) == 0) return refuse(400, "param_res_not_found");
      if (body.at("Config").at("UserIPAddress").get<std::string>().empty()) return refuse(400, "missing_param");
    }
    Things& things = kind == "server" ? servers_ : disks_;
    const auto made = things.emplace(newId(), thing).first;
    return reply(kind == "server" ? 201 : 202, {{member, show(kind, *made)}, {"is_ok", true}});
  }

  HttpResponse power(Thing& server, bool on) {
    if (powerOf(server) == "cleaning") return refuse(409, "server_is_cleaning");
    if (on) {
      bool whole = false;
      for (const auto& [id, disk] : disks_) {
        const auto holder = servers_.find(disk.server);
        if (holder == servers_.end() || &holder->second != &server) continue;
        if (!copied(disk)) return refuse(409, "disk_is_copying");
        whole = true;
      }
      if (!whole) return refuse(409, "conflict");
    }
    if ((server.power == "on") != on) {
      server.power = on ? "on" : "off";
      server.since_ms = now_ms_;
    }
    return reply(200, {{"Success", true}, {"is_ok", true}});
  }

  HttpResponse removeServer(const std::string& id, const Json& body) {
    if (powerOf(servers_.at(id)) != "down" || servers_.at(id).power == "on") {
      return refuse(409, "server_power_must_be_down");
    }
    const Json with = body.is_object() ? body.value("WithDisk", Json::array()) : Json::array();
    for (const Json& disk : with) {
      const auto found = disks_.find(disk.get<std::string>());
      if (found == disks_.end()) return refuse(404, "not_found");
      if (!copied(found->second)) return refuse(409, "disk_is_copying");
    }
    for (const Json& disk : with) disks_.erase(disk.get<std::string>());
    servers_.erase(id);
    return reply(200, {{"Success", true}, {"is_ok", true}});
  }

  HttpResponse removeDisk(const std::string& id) {
    if (!copied(disks_.at(id))) return refuse(409, "disk_is_copying");
    if (servers_.count(disks_.at(id).server) != 0) return refuse(409, "conflict");
    disks_.erase(id);
    return reply(200, {{"Success", true}, {"is_ok", true}});
  }

  std::map<std::string, std::string> accounts_;  // Authorization -> account
  std::string first_;
  Things servers_;
  Things disks_;
  std::int64_t now_ms_ = 0;
  int last_ = 0;
};

}  // namespace

VCP_FAKE_CLOUD(Sakura);
