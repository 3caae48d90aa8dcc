// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/crypto.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <climits>
#include <memory>

namespace vcc {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr int kP256Bytes = 32;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;  // wipes what is private in it
using Memory = std::unique_ptr<BIO, Freed<BIO_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

/// The library's queue of errors is one per thread and not ours alone: what we add goes again.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Status badKey(const std::string& why) { return invalidArgument("private key: " + why); }

Result<Key> readKey(std::string_view pem) {
  if (pem.size() > INT_MAX) return badKey("it is too long");
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!memory) return resourceExhausted("private key: no memory");
  bool wants_phrase = false;
  // Without a function of ours the library would ask at the terminal.
  const auto no_phrase = [](char*, int, int, void* wanted) -> int {
    *static_cast<bool*>(wanted) = true;
    return -1;
  };
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_phrase, &wants_phrase));
  if (wants_phrase) return badKey("it has a pass phrase; store it without one");
  if (!key) return badKey("it is not PEM of PKCS #8, PKCS #1 or SEC 1");
  return key;
}

Status checkKey(Signature kind, EVP_PKEY* key) {
  if (kind == Signature::kRsaPkcs1) {
    if (EVP_PKEY_is_a(key, "RSA") != 1) return badKey("it is not an RSA key");
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kMinRsaBits || bits > kMaxRsaBits) {
      return badKey("it has " + std::to_string(bits) + " bits; RSA keys have 2048 to 8192 here");
    }
    return okStatus();
  }
  std::array<char, 32> group{};
  std::size_t size = 0;
  if (EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1 ||
      std::string_view(group.data(), size) != "prime256v1") {
    return badKey("it is not an elliptic curve key on P-256 (prime256v1)");
  }
  return okStatus();
}

/// r and s of a signature in DER, padded to their full length.
std::string rawSignature(const std::string& der) {
  const unsigned char* at = bytesOf(der);
  const EcdsaSignature parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(std::size_t{2} * kP256Bytes, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, kP256Bytes) != kP256Bytes ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + kP256Bytes, kP256Bytes) != kP256Bytes) {
    return {};
  }
  return raw;
}

}  // namespace

Result<std::string> signSha256(Signature kind, std::string_view private_key_pem, std::string_view data) {
  const QuietErrors quiet;
  VCC_ASSIGN_OR_RETURN(const Key key, readKey(private_key_pem));
  VCC_RETURN_IF_ERROR(checkKey(kind, key.get()));
  const Context context(EVP_MD_CTX_new());
  std::size_t size = 0;
  std::string signature;
  if (context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &size, bytesOf(data), data.size()) == 1) {
    signature.resize(size);
    const int done = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                    bytesOf(data), data.size());
    signature.resize(done == 1 ? size : 0);
  }
  if (!signature.empty() && kind == Signature::kEcdsaP256Raw) signature = rawSignature(signature);
  if (signature.empty()) return badKey("nothing can be signed with it; its numbers do not belong together");
  return signature;
}

}  // namespace vcc
