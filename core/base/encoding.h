// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace vcc {

std::string base64Encode(std::string_view bytes);
/// Strict standard alphabet with padding, no white space; kInvalidArgument names the first bad position.
Result<std::string> base64Decode(std::string_view text);
/// The alphabet for URLs and file names (RFC 4648 section 5), without padding.
std::string base64UrlEncode(std::string_view bytes);
/// Strict, with whole padding or none; kInvalidArgument names the first bad position.
Result<std::string> base64UrlDecode(std::string_view text);
std::string hexEncode(std::string_view bytes);
/// The 32 raw bytes of SHA-256.
std::string sha256(std::string_view bytes);
/// The 32 raw bytes of HMAC-SHA-256 (RFC 2104).
std::string hmacSha256(std::string_view key, std::string_view bytes);
/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool isUtf8(std::string_view text);
/// `text` with every malformed byte replaced by U+FFFD and cut at a character boundary to `limit` bytes.
std::string cleanUtf8(std::string_view text, std::size_t limit);

}  // namespace vcc
