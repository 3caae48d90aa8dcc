// SPDX-License-Identifier: Apache-2.0
// The other reference driver: one request with a token makes all machines of a batch, names follow. Option "mutant" as
// in harbor_driver.cpp.
#include <map>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/plugin.h"

namespace fleet {

using namespace vcp::plugin;

class Fleet final : public Driver, public Listing {
 public:
  Fleet(Host host, std::string_view config)
      : http_(host),
        mutant_(parseObject(config, "config").at("options").value("mutant", "")),
        salt_(host.randomHex(8)) {}

  std::string_view schema() const override { return R"({"properties":{"key":{"x-vcp-secret":true}}})"; }
  void validate(std::string_view cloud_params, std::string_view) override { parseObject(cloud_params, "cloud_params"); }
  void probe(const Call& call) override { search(call, {{"op", "none"}}); }

  void create(const Call& call, std::string_view, const Items& items, Results& out) override {
    std::map<std::int64_t, Json> made = byIndex(call, call.opId());
    const bool known = !made.empty();
    if (!known) {
      // The same for every send; that is what keeps a second send from making others.
      const std::string token = std::string(call.opId()) + (mutant_ == "own_token" ? salt_ : "");
      const Json answer =
          send(call, "run",
               {{"token", token}, {"op", call.opId()}, {"count", items.front().create_size}, {"vcc", call.vccId()}});
      for (const Json& instance : answer.at("instances")) made[instance.at("index").get<std::int64_t>()] = instance;
    }
    for (const Item& item : items) {
      const auto step = [&] {
        const auto mine = made.find(item.create_index);
        if (mine == made.end())
          throw Error(Code::kInternal, Outcome::kUnknown,
                      "instance of " + std::string(item.name) + " is missing in the answer");
        const Json& instance = mine->second;
        out.machine(item, instance.at("id").get<std::string>(), instance.at("address").get<std::string>());
        if (!known) return out.pending(item, 0, "instance made");
        if (instance.value("name", "") != item.name)
          send(call, "name", {{"id", instance.at("id")}, {"name", item.name}, {"address", item.requested_address}});
        out.done(item);
      };
      mutant_ == "one_for_all" ? step() : out.guard(item, step);
    }
  }

  void destroy(const Call& call, const Items& items, Results& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] {
        const Json instance = find(call, item);
        if (!instance.is_null() && instance.at("state") != "terminated")
          send(call, "terminate", {{"id", instance.at("id")}});
        out.done(item);
      });
    }
  }

  void observe(const Call& call, const Items& items, Observations& out) override {
    for (const Item& item : items) {
      try {
        const Json instance = find(call, item);
        Observation seen = instance.is_null() ? Observation{} : show(instance);
        if (seen.found) seen.name = instance.value("name", "");  // written after the create; until then there is none
        out.observed(item, seen);
      } catch (const Error& error) {
        out.error(item, error);
      }
    }
  }

  void list(const Call& call, Observations& out) override {
    const Json found = search(call, {{"vcc", call.vccId()}});
    for (const Json& instance : found) {
      if (instance.at("state") != "terminated" && !out.listed(show(instance))) return;
    }
    out.complete();
  }

 private:
  Json send(const Call& call, const std::string& path, const Json& body) const {
    HttpRequest request;
    request.method = "POST";
    request.url = "https://fleet.test/" + path;
    request.headers = {
        {"X-Key", textOf(parseObject(call.credentials(), "credentials"), "key", "/credentials").value_or("")}};
    request.body = body.dump();
    if (call.isCancelled()) throw Error(Code::kCancelled, Outcome::kNotApplied, "the call was cancelled");
    const HttpResponse response = http_.send(call, request);
    const std::string what = path + ": status " + std::to_string(response.status);
    Json answer = Json::parse(response.body, nullptr, false);
    if (response.status == 200 && answer.is_object()) return answer;
    if (response.status == 401) throw Error(Code::kUnauthenticated, Outcome::kNotApplied, what);
    if (response.status == 403) throw Error(Code::kPermissionDenied, Outcome::kNotApplied, what);
    if (response.status == 404) throw Error(Code::kNotFound, Outcome::kNotApplied, what);
    if (response.status == 409) throw Error(Code::kAlreadyExists, Outcome::kApplied, what);
    if (response.status == 429)
      throw Error(Code::kUnavailable, Outcome::kNotApplied, what).retryAfterMs(response.retry_after_ms);
    if (response.status >= 400 && response.status < 500)
      throw Error(Code::kInvalidArgument, Outcome::kNotApplied, what);
    throw Error(Code::kUnavailable, Outcome::kUnknown, what);
  }

  Json search(const Call& call, const Json& by) const { return send(call, "search", by).at("instances"); }

  std::map<std::int64_t, Json> byIndex(const Call& call, std::string_view op) const {
    std::map<std::int64_t, Json> out;
    const Json found = search(call, {{"op", op}});
    for (const Json& instance : found) out[instance.at("index").get<std::int64_t>()] = instance;
    return out;
  }

  /// By the place in the create: names are written later.
  Json find(const Call& call, const Item& item) const {
    if (mutant_ == "by_name_only") {
      const Json found = search(call, {{"name", item.name}});
      return found.empty() ? Json() : found.front();
    }
    const std::map<std::int64_t, Json> made = byIndex(call, item.create_op);
    const auto mine = made.find(item.create_index);
    return mine == made.end() ? Json() : mine->second;
  }

  static Observation show(const Json& instance) {
    Observation seen;
    seen.found = true;
    const std::string state = instance.at("state").get<std::string>();
    seen.state = state == "running" ? State::kRunning : state == "pending" ? State::kProvisioning : State::kGone;
    seen.name = instance.value("name", instance.at("id").get<std::string>());
    seen.cloud_id = instance.at("id").get<std::string>();
    seen.address = instance.at("address").get<std::string>();
    seen.create_op = instance.at("op").get<std::string>();
    seen.create_index = instance.at("index").get<std::int64_t>();
    return seen;
  }

  const Http http_;
  const std::string mutant_;
  const std::string salt_;
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("test.fleet");
  info.provider = VCP_LITERAL("fleet");
  info.display_name = VCP_LITERAL("Reference driver, one request for many");
  info.version = VCP_LITERAL("1.0+20261123");
  info.idempotency = VCP_IDEMPOTENCY_TOKEN;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.token_ttl_ms = 24 * 3'600'000;
  info.concurrency = 4;
  info.max_batch = 10;
  info.max_observe = 10;
  info.lookup_lag_ms = 5000;
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace fleet

VCP_PLUGIN(fleet::Fleet, fleet::kInfo);
