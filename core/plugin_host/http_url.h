// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace vcc {

/// An http or https URL in its parts.
struct HttpUrl {
  bool tls = true;
  std::string host;  ///< lower case; an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string target;  ///< path and query, beginning with '/'

  /// Path without the query, which may hold secrets.
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  /// "host" or "host:port", as in the Host header.
  std::string authority() const;
  /// "host:port", always with the port.
  std::string endpoint() const;
  /// "https://host:port".
  std::string origin() const { return (tls ? "https://" : "http://") + endpoint(); }
};

/// Strict: refuses userinfo, fragments, white space, bytes outside ASCII, other schemes, and hosts that resolvers would
/// take for a number in disguise ("0x7f.1"). The error never repeats more than the host.
Result<HttpUrl> parseHttpUrl(std::string_view text);

}  // namespace vcc
