// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/origin_policy.h"

#include <algorithm>

#include "plugin_host/address_class.h"

namespace vcc {
namespace {

bool isLocalName(const std::string& host) { return host == "localhost"; }

Status denied(const std::string& what) { return permissionDenied(what); }

}  // namespace

bool OriginPolicy::Pattern::matches(const HttpUrl& url) const {
  if (url.tls != tls || (!any_port && url.port != port)) return false;
  return below ? url.host.size() > host.size() && url.host.ends_with(host) : url.host == host;
}

Result<OriginPolicy::Pattern> OriginPolicy::parse(std::string_view text) {
  static constexpr std::string_view kForm =
      " is no origin; write https://host, https://host:port, or with *.host or :*";
  const Status bad = invalidArgument("'" + std::string(text.substr(0, 300)) + "'" + std::string(kForm));
  Pattern pattern;
  std::string plain(text);
  if (plain.ends_with(":*")) {
    pattern.any_port = true;
    plain.resize(plain.size() - 2);
  }
  if (const std::size_t star = plain.find("://*."); star != plain.npos) {
    pattern.below = true;
    plain.erase(star + 3, 2);
  }
  const Result<HttpUrl> url = parseHttpUrl(plain);
  if (!url.ok() || plain.find('/', plain.find("://") + 3) != plain.npos || plain.find('?') != plain.npos) return bad;
  if (pattern.below && url->host.find('.') == url->host.npos) return bad;  // "*.com" names half the world
  pattern.tls = url->tls;
  pattern.host = (pattern.below ? "." : "") + url->host;
  pattern.port = url->port;
  return pattern;
}

Status checkOriginPattern(std::string_view pattern) { return OriginPolicy::parse(pattern).status(); }

OriginPolicy::OriginPolicy(const std::vector<std::string>& patterns, bool evaluation) : evaluation_(evaluation) {
  for (const std::string& text : patterns) {
    if (Result<Pattern> pattern = parse(text); pattern.ok()) patterns_.push_back(*std::move(pattern));
  }
}

Status OriginPolicy::checkUrl(const HttpUrl& url) const {
  if (!url.tls && !evaluation_) {
    return denied("origin " + url.origin() + ": plain http is allowed in an evaluation folder only; use https");
  }
  if (std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& p) { return p.matches(url); })) {
    return okStatus();
  }
  const AddressClass where = classify(url.host);
  if (evaluation_ && (isLocalName(url.host) || where == AddressClass::kLoopback || where == AddressClass::kPrivate)) {
    return okStatus();
  }
  return denied("origin " + url.origin() +
                " is not allowed for this driver; add it to `origins` of its providers.d file");
}

Status OriginPolicy::checkAddress(const HttpUrl& url, const std::string& address) const {
  const std::string what = "origin " + url.origin() + ": its address " + address;
  switch (classify(address)) {
    case AddressClass::kPublic:
      return okStatus();
    case AddressClass::kLoopback:
      return evaluation_ ? okStatus() : denied(what + " is this machine, allowed in an evaluation folder only");
    case AddressClass::kPrivate:
      if (evaluation_ || std::any_of(patterns_.begin(), patterns_.end(),
                                     [&](const Pattern& p) { return !p.below && p.matches(url); })) {
        return okStatus();
      }
      return denied(what +
                    " is private; name the host itself, without a wildcard, in `origins` of the providers.d file");
    default:
      return denied(what + " is link-local, a metadata service or reserved; these are never used");
  }
}

}  // namespace vcc
