// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

/// HTTP as plain values, so that routing, authentication and handlers know nothing of sockets.
namespace vcc {

/// What is known of a request before its body is read.
struct HttpHead {
  std::string id;  ///< 8 hex characters, also sent as X-Request-Id
  std::string method;
  std::string target;       ///< as received: path, perhaps a query, still percent-encoded
  std::string token;        ///< x-vcc-access-token, may be empty
  std::string privileged;   ///< x-vcc-privileged, empty when absent
  std::string vault_token;  ///< X-Vault-Token, else what `Authorization: Bearer` carries
  std::string wrap_ttl;     ///< X-Vault-Wrap-TTL
  std::string peer;         ///< address of the client, or "uid=0 pid=17" on the unix socket
};

/// What is sent back: JSON, or nothing with status 204.
struct HttpAnswer {
  int status = 200;
  std::string body = "{}";
  std::vector<std::pair<std::string, std::string>> headers;
};

/// The decision about a request by its head alone: refuse it, or read the body and run it.
struct Admission {
  std::string user;                            ///< for the log line; empty = nobody was authenticated
  std::optional<HttpAnswer> refusal;           ///< set: sent at once, the body is not looked at
  std::function<HttpAnswer(std::string)> run;  ///< given the body; set when `refusal` is not
};

/// Refusals of HTTP itself, which no Status speaks of.
enum class HttpRefusal { kBadRequest, kMethodNotAllowed, kBodyTooLarge, kUrlTooLong, kHeadTooLarge, kTimeout };

/// What a listener serves. Called from many threads; `admit` may throw, the listener maps that to 500.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual Admission admit(const HttpHead& head) = 0;
  /// What the listener itself refuses, in the form that clients of this door read.
  virtual HttpAnswer refuse(const Status& status, const std::string& request_id) const = 0;
  virtual HttpAnswer refuse(HttpRefusal refusal, std::string_view text) const = 0;
};

}  // namespace vcc
