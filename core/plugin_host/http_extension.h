// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "plugin_host/http_service.h"
#include "vcp/plugin/ext/http.h"

namespace vcc {

class HostServices;

/// "vcp.host.http/1" of one driver instance: turns borrowed memory into checked values and back. Thread safe.
class HttpExtension {
 public:
  /// `host` is borrowed and only used for reports of misbehaviour.
  HttpExtension(const HostServices& host, std::unique_ptr<HttpService> service);
  HttpExtension(const HttpExtension&) = delete;
  HttpExtension& operator=(const HttpExtension&) = delete;

  const vcp_http_t* table() const { return &table_; }

 private:
  static std::int32_t request(const vcp_http_t* http, const vcp_call_t* call, const vcp_http_request_t* request,
                              const vcp_http_sink_t* out, vcp_error_t* error) noexcept;
  Status run(const vcp_call_t* call, const vcp_http_request_t* raw, const vcp_http_sink_t* out);
  void deliver(const HttpResponse& response, const vcp_http_sink_t& out) const noexcept;

  const HostServices& host_;
  const std::unique_ptr<HttpService> service_;
  vcp_http_t table_{};
};

}  // namespace vcc
