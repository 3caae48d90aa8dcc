// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "site.h"
#include "spec.h"
#include "vcp/plugin/cpp/http.h"

namespace openstack {

/// What Keystone gave for credentials: a token, the project that it is for, and where the services are.
struct Login {
  std::string token;
  std::string project;
  std::map<std::string, std::string> endpoints;  ///< "compute", "network", "image", "volume": no slash at the end

  /// For the host's session cache.
  std::string toText() const;
  static Login of(const std::string& text);
};

/// The body of POST /v3/auth/tokens.
std::string authBody(const Credentials& credentials, const Site& site);

/// How long a token of this answer serves, and what it says. Throws: INVALID_ARGUMENT when region or interface fit no
/// endpoint, PERMISSION_DENIED for a token without a project, UNAVAILABLE for what is no answer of Keystone.
struct Opened {
  Login login;
  std::int64_t ttl_ms = 0;
};
Opened readLogin(const vcp::plugin::HttpResponse& response, const Site& site, std::int64_t now_ms);

}  // namespace openstack
