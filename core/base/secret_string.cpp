// SPDX-License-Identifier: Apache-2.0
#include "base/secret_string.h"

#include <openssl/crypto.h>

namespace vcc {
namespace {

void wipeText(std::string& text) {
  // A short text lies inside the object and stays there when the string is moved from, so the whole capacity is
  // wiped, not only what the size still covers.
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace

SecretString::SecretString(std::string text) : text_(std::move(text)) { wipeText(text); }

SecretString& SecretString::operator=(const SecretString& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

SecretString::SecretString(SecretString&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }

SecretString& SecretString::operator=(SecretString&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
  }
  return *this;
}

SecretString::~SecretString() { wipe(); }

void SecretString::wipe() { wipeText(text_); }

bool constantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace vcc
