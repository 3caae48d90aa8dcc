// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace tiny {

using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::testing::CloudObject;

constexpr std::int64_t kBootMs = 10'000;
constexpr std::int64_t kCopyMs = 5'000;
constexpr std::int64_t kTokenMs = 600'000;
constexpr std::size_t kPage = 3;  // small, so that lists have several

/// An answer other than 2xx.
struct Refused {
  int status;
  const char* code;
};

struct Query {
  std::map<std::string, std::string> values;

  explicit Query(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('&', at), text.size());
      const std::string pair = text.substr(at, end - at);
      values[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
      at = end + 1;
    }
  }
  std::string operator[](const std::string& key) const { return values.count(key) > 0 ? values.at(key) : ""; }
};

/// The tiny cloud's /v2 for vcp-plugin-check; README.md describes the API. An object is what its JSON shows, and who
/// owns it.
class FakeTiny final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit FakeTiny(std::string_view) {}

  HttpResponse handle(const HttpRequest& request) override {
    HttpResponse response;
    try {
      const Json answer = serve(request);
      response.status = 200;
      if (!answer.is_null()) response.body = answer.dump();
    } catch (const Refused& refused) {
      response.status = refused.status;
      response.body = Json{{"error", {{"code", refused.code}, {"message", "refused"}}}}.dump();
    }
    return response;
  }
  bool isChange(const HttpRequest& request) const override {
    return request.method != "GET" && request.url.find("/v2/login") == std::string::npos;
  }
  std::vector<CloudObject> objects() const override {
    std::vector<CloudObject> all;
    for (const auto& [id, machine] : machines_) all.push_back({"machine", machine.json["name"], id, machine.account});
    for (const auto& [id, disk] : disks_) all.push_back({"disk", disk.json["name"], id, disk.account});
    return all;
  }
  void advance(std::int64_t ms) override { now_ms_ += ms; }
  void addForeign() override {
    const Json labels{{"vcc", "another-controller"}};
    add(machines_, "m-", "first", {{"name", "vcp-of-somebody-else"}, {"address", "10.0.0.9"}, {"labels", labels}});
    add(disks_, "d-", "first", {{"name", "vcp-of-somebody-else-disk"}, {"labels", labels}});
  }

 private:
  struct Object {
    std::string account;
    Json json;
    std::int64_t since_ms = 0;  // when it was made or powered on
  };
  using Table = std::map<std::string, Object>;
  struct Token {
    std::string account;
    std::int64_t until_ms = 0;
  };

  Json serve(const HttpRequest& request) {
    const std::string target = request.url.substr(request.url.find("/v2/") + 4);
    const std::size_t end = std::min(target.find('?'), target.size());
    const std::string path = target.substr(0, end);
    const Query query(end < target.size() ? target.substr(end + 1) : "");
    const Json body = request.body.empty() ? Json::object() : Json::parse(request.body);
    if (path == "login") return login(body);

    const std::string account = accountOf(request);
    const std::string kind = path.substr(0, path.find('/'));
    if (kind == "images") return {{"items", {{{"id", "img-1"}, {"name", "ubuntu"}, {"created", 1}}}}};
    if (kind != "machines" && kind != "disks") throw Refused{404, "not_found"};
    Table& table = kind == "machines" ? machines_ : disks_;
    if (path == kind) {
      if (request.method == "GET") return list(table, account, query);
      return kind == "machines" ? createMachine(account, body) : createDisk(account, body);
    }
    const std::string id = path.substr(kind.size() + 1, path.find('/', kind.size() + 1) - kind.size() - 1);
    Object& object = find(table, account, id);
    if (request.method == "GET") return shown(object);
    if (request.method == "POST") return power(object, body.at("on"));
    remove(table, id);
    return nullptr;
  }

  Json login(const Json& body) {
    for (const char* account : {"first", "second"}) {
      if (body.at("user") != account || body.at("password") != std::string(account) + "-password") continue;
      const std::string token = std::string(account) + "-token-" + std::to_string(++last_);
      tokens_[token] = {account, now_ms_ + kTokenMs};
      return {{"token", token}, {"expires_in", kTokenMs / 1000}};
    }
    throw Refused{401, "bad_login"};
  }

  std::string accountOf(const HttpRequest& request) const {
    for (const auto& [name, value] : request.headers) {
      if (name != "Authorization" || value.rfind("Bearer ", 0) != 0) continue;
      const std::string key = value.substr(7);
      if (key == "first-key" || key == "second-key") return key.substr(0, key.find('-'));
      const auto token = tokens_.find(key);
      if (token != tokens_.end() && now_ms_ < token->second.until_ms) return token->second.account;
    }
    throw Refused{401, "bad_token"};
  }

  Json createMachine(const std::string& account, const Json& body) {
    const std::string address = body.value("address", "10.0.1." + std::to_string(last_ + 1));
    if (address.rfind("10.0.", 0) != 0) throw Refused{400, "bad_address"};
    for (const auto& [id, machine] : machines_) {
      if (machine.json["address"] == address) throw Refused{409, "address_in_use"};
    }
    const std::string disk = body.value("disk", "");
    if (!disk.empty()) {
      const Json state = shown(find(disks_, account, disk));
      if (state["state"] != "ready" || !state["machine"].is_null()) throw Refused{409, "disk_busy"};
    }
    Object& machine = add(machines_, "m-", account, body);
    machine.json["address"] = address;
    machine.json["state"] = body.value("power", true) ? "building" : "stopped";
    if (!disk.empty()) disks_.at(disk).json["machine"] = machine.json["id"];
    return shown(machine);
  }

  Json createDisk(const std::string& account, const Json& body) {
    if (body.at("image") != "img-1") throw Refused{400, "bad_request"};
    return shown(add(disks_, "d-", account, body));
  }

  Json power(Object& machine, bool on) const {
    if (on && machine.json["state"] == "stopped") {
      machine.json["state"] = "building";
      machine.since_ms = now_ms_;
    } else if (!on) {
      machine.json["state"] = "stopped";
    }
    return nullptr;
  }

  void remove(Table& table, const std::string& id) {
    const Json json = table.at(id).json;
    if (!json.value("machine", Json()).is_null()) throw Refused{409, "disk_busy"};
    if (const auto disk = disks_.find(json.value("disk", "")); disk != disks_.end())
      disk->second.json["machine"] = nullptr;
    table.erase(id);
  }

  Object& add(Table& table, const std::string& prefix, const std::string& account, const Json& body) {
    const std::string id = prefix + std::to_string(100000 + ++last_);
    Object& object = table[id] = {account, body, now_ms_};
    object.json["id"] = id;
    return object;
  }

  static Object& find(Table& table, const std::string& account, const std::string& id) {
    const auto found = table.find(id);
    if (found == table.end() || found->second.account != account) throw Refused{404, "not_found"};
    return found->second;
  }

  Json list(const Table& table, const std::string& account, const Query& query) const {
    Json page{{"items", Json::array()}};
    for (const auto& [id, object] : table) {
      const std::string label = "vcc:" + object.json.value(Json::json_pointer("/labels/vcc"), "");
      if (object.account != account || id <= query["after"]) continue;
      if (!query["name"].empty() && object.json["name"] != query["name"]) continue;
      if (!query["label"].empty() && label != query["label"]) continue;
      if (page["items"].size() == kPage) {
        page["next"] = page["items"].back()["id"];
        break;
      }
      page["items"].push_back(shown(object));
    }
    return page;
  }

  Json shown(const Object& object) const {
    Json json = object.json;
    const std::int64_t age_ms = now_ms_ - object.since_ms;
    if (json.value("state", "") == "building" && age_ms >= kBootMs) json["state"] = "running";
    if (json.contains("image")) {
      json["state"] = age_ms >= kCopyMs ? "ready" : "copying";
      json["progress"] = std::min<std::int64_t>(100, age_ms * 100 / kCopyMs);
      json["machine"] = json.value("machine", Json());
    }
    return json;
  }

  Table machines_;
  Table disks_;
  std::map<std::string, Token> tokens_;
  std::int64_t now_ms_ = 0;
  int last_ = 0;
};

}  // namespace tiny

VCP_FAKE_CLOUD(tiny::FakeTiny);
