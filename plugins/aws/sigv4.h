// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/crypto.h"

/// AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests"). Pure but for the host's digests.
namespace ec2 {

/// RFC 3986: everything but letters, digits and "-._~" as %XX. `keep_slash` leaves '/' alone, as in paths.
std::string percentEncode(std::string_view text, bool keep_slash = false);

/// "20150830T123600Z" of milliseconds since 1970-01-01 UTC.
std::string amzDate(std::int64_t wall_ms);

/// A request as it goes over the wire. Headers are all those to be signed, `host` and `x-amz-date` among them, in the
/// order of sending; a name may repeat. Names of any case.
struct SignedRequest {
  std::string method;
  std::string path = "/";  ///< not encoded
  std::string query;       ///< "a=b&c=d", not encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct SigningKey {
  std::string access_key;
  std::string secret_key;
  std::string region;
  std::string service;
  std::string amz_date;        ///< as in the header
  bool normalize_path = true;  ///< "/a/../b" is signed as "/b"; every service but S3
};

std::string canonicalRequest(const vcp::plugin::Crypto& crypto, const SignedRequest& request, bool normalize_path);
std::string stringToSign(const vcp::plugin::Crypto& crypto, const SigningKey& key, std::string_view canonical);
/// Lower-case hexadecimal.
std::string signature(const vcp::plugin::Crypto& crypto, const SigningKey& key, std::string_view string_to_sign);
/// The value of the Authorization header.
std::string authorization(const vcp::plugin::Crypto& crypto, const SigningKey& key, const SignedRequest& request);

}  // namespace ec2
