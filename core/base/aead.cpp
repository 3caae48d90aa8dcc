// SPDX-License-Identifier: Apache-2.0
#include "base/aead.h"

#include <openssl/evp.h>

#include <array>
#include <climits>
#include <memory>
#include <stdexcept>

namespace vcc {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::uint64_t kScryptN = 1U << 16U;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
constexpr std::uint64_t kScryptMemory = 128U << 20U;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }  // wipes the key in it
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

unsigned char* bytesOf(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
int lengthOf(std::string_view text) {
  if (text.size() > INT_MAX / 2) throw std::length_error("a text to seal is longer than a gigabyte");
  return static_cast<int>(text.size());
}

/// None of these calls fails but for want of memory.
void must(int result) {
  if (result != 1) throw std::bad_alloc();
}

}  // namespace

std::string aeadSeal(const SecretString& key, Random& random, std::string_view text, std::string_view bound_to) {
  if (key.size() != kAeadKeyBytes) throw std::invalid_argument("aeadSeal: the key has another length");
  std::array<std::uint8_t, kNonceBytes> nonce{};
  random.fill(nonce);
  std::string out(nonce.begin(), nonce.end());
  out.resize(kNonceBytes + text.size() + kTagBytes);
  unsigned char* const body = bytesOf(out) + kNonceBytes;
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  must(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytesOf(key.reveal()), nonce.data()));
  must(EVP_EncryptUpdate(context.get(), nullptr, &written, bytesOf(bound_to), lengthOf(bound_to)));
  must(EVP_EncryptUpdate(context.get(), body, &written, bytesOf(text), lengthOf(text)));
  must(EVP_EncryptFinal_ex(context.get(), body + written, &written));
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body + text.size()));
  return out;
}

Result<SecretString> aeadOpen(const SecretString& key, std::string_view sealed, std::string_view bound_to) {
  const auto refuse = [] { return dataLoss("sealed bytes do not open: damaged, moved, or of another key"); };
  if (key.size() != kAeadKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return refuse();
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view body = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string text(body.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  must(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytesOf(key.reveal()), bytesOf(nonce)));
  must(EVP_DecryptUpdate(context.get(), nullptr, &written, bytesOf(bound_to), lengthOf(bound_to)));
  must(EVP_DecryptUpdate(context.get(), bytesOf(text), &written, bytesOf(body), lengthOf(body)));
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()));
  SecretString out(std::move(text));  // what does not prove genuine is wiped as well
  int rest = 0;
  unsigned char none = 0;
  if (EVP_DecryptFinal_ex(context.get(), &none, &rest) != 1) return refuse();
  return out;
}

SecretString keyFromPassphrase(const SecretString& passphrase, std::string_view salt) {
  std::string key(kAeadKeyBytes, '\0');
  must(EVP_PBE_scrypt(passphrase.reveal().data(), passphrase.size(), bytesOf(salt), salt.size(), kScryptN, kScryptR,
                      kScryptP, kScryptMemory, bytesOf(key), key.size()));
  return SecretString(std::move(key));
}

}  // namespace vcc
