// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vcp/plugin/cpp/extension.h"
#include "vcp/plugin/ext/crypto.h"

namespace vcp::plugin {

enum class SignKind : std::int32_t {
  kRsaPkcs1 = VCP_SIGN_RSA_PKCS1,
  kEcdsaP256Der = VCP_SIGN_ECDSA_P256_DER,
  kEcdsaP256Raw = VCP_SIGN_ECDSA_P256_RAW,
};

/// The host's digests and signatures (vcp/plugin/ext/crypto.h). Copyable; valid as long as the host. What is refused
/// throws Error, not applied.
class Crypto {
 public:
  /// Throws kFailedPrecondition when this host has none.
  explicit Crypto(const Host& host) : table_(detail::required<vcp_crypto_t>(host, VCP_CRYPTO_ID)) {}

  /// The 32 bytes of the digest; so too hmacSha256, whose result may be the next key.
  std::string sha256(std::string_view data) const {
    return digest("sha256", [&](std::uint8_t* out) { return table_->sha256(table_, borrow(data), out); });
  }
  std::string hmacSha256(std::string_view key, std::string_view data) const {
    return digest("hmac_sha256",
                  [&](std::uint8_t* out) { return table_->hmac_sha256(table_, borrow(key), borrow(data), out); });
  }

  /// The bytes of the signature. The error says what is wrong with the key.
  std::string sign(SignKind kind, std::string_view private_key_pem, std::string_view data) const {
    detail::TextTaker taken;
    vcp_error_t error = detail::emptyError();
    const std::int32_t code = table_->sign(table_, static_cast<std::int32_t>(kind), borrow(private_key_pem),
                                           borrow(data), taken.sink(), &error);
    if (code != VCP_OK) throw Error(static_cast<Code>(code), Outcome::kNotApplied, error.message);
    return taken.take();
  }

  std::string base64(std::string_view bytes) const { return encode(VCP_BASE64_STANDARD, bytes); }
  /// Without padding.
  std::string base64Url(std::string_view bytes) const { return encode(VCP_BASE64_URL, bytes); }
  /// Strict, with padding.
  std::string base64Decode(std::string_view text) const { return decode(VCP_BASE64_STANDARD, text); }
  /// Strict, with whole padding or none.
  std::string base64UrlDecode(std::string_view text) const { return decode(VCP_BASE64_URL, text); }

 private:
  template <class Function>
  static std::string digest(const char* name, Function&& function) {
    std::string bytes(32, '\0');
    check(name, function(reinterpret_cast<std::uint8_t*>(&bytes[0])));
    return bytes;
  }
  std::string encode(std::int32_t alphabet, std::string_view bytes) const {
    detail::TextTaker taken;
    check("base64_encode", table_->base64_encode(table_, alphabet, borrow(bytes), taken.sink()));
    return taken.take();
  }
  std::string decode(std::int32_t alphabet, std::string_view text) const {
    detail::TextTaker taken;
    check("base64_decode", table_->base64_decode(table_, alphabet, borrow(text), taken.sink()));
    return taken.take();
  }
  static void check(const char* name, std::int32_t code) {
    if (code == VCP_OK) return;
    throw Error(static_cast<Code>(code), Outcome::kNotApplied, std::string(name) + ": the host refused its arguments");
  }

  const vcp_crypto_t* table_;
};

/// Lower-case hexadecimal digits, as signatures of requests write digests.
inline std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 0x0FU]);
  }
  return text;
}

}  // namespace vcp::plugin
