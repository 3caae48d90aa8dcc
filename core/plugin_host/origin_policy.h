// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "plugin_host/http_url.h"

namespace vcc {

/// An allowed origin: "https://host[:port]". The host may begin with "*." (any name below), the port may be "*" (any).
/// Without a port the scheme's own. kInvalidArgument otherwise.
Status checkOriginPattern(std::string_view pattern);

/// Where a driver instance may go (architecture 16). Immutable.
///
///  - An origin must match a pattern of the administrator. In evaluation loopback and private addresses may be named
///    without one.
///  - Plain http only in evaluation.
///  - The address behind it: link-local addresses and metadata services never, loopback only in evaluation, private
///    ones in evaluation or when a pattern without wildcard names the host.
class OriginPolicy {
 public:
  /// `patterns` have passed checkOriginPattern.
  OriginPolicy(const std::vector<std::string>& patterns, bool evaluation);

  /// kPermissionDenied with the remedy.
  Status checkUrl(const HttpUrl& url) const;
  /// `address`: what the host of `url` resolved to.
  Status checkAddress(const HttpUrl& url, const std::string& address) const;

 private:
  struct Pattern {
    bool tls = true;
    bool below = false;  // any name that ends in ".<host>"
    bool any_port = false;
    std::string host;
    std::uint16_t port = 0;

    bool matches(const HttpUrl& url) const;
  };
  static Result<Pattern> parse(std::string_view text);
  friend Status checkOriginPattern(std::string_view pattern);

  std::vector<Pattern> patterns_;
  const bool evaluation_;
};

}  // namespace vcc
