// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <cstdint>

namespace vcc {
namespace {

constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64UrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

using Base64Values = std::array<std::int8_t, 256>;

constexpr Base64Values makeBase64Values(std::string_view alphabet) {
  Base64Values values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr Base64Values kBase64Values = makeBase64Values(kBase64Alphabet);
constexpr Base64Values kBase64UrlValues = makeBase64Values(kBase64UrlAlphabet);

unsigned byteAt(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

Status badBase64(std::size_t position, std::string_view why) {
  return invalidArgument(fmt::format("not base64 at byte {}: {}", position, why));
}

/// Length of the well-formed character at `i` (table 3-7 of the Unicode standard), 0 when there is none.
std::size_t utf8Length(std::string_view text, std::size_t i) {
  const unsigned lead = byteAt(text, i);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;   // shorter forms exist
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  if (byteAt(text, i + 1) < low || byteAt(text, i + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k) {
    if ((byteAt(text, i + k) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

std::string encodeBase64(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = bytes.size() - i;
    const unsigned group =
        byteAt(bytes, i) << 16U | (have > 1 ? byteAt(bytes, i + 1) << 8U : 0U) | (have > 2 ? byteAt(bytes, i + 2) : 0U);
    out += alphabet[group >> 18U];
    out += alphabet[group >> 12U & 63U];
    if (have > 1) out += alphabet[group >> 6U & 63U];
    if (have > 2) out += alphabet[group & 63U];
    if (have < 3 && padded) out.append(3 - have, '=');
  }
  return out;
}

Result<std::string> decodeBase64(std::string_view text, const Base64Values& values, bool must_be_padded) {
  std::size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=') --digits;
  for (std::size_t i = 0; i < digits; ++i) {
    if (values[byteAt(text, i)] < 0) return badBase64(i, "the character is not in the alphabet");
  }
  const bool padded = must_be_padded || digits < text.size();
  if (padded && text.size() % 4 != 0) return badBase64(text.size(), "the length is not a multiple of 4");
  if (digits % 4 == 1) return badBase64(text.size(), "a digit is missing");
  std::string out;
  out.reserve(digits / 4 * 3 + 2);
  unsigned bits = 0;
  unsigned count = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    bits = (bits << 6U | static_cast<unsigned>(values[byteAt(text, i)])) & 0xFFFFU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFFU);
    }
  }
  if ((bits & ((1U << count) - 1U)) != 0) return badBase64(digits - 1, "unused bits are set");
  return out;
}

}  // namespace

std::string base64Encode(std::string_view bytes) { return encodeBase64(bytes, kBase64Alphabet, true); }

std::string base64UrlEncode(std::string_view bytes) { return encodeBase64(bytes, kBase64UrlAlphabet, false); }

Result<std::string> base64Decode(std::string_view text) { return decodeBase64(text, kBase64Values, true); }

Result<std::string> base64UrlDecode(std::string_view text) { return decodeBase64(text, kBase64UrlValues, false); }

std::string hexEncode(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += kDigits[byteAt(bytes, i) >> 4U];
    out += kDigits[byteAt(bytes, i) & 15U];
  }
  return out;
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return {digest.begin(), digest.end()};
}

std::string hmacSha256(std::string_view key, std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  const unsigned char none = 0;  // the library takes a null key for "the one before"
  HMAC(EVP_sha256(), key.empty() ? &none : reinterpret_cast<const unsigned char*>(key.data()),
       static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
       reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8Length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string cleanUtf8(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8Length(text, i);
    const std::string_view piece = length == 0 ? kReplacement : text.substr(i, length);
    if (out.size() + piece.size() > limit) break;
    out += piece;
    i += length == 0 ? 1 : length;
  }
  return out;
}

}  // namespace vcc
