// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/testing/fake_host.h"

namespace vcp::plugin::testing {

/// HTTP of a FakeHost: gives the answers that a test has queued, one per request, and keeps the requests. Without an
/// answer left, a request fails as UNAVAILABLE, not applied. For one thread. Outlives the driver.
class ScriptedHttp {
 public:
  explicit ScriptedHttp(FakeHost& host) {
    table_.struct_size = sizeof table_;
    table_.host_data = this;
    table_.request = &take;
    host.provide(VCP_HTTP_ID, &table_);
  }
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;

  void reply(std::int32_t status, std::string body, HttpHeaders headers = {}) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    response.headers = std::move(headers);
    script_.push_back({VCP_OK, Outcome::kUnspecified, std::move(response)});
  }
  /// The request fails like this; kUnknown is a lost answer.
  void fail(Code code, Outcome outcome) { script_.push_back({static_cast<std::int32_t>(code), outcome, {}}); }

  std::vector<HttpRequest> requests;

 private:
  struct Step {
    std::int32_t code;
    Outcome outcome;
    HttpResponse response;
  };

  static std::int32_t take(const vcp_http_t* http, const vcp_call_t*, const vcp_http_request_t* raw,
                           const vcp_http_sink_t* out, vcp_error_t* error) {
    ScriptedHttp& self = *static_cast<ScriptedHttp*>(http->host_data);
    HttpRequest request;
    request.method = view(raw->method);
    request.url = view(raw->url);
    request.body = view(raw->body);
    request.account = view(raw->account);
    for (std::uint64_t i = 0; i < raw->header_count; ++i) {
      request.headers.emplace_back(view(raw->headers[i].name), view(raw->headers[i].value));
    }
    self.requests.push_back(std::move(request));
    Step step{VCP_UNAVAILABLE, Outcome::kNotApplied, {}};
    if (!self.script_.empty()) {
      step = std::move(self.script_.front());
      self.script_.pop_front();
    }
    if (step.code != VCP_OK) return detail::fillError(error, step.outcome, step.code, "scripted failure");
    out->status(out, step.response.status, step.response.retry_after_ms);
    for (const auto& field : step.response.headers) out->header(out, borrow(field.first), borrow(field.second));
    if (!step.response.body.empty()) out->body(out, borrow(step.response.body));
    return VCP_OK;
  }

  vcp_http_t table_{};
  std::deque<Step> script_;
};

}  // namespace vcp::plugin::testing
