// SPDX-License-Identifier: Apache-2.0
#include "sigv4.h"

#include <algorithm>
#include <ctime>
#include <map>

namespace ec2 {
namespace {

using vcp::plugin::Crypto;
using vcp::plugin::hex;

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr char kHexDigits[] = "0123456789ABCDEF";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// Without white space at both ends, and every run of it inside as one blank.
std::string squeezed(std::string_view text) {
  std::string out;
  bool gap = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank && gap && !out.empty()) out.push_back(' ');
    gap = blank;
    if (!blank) out.push_back(c);
  }
  return out;
}

/// Empty segments and "." go, ".." takes the one before with it; a slash at the end stays.
std::string normalized(const std::string& path) {
  std::vector<std::string> kept;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string segment = path.substr(at, end - at);
    at = end + 1;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string& segment : kept) out += "/" + segment;
  const bool slash_ends = !path.empty() && path.back() == '/';
  return out.empty() || slash_ends ? out + "/" : out;
}

std::string canonicalQuery(const std::string& query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string, std::string>> parts;
  std::size_t at = 0;
  while (at <= query.size()) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string part = query.substr(at, end - at);
    at = end + 1;
    const std::size_t sign = std::min(part.find('='), part.size());
    parts.emplace_back(percentEncode(part.substr(0, sign)),
                       percentEncode(part.substr(std::min(sign + 1, part.size()))));
  }
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const auto& [name, value] : parts) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

/// Name to value; values of a repeated name are joined by a comma, in their order.
std::map<std::string, std::string> canonicalHeaders(const SignedRequest& request) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : request.headers) {
    std::string& all = headers[lower(name)];
    all += (all.empty() ? "" : ",") + squeezed(value);
  }
  return headers;
}

std::string signedHeaders(const SignedRequest& request) {
  std::string names;
  for (const auto& header : canonicalHeaders(request)) names += (names.empty() ? "" : ";") + header.first;
  return names;
}

std::string scopeOf(const SigningKey& key) {
  return key.amz_date.substr(0, 8) + "/" + key.region + "/" + key.service + "/aws4_request";
}

}  // namespace

std::string percentEncode(std::string_view text, bool keep_slash) {
  std::string out;
  out.reserve(text.size() * 3);
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash);
    if (plain) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHexDigits[byte >> 4U]);
    out.push_back(kHexDigits[byte & 0x0FU]);
  }
  return out;
}

std::string amzDate(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return std::string(text, size);
}

std::string canonicalRequest(const Crypto& crypto, const SignedRequest& request, bool normalize_path) {
  std::string out = request.method + "\n";
  out += percentEncode(normalize_path ? normalized(request.path) : request.path, true) + "\n";
  out += canonicalQuery(request.query) + "\n";
  for (const auto& [name, value] : canonicalHeaders(request)) out += name + ":" + value + "\n";
  return out + "\n" + signedHeaders(request) + "\n" + hex(crypto.sha256(request.body));
}

std::string stringToSign(const Crypto& crypto, const SigningKey& key, std::string_view canonical) {
  return std::string(kAlgorithm) + "\n" + key.amz_date + "\n" + scopeOf(key) + "\n" + hex(crypto.sha256(canonical));
}

std::string signature(const Crypto& crypto, const SigningKey& key, std::string_view string_to_sign) {
  std::string derived = "AWS4" + key.secret_key;
  for (const std::string& part : {key.amz_date.substr(0, 8), key.region, key.service, std::string("aws4_request")}) {
    derived = crypto.hmacSha256(derived, part);
  }
  return hex(crypto.hmacSha256(derived, string_to_sign));
}

std::string authorization(const Crypto& crypto, const SigningKey& key, const SignedRequest& request) {
  const std::string to_sign = stringToSign(crypto, key, canonicalRequest(crypto, request, key.normalize_path));
  return std::string(kAlgorithm) + " Credential=" + key.access_key + "/" + scopeOf(key) +
         ", SignedHeaders=" + signedHeaders(request) + ", Signature=" + signature(crypto, key, to_sign);
}

}  // namespace ec2
