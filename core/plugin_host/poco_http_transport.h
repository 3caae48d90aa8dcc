// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "plugin_host/http_transport.h"

namespace vcc {

struct HttpTransportOptions {
  std::string user_agent = "occtr";
  std::string proxy;                  ///< "http://host:port"; empty = connect directly
  std::vector<std::string> no_proxy;  ///< hosts reached directly; ".example.org" also stands for all below it
  std::size_t max_idle = 64;          ///< kept connections in all
  std::size_t max_idle_per_origin = 8;
  std::int64_t idle_ms = 60'000;  ///< a kept connection is closed after this time without use
};

/// HTTP/1.1 over Poco sockets. HTTPS is verified against the system's authorities or those of the request, TLS 1.2 or
/// later, host name included. Connections are kept per origin, authority and proxy. A kept connection that fails before
/// any byte of the answer is replaced once for GET and HEAD; other methods fail with an unknown outcome, because the
/// server may have acted. Name resolution is the system's and knows no deadline of ours.
/// `clock` is borrowed. kInvalidArgument: a bad proxy.
Result<std::unique_ptr<HttpTransport>> makePocoHttpTransport(const Clock& clock, const HttpTransportOptions& options);

}  // namespace vcc
