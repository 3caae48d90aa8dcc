// SPDX-License-Identifier: Apache-2.0
#include "base/aead.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"

using namespace vcc;

namespace {

/// Hands out fixed bytes, for published vectors.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string bytes) : bytes_(std::move(bytes)) {}
  void fill(std::span<std::uint8_t> out) override { std::copy_n(bytes_.begin(), out.size(), out.begin()); }

 private:
  std::string bytes_;
};

SecretString key(char fill) { return SecretString(std::string(kAeadKeyBytes, fill)); }

}  // namespace

TEST_CASE("AES-256-GCM gives the bytes of the published vectors") {
  // The cases 13 and 14 of the GCM specification: a key and a nonce of zeros.
  FixedRandom zeros(std::string(12, '\0'));
  CHECK(hexEncode(aeadSeal(key('\0'), zeros, "", "")) == std::string(24, '0') + "530f8afbc74536b9a963b4f1c4cb738b");
  CHECK(hexEncode(aeadSeal(key('\0'), zeros, std::string(16, '\0'), "")) ==
        std::string(24, '0') + "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919");
}

TEST_CASE("a sealed text opens with its key and its binding, and with nothing else") {
  SystemRandom random;
  const std::string text = "a secret of some length\0with a NUL";
  const std::string sealed = aeadSeal(key('k'), random, text, "row 1");
  CHECK(sealed.size() == text.size() + 28);
  CHECK(sealed.find("secret") == std::string::npos);
  CHECK(aeadOpen(key('k'), sealed, "row 1").value().reveal() == text);
  CHECK(aeadOpen(key('k'), sealed, "row 2").status().code() == Code::kDataLoss);
  CHECK(aeadOpen(key('K'), sealed, "row 1").status().code() == Code::kDataLoss);
  CHECK(aeadOpen(SecretString("short"), sealed, "row 1").status().code() == Code::kDataLoss);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK_FALSE(aeadOpen(key('k'), damaged, "row 1").ok());
    CHECK_FALSE(aeadOpen(key('k'), sealed.substr(0, i), "row 1").ok());
  }
}

TEST_CASE("the same text sealed twice gives two texts") {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(aeadSeal(key('k'), random, "x", ""));
  CHECK(seen.size() == 100);
}

TEST_CASE("a key from a pass phrase depends on phrase and salt") {
  const SecretString one = keyFromPassphrase(SecretString("open sesame"), "salt");
  CHECK(one.size() == kAeadKeyBytes);
  CHECK(constantTimeEqual(one.reveal(), keyFromPassphrase(SecretString("open sesame"), "salt").reveal()));
  CHECK_FALSE(constantTimeEqual(one.reveal(), keyFromPassphrase(SecretString("open sesame"), "pepper").reveal()));
  CHECK_FALSE(constantTimeEqual(one.reveal(), keyFromPassphrase(SecretString("open Sesame"), "salt").reveal()));
}
