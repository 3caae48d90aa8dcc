// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/http_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace vcc {
namespace {

constexpr std::size_t kMaxUrl = 8192;
constexpr std::size_t kMaxHost = 253;

bool isIpv6(const std::string& text) {
  in6_addr raw{};
  return inet_pton(AF_INET6, text.c_str(), &raw) == 1;
}

bool isIpv4(const std::string& text) {
  in_addr raw{};
  return inet_pton(AF_INET, text.c_str(), &raw) == 1;
}

bool isHostName(const std::string& host) {
  if (host.empty() || host.size() > kMaxHost || host.front() == '.' || host.find("..") != host.npos) return false;
  if (!std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
      })) {
    return false;
  }
  // A last label that begins with a digit is an address: only the plain dotted form is understood alike by everyone.
  const std::string last = host.substr(host.rfind('.') + 1);
  return last.empty() || last[0] < '0' || last[0] > '9' || isIpv4(host);
}

Status badUrl(const std::string& what) { return invalidArgument("url " + what); }

}  // namespace

std::string HttpUrl::authority() const {
  const std::string name = host.find(':') == host.npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string HttpUrl::endpoint() const {
  return (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<HttpUrl> parseHttpUrl(std::string_view text) {
  if (text.empty() || text.size() > kMaxUrl) return badUrl("must have 1 to 8192 bytes");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= 0x20 || c >= 0x7F || c == '\\' || c == '#'; })) {
    return badUrl("holds white space, a fragment, a backslash or bytes outside ASCII; percent-encode them");
  }
  const std::size_t colon = text.find("://");
  if (colon == text.npos) return badUrl("must begin with https:// or http://");
  std::string scheme(text.substr(0, colon));
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
  if (scheme != "https" && scheme != "http") return badUrl("must begin with https:// or http://");

  HttpUrl url;
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string authority(rest.substr(0, end));
  url.target = rest.substr(end);
  if (url.target.empty() || url.target[0] != '/') url.target.insert(0, "/");
  if (authority.find('@') != authority.npos)
    return badUrl("must not hold a user name or password; send them in a header");
  std::transform(authority.begin(), authority.end(), authority.begin(), lower);

  const bool bracket = !authority.empty() && authority[0] == '[';
  const std::size_t host_end = bracket ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == authority.npos) return badUrl("has an opening bracket without a closing one");
  url.host = bracket ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (bracket ? !isIpv6(url.host) : !isHostName(url.host)) return badUrl("has a badUrl host name or address");
  const std::string port = authority.substr(host_end + (bracket ? 1 : 0));
  if (!port.empty()) {
    const char* last = port.data() + port.size();
    const auto parsed = std::from_chars(port.data() + 1, last, url.port);
    if (port[0] != ':' || parsed.ec != std::errc() || parsed.ptr != last || url.port == 0) {
      return badUrl("has a badUrl port; it must be 1 to 65535");
    }
  }
  return url;
}

}  // namespace vcc
