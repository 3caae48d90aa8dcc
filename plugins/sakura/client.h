// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "spec.h"
#include "vcp/plugin/cpp/crypto.h"
#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/json.h"

namespace sakura {

/// The host's services that requests need. One for each driver instance.
struct Services {
  explicit Services(const vcp::plugin::Host& host) : http(host), crypto(host) {}
  vcp::plugin::Http http;
  vcp::plugin::Crypto crypto;
};

/// Sakura Cloud API 1.1 of one zone with the credentials of one call. Made anew for each call: nothing of a user may
/// outlive it. Every function throws vcp::plugin::Error.
class Client {
 public:
  Client(const Services& services, const vcp::plugin::Call& call, const Entry& entry);

  /// GET `path`: changes nothing, so whatever goes wrong, the outcome is "not applied".
  vcp::plugin::Json read(const std::string& path) const;
  /// Every object of `kind` ("server", "disk", "archive") that `filter` finds, page by page; at most 1,000 pages.
  std::vector<vcp::plugin::Json> search(const std::string& kind, const vcp::plugin::Json& filter) const;
  /// Those whose name is `name`: the cloud's own filter finds parts of names too.
  std::vector<vcp::plugin::Json> named(const std::string& kind, const std::string& name) const;
  /// One change: POST, PUT or DELETE of `path`, with `body` unless it is null.
  vcp::plugin::Json change(const std::string& method, const std::string& path,
                           const vcp::plugin::Json& body = nullptr) const;

 private:
  vcp::plugin::Json send(const std::string& method, const std::string& path, const std::string& body) const;

  const Services& services_;
  const vcp::plugin::Call& call_;
  const Entry& entry_;
  const Credentials credentials_;
};

}  // namespace sakura
