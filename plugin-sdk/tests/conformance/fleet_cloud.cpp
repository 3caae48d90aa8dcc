// SPDX-License-Identifier: Apache-2.0
// A cloud that makes many instances with one request, remembers tokens for a day, shows new instances late, and
// terminated ones for ever. Names and wanted addresses are given afterwards. Option "slow", for simulations: [[N, MS],
// ...], the boot of every Nth instance takes MS.
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

constexpr std::int64_t kBootMs = 15'000;
constexpr std::int64_t kLagMs = 3000;
constexpr std::int64_t kTokenMs = 24 * 3'600'000;

struct Instance {
  Json json;  // as it is shown
  std::string owner;
  std::string token;
  std::int64_t made_ms = 0;
  std::int64_t boot_ms = kBootMs;
  bool terminated = false;
};

class Fleet final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit Fleet(std::string_view options)
      : slow_(vcp::plugin::parseObject(options.empty() ? "{}" : options, "cloud_options")
                  .value("slow", decltype(slow_){})) {}

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
    if (path == "name") return name(found->second, body);
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

  void addForeign() override {
    run("alice-1234", {{"token", "foreign"}, {"op", "foreign"}, {"count", 1}, {"vcc", "somebody"}});
  }

 private:
  static HttpResponse reply(int status, const Json& body) {
    HttpResponse response;
    response.status = status;
    response.body = body.dump();
    return response;
  }

  HttpResponse run(const std::string& owner, const Json& body) {
    const std::string token = body.at("token").get<std::string>();
    const auto last = times_.find(token);
    if (last != times_.end() && now_ms_ >= last->second + kTokenMs) tokens_.erase(token);
    const auto known = tokens_.find(token);
    if (known != tokens_.end() && known->second != body) return reply(409, {{"error", "token mismatch"}});
    if (known == tokens_.end()) {
      for (int i = 0; i < body.at("count").get<int>(); ++i) {
        const std::string id = "i" + std::to_string(++last_);
        Instance instance;
        instance.owner = owner;
        instance.token = token;
        instance.made_ms = now_ms_;
        for (const auto& [every, boot_ms] : slow_) {
          if (last_ % every == 0) instance.boot_ms = boot_ms;
        }
        instance.json = {{"id", id},
                         {"op", body.at("op")},
                         {"index", i},
                         {"vcc", body.at("vcc")},
                         {"address", "10.1.0." + std::to_string(last_)}};
        instances_[id] = instance;
      }
      tokens_[token] = body;
      times_[token] = now_ms_;
    }
    return show(owner, [&](const Instance& instance) { return instance.token == token; });
  }

  static HttpResponse name(Instance& instance, const Json& body) {
    const std::string address = body.at("address").get<std::string>();
    if (!address.empty() && address.rfind("10.1.", 0) != 0) return reply(400, {{"error", "not in this network"}});
    if (!address.empty()) instance.json["address"] = address;
    instance.json["name"] = body.at("name");
    return reply(200, {{"ok", true}});
  }

  HttpResponse search(const std::string& owner, const Json& body) const {
    return show(owner, [&](const Instance& instance) {
      bool matches = now_ms_ >= instance.made_ms + kLagMs;
      for (const auto& [key, value] : body.items()) matches = matches && instance.json.value(key, Json()) == value;
      return matches;
    });
  }

  template <class Matches>
  HttpResponse show(const std::string& owner, Matches&& matches) const {
    Json found = Json::array();
    for (const auto& [id, instance] : instances_) {
      if (instance.owner != owner || !matches(instance)) continue;
      Json shown = instance.json;
      const bool boots = now_ms_ < instance.made_ms + instance.boot_ms;
      shown["state"] = instance.terminated ? "terminated" : boots ? "pending" : "running";
      found.push_back(shown);
    }
    return reply(200, {{"instances", found}});
  }

  std::vector<std::pair<int, std::int64_t>> slow_;
  std::map<std::string, Instance> instances_;
  std::map<std::string, Json> tokens_;
  std::map<std::string, std::int64_t> times_;  // when each was first used
  std::int64_t now_ms_ = 0;
  int last_ = 0;
};

}  // namespace

VCP_FAKE_CLOUD(Fleet);
