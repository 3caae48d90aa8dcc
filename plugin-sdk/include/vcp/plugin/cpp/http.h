// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/extension.h"
#include "vcp/plugin/ext/http.h"

namespace vcp::plugin {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The fields are those of vcp_http_request_t.
struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string body;
  std::string account;
  std::int64_t timeout_ms = 0;
  std::uint64_t max_response_bytes = 0;
  std::string ca_file;
  std::string ca_pem;
};

struct HttpResponse {
  std::int32_t status = 0;
  std::int64_t retry_after_ms = 0;
  HttpHeaders headers;
  std::string body;

  /// Value of the first header `name` (case does not matter); empty when there is none.
  std::string_view header(std::string_view name) const {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    for (const auto& field : headers) {
      std::size_t same = 0;
      while (same < name.size() && same < field.first.size() && lower(name[same]) == lower(field.first[same])) ++same;
      if (same == name.size() && same == field.first.size()) return field.second;
    }
    return {};
  }
};

/// The host's HTTP (vcp/plugin/ext/http.h). Copyable; valid as long as the host.
class Http {
 public:
  /// Throws kFailedPrecondition when this host has none.
  explicit Http(const Host& host) : table_(detail::required<vcp_http_t>(host, VCP_HTTP_ID)) {}

  /// A response of whatever status. Throws Error with the host's code, outcome and time to wait when there is none.
  HttpResponse send(const Call& call, const HttpRequest& request) const {
    std::vector<vcp_http_header_t> headers;
    headers.reserve(request.headers.size());
    for (const auto& field : request.headers) headers.push_back({borrow(field.first), borrow(field.second)});
    vcp_http_request_t raw{};
    raw.struct_size = sizeof raw;
    raw.method = borrow(request.method);
    raw.url = borrow(request.url);
    raw.headers = headers.data();
    raw.header_count = headers.size();
    raw.body = borrow(request.body);
    raw.account = borrow(request.account);
    raw.timeout_ms = request.timeout_ms;
    raw.max_response_bytes = request.max_response_bytes;
    raw.ca_file = borrow(request.ca_file);
    raw.ca_pem = borrow(request.ca_pem);

    Taken taken;
    vcp_http_sink_t sink{};
    sink.struct_size = sizeof sink;
    sink.plugin_data = &taken;
    sink.status = [](const vcp_http_sink_t* s, std::int32_t status, std::int64_t retry_after_ms) {
      of(s).response.status = status;
      of(s).response.retry_after_ms = retry_after_ms;
    };
    sink.header = [](const vcp_http_sink_t* s, vcp_string_t name, vcp_string_t value) {
      keep(s, [&](HttpResponse& r) { r.headers.emplace_back(view(name), view(value)); });
    };
    sink.body = [](const vcp_http_sink_t* s, vcp_string_t bytes) -> std::int32_t {
      return keep(s, [&](HttpResponse& r) { r.body += view(bytes); }) ? VCP_OK : VCP_CANCELLED;
    };
    vcp_error_t error = detail::emptyError();
    const std::int32_t code = table_->request(table_, call.raw(), &raw, &sink, &error);
    if (code != VCP_OK) {
      throw Error(static_cast<Code>(code), static_cast<Outcome>(error.outcome), error.message)
          .retryAfterMs(error.retry_after_ms);
    }
    if (taken.out_of_memory) {
      throw Error(Code::kResourceExhausted, Outcome::kUnknown, "no memory for the response");
    }
    return std::move(taken.response);
  }

 private:
  struct Taken {
    HttpResponse response;
    bool out_of_memory = false;
  };

  static Taken& of(const vcp_http_sink_t* sink) noexcept { return *static_cast<Taken*>(sink->plugin_data); }
  /// Nothing may be thrown into the host.
  template <class Change>
  static bool keep(const vcp_http_sink_t* sink, Change&& change) noexcept {
    try {
      change(of(sink).response);
      return true;
    } catch (...) {
      of(sink).out_of_memory = true;
      return false;
    }
  }

  const vcp_http_t* table_;
};

}  // namespace vcp::plugin
