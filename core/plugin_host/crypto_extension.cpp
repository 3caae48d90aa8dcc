// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/crypto_extension.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "base/secret_string.h"
#include "plugin_host/crypto.h"
#include "plugin_host/extension.h"

namespace vcc {
namespace {

constexpr std::uint64_t kMaxData = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMaxKey = std::uint64_t{64} << 10U;

std::int32_t copyDigest(const std::string& digest, std::uint8_t* out) {
  std::copy(digest.begin(), digest.end(), out);
  return VCP_OK;
}

std::int32_t sha256To(const vcp_crypto_t*, vcp_string_t data, std::uint8_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (out == nullptr || !isText(data, kMaxData)) return VCP_INVALID_ARGUMENT;
    return copyDigest(sha256(fromAbi(data)), out);
  });
}

std::int32_t hmacTo(const vcp_crypto_t*, vcp_string_t key, vcp_string_t data, std::uint8_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (out == nullptr || !isText(key, kMaxKey) || !isText(data, kMaxData)) return VCP_INVALID_ARGUMENT;
    return copyDigest(hmacSha256(fromAbi(key), fromAbi(data)), out);
  });
}

Result<std::string> signChecked(std::int32_t kind, const vcp_string_t& key, const vcp_string_t& data,
                                const vcp_text_sink_t* out) {
  if (!isText(key, kMaxKey)) return invalidArgument("private key: it is null, or longer than 64 KiB");
  if (!isText(data, kMaxData)) return invalidArgument("data: it is null, or longer than 64 MiB");
  if (!isSink(out)) return invalidArgument("out: it is null, too short or lacks its function");
  switch (kind) {
    case VCP_SIGN_RSA_PKCS1:
      return signSha256(Signature::kRsaPkcs1, fromAbi(key), fromAbi(data));
    case VCP_SIGN_ECDSA_P256_DER:
      return signSha256(Signature::kEcdsaP256Der, fromAbi(key), fromAbi(data));
    case VCP_SIGN_ECDSA_P256_RAW:
      return signSha256(Signature::kEcdsaP256Raw, fromAbi(key), fromAbi(data));
    default:
      return invalidArgument("kind: this host does not know signatures of kind " + std::to_string(kind));
  }
}

}  // namespace

CryptoExtension::CryptoExtension(const HostServices& host) : host_(host) {
  table_.struct_size = sizeof table_;
  table_.host_data = this;
  table_.sha256 = &sha256To;
  table_.hmac_sha256 = &hmacTo;
  table_.sign = &sign;
  table_.base64_encode = &encode;
  table_.base64_decode = &decode;
}

const CryptoExtension& CryptoExtension::of(const vcp_crypto_t* crypto) {
  return *static_cast<const CryptoExtension*>(crypto->host_data);
}

std::int32_t CryptoExtension::sign(const vcp_crypto_t* crypto, std::int32_t kind, vcp_string_t private_key,
                                   vcp_string_t data, const vcp_text_sink_t* out, vcp_error_t* error) noexcept {
  if (crypto == nullptr) return VCP_INVALID_ARGUMENT;
  return guardedCode([&]() -> std::int32_t {
    const Result<std::string> made = signChecked(kind, private_key, data, out);
    if (made.ok()) return writeText(of(crypto).host_, *out, *made);
    const Status why(made.status().code(), "sign: " + made.status().message(), Outcome::kNotApplied);
    fillError(error, why);
    return static_cast<std::int32_t>(why.code());
  });
}

std::int32_t CryptoExtension::encode(const vcp_crypto_t* crypto, std::int32_t alphabet, vcp_string_t bytes,
                                     const vcp_text_sink_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    const bool url = alphabet == VCP_BASE64_URL;
    if (crypto == nullptr || (!url && alphabet != VCP_BASE64_STANDARD) || !isText(bytes, kMaxData) || !isSink(out)) {
      return VCP_INVALID_ARGUMENT;
    }
    const SecretString text(url ? base64UrlEncode(fromAbi(bytes)) : base64Encode(fromAbi(bytes)));
    return writeText(of(crypto).host_, *out, text.reveal());
  });
}

std::int32_t CryptoExtension::decode(const vcp_crypto_t* crypto, std::int32_t alphabet, vcp_string_t text,
                                     const vcp_text_sink_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    const bool url = alphabet == VCP_BASE64_URL;
    if (crypto == nullptr || (!url && alphabet != VCP_BASE64_STANDARD) || !isText(text, kMaxData) || !isSink(out)) {
      return VCP_INVALID_ARGUMENT;
    }
    Result<std::string> decoded = url ? base64UrlDecode(fromAbi(text)) : base64Decode(fromAbi(text));
    if (!decoded.ok()) return VCP_INVALID_ARGUMENT;
    const SecretString bytes(std::move(decoded).value());
    return writeText(of(crypto).host_, *out, bytes.reveal());
  });
}

}  // namespace vcc
