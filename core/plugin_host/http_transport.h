// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret_string.h"
#include "base/status.h"

namespace vcc {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;      ///< absolute http or https URL without userinfo and fragment (http_url.h)
  HttpHeaders headers;  ///< besides Host, User-Agent, Connection and Content-Length, which the transport sets
  std::string body;
  std::int64_t deadline_ms = 30'000;  ///< the whole call, from connecting to the last byte; 1..
  std::string ca_file;                ///< PEM file that the server's certificate must descend from
  std::string ca_pem;                 ///< the same as text; both empty: the system's authorities
  std::size_t max_response_bytes = std::size_t{16} << 20U;
  const SecretString* credentials = nullptr;  ///< borrowed; of the driver call, for who must keep them out of a record
  std::function<bool()> cancelled;            ///< asked every kCancelSliceMs; empty: never cancelled
  /// Judges an address before anything is sent to it, on new and on kept connections; empty: every address will do. Not
  /// asked when a proxy makes the connection.
  std::function<Status(const std::string& address)> check_address;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
  std::int64_t retry_after_ms = 0;  ///< from Retry-After, 0..3,600,000; 0 = the server did not say
};

/// How the process speaks HTTP to clouds (architecture 29): the seam for simulation, recording and tests.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Sends one request and waits for the whole response, of whatever status; follows no redirect. Blocks. Thread safe.
  /// A failure tells in its outcome whether the server can have acted: kNotApplied when no byte of the request was sent
  /// (resolving, connecting, TLS, a refused address), kUnknown from the first byte on. Codes: kInvalidArgument (the
  /// request), kUnavailable (network, certificate), kDeadlineExceeded, kCancelled, kOutOfRange (response too large),
  /// kPermissionDenied (check_address).
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

}  // namespace vcc
