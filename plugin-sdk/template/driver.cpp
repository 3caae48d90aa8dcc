// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/plugin.h"
#include "vcp_schema.h"

namespace mycloud {

using namespace vcp::plugin;

/// A cloud whose create takes one request and remembers an idempotency key.
class MyCloud final : public Driver {
 public:
  MyCloud(Host host, std::string_view config) : http_(host) {
    const Json options = parseObject(config, "config").value("options", Json::object());
    endpoint_ = textOf(options, "endpoint", "/options").value_or("");
    if (endpoint_.empty()) throw invalid("/options/endpoint", "is missing; set it in the file of providers.d");
  }

  std::string_view schema() const override { return vcp_schema::kText; }

  void validate(std::string_view cloud_params, std::string_view) override {
    const Json params = parseObject(cloud_params, "cloud_params");
    const std::string size = textOf(params, "size", "/cloud_params").value_or("small");
    if (size != "small" && size != "large") throw invalid("/cloud_params/size", "must be small or large");
    if (!textOf(params, "api_key", "/cloud_params")) throw invalid("/cloud_params/api_key", "is missing");
  }

  void probe(const Call& call) override { send(call, "GET", "/v1/machines?limit=1"); }

  // [create]
  void create(const Call& call, std::string_view spec_text, const Items& items, Results& out) override {
    const Json spec = parseObject(spec_text, "spec");
    for (const Item& item : items) {
      out.guard(item, [&] {
        Json body{{"name", item.name},
                  {"size", textOf(spec.at("cloud_params"), "size", "/cloud_params").value_or("small")},
                  {"user_data", spec.value(Json::json_pointer("/access/user_data"), "")},
                  {"labels", {{"vcc", call.vccId()}, {"title", item.display_name}}}};
        if (!item.requested_address.empty()) body["address"] = item.requested_address;
        const std::string key = std::string(call.opId()) + "-" + std::to_string(item.create_index);
        const Json machine = send(call, "POST", "/v1/machines", &body, key);
        out.machine(item, machine.at("id").get<std::string>(), machine.at("address").get<std::string>());
        out.done(item);
      });
    }
  }
  // [create]

  // [observe]
  void observe(const Call& call, const Items& items, Observations& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] {
        const Json machine = find(call, item);
        Observation seen;
        if (!machine.is_null()) {
          const std::string state = machine.at("state");
          seen.found = true;
          seen.state = state == "building"  ? State::kProvisioning
                       : state == "running" ? State::kRunning
                       : state == "stopped" ? State::kStopped
                                            : State::kUnspecified;
          if (seen.state == State::kUnspecified) seen.detail = state;
          seen.name = machine.at("name");
          seen.cloud_id = machine.at("id");
          seen.address = machine.at("address");
        }
        out.observed(item, seen);
      });
    }
  }
  // [observe]

  // [destroy]
  void destroy(const Call& call, const Items& items, Results& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] {
        const Json machine = find(call, item);
        if (!machine.is_null()) remove(call, machine.at("id"));
        out.done(item);
      });
    }
  }
  // [destroy]

 private:
  /// The machine by its id when known, else by its name; null when the cloud says that it does not exist.
  Json find(const Call& call, const Item& item) const {
    if (!item.cloud_id.empty()) {
      try {
        return send(call, "GET", "/v1/machines/" + std::string(item.cloud_id));
      } catch (const Error& error) {
        if (error.code() == Code::kNotFound) return nullptr;
        throw;
      }
    }
    const Json page = send(call, "GET", "/v1/machines?name=" + std::string(item.name));
    return page.at("items").empty() ? Json(nullptr) : page.at("items").front();
  }

  void remove(const Call& call, const std::string& id) const {
    try {
      send(call, "DELETE", "/v1/machines/" + id);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;  // absent is done
    }
  }

  /// The answer to a request that the cloud accepted. The host stops it when the call is cancelled or late.
  Json send(const Call& call, const std::string& method, const std::string& path, const Json* body = nullptr,
            const std::string& key = "") const {
    const Json credentials = parseObject(call.credentials(), "credentials");
    HttpRequest request;
    request.method = method;
    request.url = endpoint_ + path;
    request.headers = {{"Authorization", "Bearer " + textOf(credentials, "api_key", "/credentials").value_or("")}};
    if (!key.empty()) request.headers.emplace_back("Idempotency-Key", key);
    if (body != nullptr) {
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = body->dump();
    }
    const HttpResponse response = http_.send(call, request);
    Json answer = Json::parse(response.body, nullptr, false);
    if (response.status / 100 != 2) throw refusal(response, answer, method + " " + path);
    return answer;
  }

  // [errors]
  /// What an answer other than 2xx means: why, and whether the request took effect all the same.
  static Error refusal(const HttpResponse& response, const Json& answer, const std::string& request) {
    const bool told = answer.is_object() && answer.contains("error") && answer["error"].is_object();
    const Json reason = told ? answer["error"] : Json::object();
    const std::string cloud_code = textOf(reason, "code", "/error").value_or("");
    Code code = response.status >= 500 ? Code::kUnavailable : Code::kInternal;
    Outcome outcome = response.status >= 500 ? Outcome::kUnknown : Outcome::kNotApplied;
    if (response.status == 400) code = Code::kInvalidArgument;
    if (response.status == 401) code = Code::kUnauthenticated;
    if (response.status == 403) code = Code::kPermissionDenied;
    if (response.status == 404) code = Code::kUnavailable;  // of a proxy, say; the cloud's own has a code
    if (response.status == 409) code = Code::kAlreadyExists;
    if (response.status == 429) code = Code::kUnavailable;
    if (cloud_code == "not_found") code = Code::kNotFound;
    if (cloud_code == "quota_exceeded") code = Code::kResourceExhausted;
    if (cloud_code == "key_reused") outcome = Outcome::kApplied;  // an earlier request under this key was accepted
    return Error(code, outcome,
                 request + ": the cloud answered " + std::to_string(response.status) + " " +
                     textOf(reason, "message", "/error").value_or(""))
        .providerCode(cloud_code)
        .requestId(std::string(response.header("X-Request-Id")))
        .retryAfterMs(response.retry_after_ms);
  }
  // [errors]

  const Http http_;
  std::string endpoint_;
};

// [info]
constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("com.example.mycloud");
  info.provider = VCP_LITERAL("mycloud");
  info.display_name = VCP_LITERAL("My cloud");
  info.license = VCP_LITERAL("Apache-2.0");
  info.version = VCP_LITERAL("1.0+20261123");
  info.idempotency = VCP_IDEMPOTENCY_TOKEN;
  info.token_ttl_ms = 24 * 3'600'000;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.concurrency = 8;
  info.max_batch = 10;
  info.max_observe = 10;
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();
// [info]

}  // namespace mycloud

VCP_PLUGIN(mycloud::MyCloud, mycloud::kInfo);
