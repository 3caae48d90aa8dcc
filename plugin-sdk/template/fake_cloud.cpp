// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace mycloud {

using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::testing::CloudObject;

/// The cloud of the driver beside it, for vcp-plugin-check: without sockets, and with a time of its own. It only has to
/// be right; answers are lost, delayed and broken by the tool.
class FakeMyCloud final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit FakeMyCloud(std::string_view) {}

  HttpResponse handle(const HttpRequest& request) override {
    const std::string account = accountOf(request);
    if (account.empty()) return refuse(401, "bad_token", "the key is unknown");
    std::string path = request.url.substr(request.url.find("/v1/machines"));
    path.erase(0, std::string("/v1/machines").size());
    if (request.method == "POST") return create(account, request);
    if (path.empty() || path[0] == '?') return list(account, path);
    const auto found = machines_.find(path.substr(1));
    if (found == machines_.end() || found->second.account != account)
      return refuse(404, "not_found", "no such machine");
    if (request.method == "GET") return answer(200, shown(found->second));
    machines_.erase(found);
    return answer(202, nullptr);
  }

  std::vector<CloudObject> objects() const override {
    std::vector<CloudObject> all;
    for (const auto& [id, machine] : machines_) all.push_back({"machine", machine.name, id, machine.account});
    return all;
  }
  void advance(std::int64_t ms) override { now_ms_ += ms; }
  void addForeign() override { add("first", "vcp-of-somebody-else", "10.0.0.9"); }

 private:
  struct Machine {
    std::string account;
    std::string id;
    std::string name;
    std::string address;
    std::int64_t ready_ms = 0;
  };

  static std::string accountOf(const HttpRequest& request) {
    for (const auto& [name, value] : request.headers) {
      if (name == "Authorization" && value == "Bearer first-key") return "first";
      if (name == "Authorization" && value == "Bearer second-key") return "second";
    }
    return "";
  }
  static HttpResponse answer(int status, const Json& body) {
    HttpResponse response;
    response.status = status;
    if (!body.is_null()) response.body = body.dump();
    return response;
  }
  static HttpResponse refuse(int status, const char* code, const char* message) {
    return answer(status, {{"error", {{"code", code}, {"message", message}}}});
  }

  HttpResponse create(const std::string& account, const HttpRequest& request) {
    std::string key = account;
    for (const auto& [name, value] : request.headers) {
      if (name == "Idempotency-Key") key += " " + value;
    }
    if (const auto known = answers_.find(key); known != answers_.end()) {
      if (known->second.first == request.body) return answer(201, known->second.second);
      return refuse(409, "key_reused", "this Idempotency-Key came with another request before");
    }
    const Json body = Json::parse(request.body);
    const std::string address = body.value("address", "10.0.1." + std::to_string(last_ + 1));
    if (address.rfind("10.0.", 0) != 0) return refuse(400, "bad_address", "address must lie in 10.0.0.0/16");
    for (const auto& [id, machine] : machines_) {
      if (machine.address == address) return refuse(409, "address_in_use", "the address is in use");
    }
    const Json made = shown(add(account, body.at("name"), address));
    answers_[key] = {request.body, made};
    return answer(201, made);
  }

  HttpResponse list(const std::string& account, const std::string& query) const {
    const std::string wanted = query.rfind("?name=", 0) == 0 ? query.substr(6) : "";
    Json items = Json::array();
    for (const auto& [id, machine] : machines_) {
      if (machine.account == account && (wanted.empty() || machine.name == wanted)) items.push_back(shown(machine));
    }
    return answer(200, {{"items", items}});
  }

  Machine& add(const std::string& account, const std::string& name, const std::string& address) {
    const std::string id = "m-" + std::to_string(100000 + ++last_);
    return machines_[id] = {account, id, name, address, now_ms_ + 30'000};
  }

  Json shown(const Machine& machine) const {
    return {{"id", machine.id},
            {"name", machine.name},
            {"address", machine.address},
            {"state", now_ms_ >= machine.ready_ms ? "running" : "building"}};
  }

  std::map<std::string, Machine> machines_;                      // by id
  std::map<std::string, std::pair<std::string, Json>> answers_;  // by account and key: request, answer
  std::int64_t now_ms_ = 0;
  int last_ = 0;
};

}  // namespace mycloud

VCP_FAKE_CLOUD(mycloud::FakeMyCloud);
