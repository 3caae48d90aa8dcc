// SPDX-License-Identifier: Apache-2.0
// A cloud without tokens and with names that may repeat: server, disk, minutes of copying, power on. Volumes are data
// disks; they change hands while the server is off, and outlive it unless its removal takes them too.
//
// Options besides the accounts, for simulations: "hot" (volumes change hands while the server is on, too), "stop_ms"
// (how long a server takes to go off), "slow" ([[N, MS], ...]: the boot of every Nth object that is a server takes MS).
#include <algorithm>
#include <iterator>
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

constexpr std::int64_t kCopyMs = 60'000;
constexpr std::int64_t kBootMs = 20'000;
constexpr std::int64_t kFormatMs = 10'000;
constexpr std::size_t kPage = 2;

struct Thing {
  std::string owner;
  std::string name;
  std::string vcc;     // of a server
  std::string server;  // of a disk, or of a volume that is attached
  std::string power = "new";
  std::int64_t ready_ms = 0;
  std::int64_t boot_ms = kBootMs;
};

class Harbor final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit Harbor(std::string_view text) {
    const Json options = vcp::plugin::parseObject(text, "cloud_options");
    accounts_ = options.at("accounts").get<decltype(accounts_)>();
    hot_ = options.value("hot", false);
    stop_ms_ = options.value("stop_ms", std::int64_t{0});
    slow_ = options.value("slow", decltype(slow_){});
  }

  HttpResponse handle(const HttpRequest& request) override {
    std::string owner;
    for (const auto& [name, value] : request.headers) {
      if (name != "Authorization" || value.rfind("Bearer ", 0) != 0) continue;
      const auto account = accounts_.find(value.substr(7));
      if (account != accounts_.end()) owner = account->second;
    }
    if (owner.empty()) return reply(401, {{"error", "no such key"}});
    const std::string path = request.url.substr(std::string("https://harbor.test/").size());
    const Json body = Json::parse(request.body, nullptr, false);
    return serve(owner, request.method, path, body);
  }

  std::vector<CloudObject> objects() const override {
    std::vector<CloudObject> all;
    for (const auto& [id, server] : servers_) all.push_back({"machine", server.name, id, server.owner});
    for (const auto& [id, disk] : disks_) all.push_back({"disk", disk.name, id, disk.owner});
    for (const auto& [id, volume] : volumes_) all.push_back({"volume", volume.name, id, volume.owner});
    return all;
  }

  void advance(std::int64_t ms) override { now_ms_ += ms; }

  void addForeign() override {
    Thing server;
    server.owner = accounts_.begin()->second;
    server.name = "vcp-ffffffff-00000000000000000000";
    server.vcc = "somebody";
    servers_["s" + std::to_string(++last_)] = server;
  }

 private:
  static HttpResponse reply(int status, const Json& body) {
    HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "application/json"}};
    if (!body.is_null()) response.body = body.dump();
    return response;
  }

  HttpResponse serve(const std::string& owner, const std::string& method, const std::string& path, const Json& body) {
    const std::size_t end = path.find_first_of("/?");
    const std::string kind = path.substr(0, end);
    std::map<std::string, Thing>& things = kind == "servers" ? servers_ : kind == "disks" ? disks_ : volumes_;
    const std::string rest = end == std::string::npos ? "" : path.substr(end);
    if (method == "POST") return make(owner, kind, things, body);
    if (rest.empty() || rest[0] == '?') return search(owner, things, rest);
    const std::string id =
        rest.substr(1, rest.find('/', 1) == std::string::npos ? std::string::npos : rest.find('/', 1) - 1);
    const auto found = things.find(id);
    if (found == things.end() || found->second.owner != owner) return reply(404, {{"error", "not found"}});
    if (method == "GET") return reply(200, show(id, found->second));
    if (method == "PUT" && kind == "volumes") return hang(owner, found->second, body.at("server"));
    if (method == "PUT") return power(found->second, body.at("on").get<bool>());
    return remove(things, id, body.is_object() && body.value("with_volumes", false));
  }

  Json show(const std::string& id, const Thing& thing) const {
    Json out{{"id", id}, {"name", thing.name}};
    if (id[0] == 'v') out["server"] = thing.server;
    if (id[0] != 's') {
      out["ready"] = now_ms_ >= thing.ready_ms;
      return out;
    }
    out["vcc"] = thing.vcc;
    out["power"] = powerOf(thing);
    out["address"] = "10.0.0." + id.substr(1);
    out["volumes"] = Json::array();
    for (const auto& [volume_id, volume] : volumes_) {
      if (volume.server == id) out["volumes"].push_back(volume_id);
    }
    return out;
  }

  std::string powerOf(const Thing& server) const {
    if (server.power == "on") return now_ms_ >= server.ready_ms ? "up" : "booting";
    return server.power == "off" && now_ms_ < server.ready_ms ? "stopping" : server.power;
  }

  HttpResponse make(const std::string& owner, const std::string& kind, std::map<std::string, Thing>& things,
                    const Json& body) {
    Thing thing;
    thing.owner = owner;
    thing.name = body.at("name").get<std::string>();
    thing.vcc = body.value("vcc", "");
    thing.server = body.value("server", "");
    if (kind == "disks") thing.ready_ms = now_ms_ + kCopyMs;
    if (kind == "volumes") thing.ready_ms = now_ms_ + kFormatMs;
    const std::string id = kind.substr(0, 1) + std::to_string(++last_);
    for (const auto& [every, boot_ms] : slow_) {
      if (last_ % every == 0) thing.boot_ms = boot_ms;
    }
    things[id] = thing;
    return reply(201, show(id, thing));
  }

  /// Attaches a volume, or takes it off with an empty `server`.
  HttpResponse hang(const std::string& owner, Thing& volume, const std::string& server) {
    const auto found = servers_.find(server.empty() ? volume.server : server);
    if (found == servers_.end() || found->second.owner != owner) return reply(404, {{"error", "no such server"}});
    if (found->second.power == "on" && !hot_) return reply(409, {{"error", "the server is on"}});
    if (volume.server.empty() == server.empty()) return reply(409, {{"error", "it is so, or held by another"}});
    volume.server = server;
    return reply(200, {{"server", server}});
  }

  /// "?name=N", or "?vcc=V&page=P" in pages.
  HttpResponse search(const std::string& owner, const std::map<std::string, Thing>& things,
                      const std::string& query) const {
    const auto value = [&](const std::string& key) {
      const std::size_t at = query.find(key + "=");
      return at == std::string::npos ? ""
                                     : query.substr(at + key.size() + 1, query.find('&', at) - at - key.size() - 1);
    };
    const std::string name = value("name");
    const std::string vcc = value("vcc");
    const std::size_t page = value("page").empty() ? 0 : std::stoul(value("page"));
    Json items = Json::array();
    std::size_t seen = 0;
    Json next;
    for (const auto& [id, thing] : things) {
      if (thing.owner != owner || (!name.empty() && thing.name != name) || (!vcc.empty() && thing.vcc != vcc)) continue;
      if (seen / kPage == page) items.push_back(show(id, thing));
      if (seen / kPage > page) next = page + 1;
      ++seen;
    }
    return reply(200, {{"items", items}, {"next", next}});
  }

  HttpResponse power(Thing& server, bool on) {
    const bool copied = std::any_of(disks_.begin(), disks_.end(), [&](const auto& entry) {
      return entry.second.name.rfind(server.name, 0) == 0 && now_ms_ >= entry.second.ready_ms;
    });
    if (on && !copied) return reply(409, {{"error", "no disk is ready"}});
    if (on && powerOf(server) == "stopping") return reply(409, {{"error", "it is going off"}});
    if (on && server.power != "on") server.ready_ms = now_ms_ + server.boot_ms;
    if (!on && server.power != "off") server.ready_ms = now_ms_ + stop_ms_;
    server.power = on ? "on" : "off";
    return reply(200, {{"power", server.power}});
  }

  HttpResponse remove(std::map<std::string, Thing>& things, const std::string& id, bool with_volumes) {
    const Thing& thing = things[id];
    if (id[0] == 's' && thing.power == "on") return reply(409, {{"error", "it is on"}});
    if (id[0] == 's' && powerOf(thing) == "stopping") return reply(409, {{"error", "it is going off"}});
    if (id[0] != 's' && servers_.count(thing.server) > 0) return reply(409, {{"error", "it is attached"}});
    for (auto volume = volumes_.begin(); volume != volumes_.end();) {
      const bool held = volume->second.server == id;
      if (held) volume->second.server.clear();
      volume = held && with_volumes ? volumes_.erase(volume) : std::next(volume);
    }
    things.erase(id);
    return reply(204, nullptr);
  }

  std::map<std::string, std::string> accounts_;  // key -> account
  bool hot_ = false;
  std::int64_t stop_ms_ = 0;
  std::vector<std::pair<int, std::int64_t>> slow_;
  std::map<std::string, Thing> servers_;
  std::map<std::string, Thing> disks_;
  std::map<std::string, Thing> volumes_;
  std::int64_t now_ms_ = 0;
  int last_ = 0;
};

}  // namespace

VCP_FAKE_CLOUD(Harbor);
