// SPDX-License-Identifier: Apache-2.0
// A cloud that makes many instances with one request, remembers tokens, and shows terminated instances for a while.
#include <map>
#include <string>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace {

using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::testing::CloudObject;

constexpr std::int64_t kBootMs = 15'000;

struct Instance {
  Json json;  // as it is shown
  std::string owner;
  std::int64_t ready_ms = 0;
  bool terminated = false;
};

class Fleet final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit Fleet(std::string_view) {}

  HttpResponse handle(const HttpRequest& request) override {
    std::string owner;
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Key" && value.rfind("key-", 0) == 0) owner = value.substr(4);
    }
    if (owner.empty()) return reply(401, {{"error", "no such key"}});
    const Json body = Json::parse(request.body, nullptr, false);
    const std::string path = request.url.substr(std::string("https://fleet.test/").size());
    if (path == "search") return search(owner, body);
    if (path == "run") return run(owner, body);
    const auto found = instances_.find(body.value("id", ""));
    if (found == instances_.end() || found->second.owner != owner) return reply(404, {{"error", "not found"}});
    if (path == "name") found->second.json["name"] = body.at("name");
    if (path == "terminate") found->second.terminated = true;
    return reply(200, {{"ok", true}});
  }

  bool isChange(const HttpRequest& request) const override { return request.url.find("/search") == std::string::npos; }

  std::vector<CloudObject> objects() const override {
    std::vector<CloudObject> all;
    for (const auto& [id, instance] : instances_) {
      if (!instance.terminated) all.push_back({"machine", instance.json.value("name", ""), id, instance.owner});
    }
    return all;
  }

  void advance(std::int64_t ms) override { now_ms_ += ms; }

  void addForeign() override { run("alice-1234", {{"token", "foreign"}, {"count", 1}, {"vcc", "somebody"}}); }

 private:
  static HttpResponse reply(int status, const Json& body) {
    HttpResponse response;
    response.status = status;
    response.body = body.dump();
    return response;
  }

  HttpResponse run(const std::string& owner, const Json& body) {
    const std::string token = body.at("token").get<std::string>();
    const auto known = tokens_.find(token);
    if (known != tokens_.end() && known->second != body) return reply(409, {{"error", "token mismatch"}});
    if (known == tokens_.end()) {
      for (int i = 0; i < body.at("count").get<int>(); ++i) {
        const std::string id = "i" + std::to_string(++last_);
        Instance instance;
        instance.owner = owner;
        instance.ready_ms = now_ms_ + kBootMs;
        instance.json = {{"id", id},
                         {"token", token},
                         {"index", i},
                         {"vcc", body.at("vcc")},
                         {"address", "10.1.0." + std::to_string(last_)}};
        instances_[id] = instance;
      }
      tokens_[token] = body;
    }
    return search(owner, {{"token", token}});
  }

  HttpResponse search(const std::string& owner, const Json& body) const {
    Json found = Json::array();
    for (const auto& [id, instance] : instances_) {
      bool matches = instance.owner == owner;
      for (const auto& [key, value] : body.items()) matches = matches && instance.json.value(key, Json()) == value;
      if (!matches) continue;
      Json shown = instance.json;
      shown["state"] = instance.terminated ? "terminated" : now_ms_ < instance.ready_ms ? "pending" : "running";
      found.push_back(shown);
    }
    return reply(200, {{"instances", found}});
  }

  std::map<std::string, Instance> instances_;
  std::map<std::string, Json> tokens_;
  std::int64_t now_ms_ = 0;
  int last_ = 0;
};

}  // namespace

VCP_FAKE_CLOUD(Fleet);
