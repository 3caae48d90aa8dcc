// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <cstdint>
#include <memory>
#include <string>

#include "vcp/plugin/cpp/crypto.h"
#include "vcp/plugin/testing/fake_host.h"

namespace vcp::plugin::testing {

/// The digests and signatures of a FakeHost: the real algorithms, so that a test can compare signed requests with
/// published ones. The test links OpenSSL::Crypto; the driver does not. Thread safe. Outlives the driver.
class FakeCrypto {
 public:
  explicit FakeCrypto(FakeHost& host) {
    table_.struct_size = sizeof table_;
    table_.sha256 = [](const vcp_crypto_t*, vcp_string_t data, std::uint8_t* out) -> std::int32_t {
      SHA256(bytes(data), static_cast<std::size_t>(data.size), out);
      return VCP_OK;
    };
    table_.hmac_sha256 = [](const vcp_crypto_t*, vcp_string_t key, vcp_string_t data,
                            std::uint8_t* out) -> std::int32_t {
      HMAC(EVP_sha256(), bytes(key), static_cast<int>(key.size), bytes(data), static_cast<std::size_t>(data.size), out,
           nullptr);
      return VCP_OK;
    };
    table_.sign = [](const vcp_crypto_t*, std::int32_t kind, vcp_string_t key, vcp_string_t data,
                     const vcp_text_sink_t* out, vcp_error_t* error) -> std::int32_t {
      const std::string signature = signatureOf(kind, key, data);
      if (!signature.empty()) return out->write(out, borrow(signature));
      return detail::fillError(error, Outcome::kNotApplied, VCP_INVALID_ARGUMENT, "sign: private key: refused");
    };
    table_.base64_encode = [](const vcp_crypto_t*, std::int32_t alphabet, vcp_string_t data,
                              const vcp_text_sink_t* out) -> std::int32_t {
      std::string text((static_cast<std::size_t>(data.size) + 2) / 3 * 4 + 1, '\0');
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(&text[0]), bytes(data), static_cast<int>(data.size));
      text.pop_back();
      if (alphabet == VCP_BASE64_URL) {
        while (!text.empty() && text.back() == '=') text.pop_back();
        exchange(text, "+/", "-_");
      }
      return out->write(out, borrow(text));
    };
    table_.base64_decode = [](const vcp_crypto_t*, std::int32_t alphabet, vcp_string_t from,
                              const vcp_text_sink_t* out) -> std::int32_t {
      std::string text(view(from));
      if (alphabet == VCP_BASE64_URL) {
        exchange(text, "-_", "+/");
        while (text.size() % 4 != 0) text.push_back('=');
      }
      std::string decoded(text.size() / 4 * 3 + 1, '\0');
      const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(&decoded[0]), bytes(borrow(text)),
                                       static_cast<int>(text.size()));
      if (size < 0) return VCP_INVALID_ARGUMENT;
      std::size_t padding = 0;
      while (padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
      if (padding > 2) return VCP_INVALID_ARGUMENT;
      decoded.resize(static_cast<std::size_t>(size) - padding);
      return out->write(out, borrow(decoded));
    };
    host.provide(VCP_CRYPTO_ID, &table_);
  }
  FakeCrypto(const FakeCrypto&) = delete;
  FakeCrypto& operator=(const FakeCrypto&) = delete;

 private:
  template <auto Free>
  struct Freed {
    template <class T>
    void operator()(T* object) const {
      Free(object);
    }
  };

  /// Never null: the library takes that for "the one before".
  static const unsigned char* bytes(vcp_string_t text) {
    return reinterpret_cast<const unsigned char*>(text.size == 0 ? "" : text.data);
  }
  static void exchange(std::string& text, const char* from, const char* to) {
    for (char& c : text) c = c == from[0] ? to[0] : c == from[1] ? to[1] : c;
  }

  static std::string signatureOf(std::int32_t kind, vcp_string_t pem, vcp_string_t data) {
    const std::unique_ptr<BIO, Freed<BIO_free>> memory(BIO_new_mem_buf(bytes(pem), static_cast<int>(pem.size)));
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(PEM_read_bio_PrivateKey(
        memory.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
    const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    if (!key || EVP_PKEY_is_a(key.get(), kind == VCP_SIGN_RSA_PKCS1 ? "RSA" : "EC") != 1) return {};
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(&signature[0]), &size, bytes(data),
                       static_cast<std::size_t>(data.size)) != 1) {
      return {};
    }
    signature.resize(size);
    if (kind != VCP_SIGN_ECDSA_P256_RAW) return signature;
    const unsigned char* at = bytes(borrow(signature));
    const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), reinterpret_cast<unsigned char*>(&raw[0]), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), reinterpret_cast<unsigned char*>(&raw[32]), 32);
    return raw;
  }

  vcp_crypto_t table_{};
};

}  // namespace vcp::plugin::testing
