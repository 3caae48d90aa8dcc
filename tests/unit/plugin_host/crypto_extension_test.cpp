// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <functional>
#include <memory>
#include <string>

#include "base/encoding.h"
#include "plugin_host/crypto.h"
#include "rfc7515_keys.h"
#include "services_rig.h"
#include "vcp/plugin/cpp/crypto.h"

using namespace vcc;
using vcp::plugin::Crypto;
using vcp::plugin::SignKind;

namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

KeyPtr parse(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new_mem_buf(pem.data(), -1), BIO_free);
  KeyPtr key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  REQUIRE(key);
  return key;
}

/// A key as PKCS #8, with a pass phrase when one is given; `traditional` for PKCS #1 and SEC 1.
std::string write(EVP_PKEY* key, const char* phrase = nullptr, bool traditional = false) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  const EVP_CIPHER* cipher = phrase == nullptr ? nullptr : EVP_aes_128_cbc();
  auto* word = reinterpret_cast<unsigned char*>(const_cast<char*>(phrase));
  const int size = phrase == nullptr ? 0 : static_cast<int>(std::string(phrase).size());
  const int done = traditional
                       ? PEM_write_bio_PrivateKey_traditional(memory.get(), key, cipher, word, size, nullptr, nullptr)
                       : PEM_write_bio_PrivateKey(memory.get(), key, cipher, word, size, nullptr, nullptr);
  REQUIRE(done == 1);
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string der(char tag, const std::string& content) {
  return std::string{tag, '\x82', static_cast<char>(content.size() >> 8U), static_cast<char>(content.size() & 0xFFU)} +
         content;
}

/// PKCS #1 of so many bits whose numbers belong to no key.
std::string fakeRsaKey(std::size_t bits, char last_byte = '\x01') {
  const auto number = [last_byte](std::size_t size) {
    return der('\x02', std::string(1, '\0') + '\x80' + std::string(size / 8 - 2, '\0') + last_byte);
  };
  std::string numbers = der('\x02', std::string(1, '\0')) + number(bits) + der('\x02', "\x11") + number(bits);
  for (int i = 0; i < 5; ++i) numbers += number(bits / 2);
  const std::string base64 = base64Encode(der('\x30', numbers));
  std::string pem = "-----BEGIN RSA PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 64) pem += base64.substr(at, 64) + "\n";
  return pem + "-----END RSA PRIVATE KEY-----\n";
}

bool verifies(EVP_PKEY* key, const std::string& signature, const std::string& data) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1;
}

std::string derOf(const std::string& raw) {
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parts(ECDSA_SIG_new(), ECDSA_SIG_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG_set0(parts.get(), BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::string times(std::size_t count, char byte) { return std::string(count, byte); }

}  // namespace

TEST_CASE("crypto: SHA-256 of FIPS 180 and HMAC of RFC 4231") {
  const test::ServicesRig rig;
  const Crypto crypto(rig.host);
  using vcp::plugin::hex;
  CHECK(hex(crypto.sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(crypto.sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(crypto.sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(crypto.sha256(times(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

  CHECK(hex(crypto.hmacSha256(times(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(crypto.hmacSha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(crypto.hmacSha256(times(20, '\xaa'), times(50, '\xdd'))) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hex(crypto.hmacSha256(times(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hex(crypto.hmacSha256("", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("crypto: the key of AWS's signature is a chain of HMACs") {
  const test::ServicesRig rig;
  const Crypto crypto(rig.host);
  // The example in AWS's manual, "Create a signed request", of a key derived for iam in us-east-1.
  const std::string day = crypto.hmacSha256("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830");
  const std::string key =
      crypto.hmacSha256(crypto.hmacSha256(crypto.hmacSha256(day, "us-east-1"), "iam"), "aws4_request");
  CHECK(vcp::plugin::hex(key) == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST_CASE("crypto: RSA signatures are those of RFC 7515, from PKCS #1 and PKCS #8") {
  const test::ServicesRig rig;
  const Crypto crypto(rig.host);
  const auto key = parse(test::kRsaKey);
  for (const std::string& pem : {std::string(test::kRsaKey), write(key.get())}) {
    CHECK(crypto.base64Url(crypto.sign(SignKind::kRsaPkcs1, pem, test::kRs256Input)) == test::kRs256Signature);
  }
}

TEST_CASE("crypto: ECDSA signatures verify, in DER and raw, from SEC 1 and PKCS #8") {
  const test::ServicesRig rig;
  const Crypto crypto(rig.host);
  const auto key = parse(test::kEcKey);
  for (const std::string& pem : {std::string(test::kEcKey), write(key.get())}) {
    for (int i = 0; i < 300; ++i) {  // one in 128 has a part with a leading zero, which raw must keep
      const std::string data = "data " + std::to_string(i);
      const std::string raw = crypto.sign(SignKind::kEcdsaP256Raw, pem, data);
      REQUIRE(raw.size() == 64);
      REQUIRE(verifies(key.get(), derOf(raw), data));
      REQUIRE_FALSE(verifies(key.get(), derOf(raw), data + "."));
    }
    CHECK(verifies(key.get(), crypto.sign(SignKind::kEcdsaP256Der, pem, ""), ""));
  }
}

TEST_CASE("crypto: keys that are refused, with the reason and without the key") {
  const KeyPtr small(EVP_RSA_gen(1024), EVP_PKEY_free);
  const KeyPtr other_curve(EVP_EC_gen("P-384"), EVP_PKEY_free);
  const KeyPtr edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  const auto rsa = parse(test::kRsaKey);
  const auto why = [](Signature kind, const std::string& pem) {
    const Result<std::string> made = signSha256(kind, pem, "s3cret data");
    REQUIRE_FALSE(made.ok());
    CHECK(made.status().code() == Code::kInvalidArgument);
    CHECK(made.status().message().find("s3cret") == std::string::npos);
    return made.status().message();
  };
  using enum Signature;
  CHECK(why(kRsaPkcs1, write(small.get())).find("1024 bits") != std::string::npos);
  CHECK(why(kRsaPkcs1, fakeRsaKey(8200)).find("8200 bits") != std::string::npos);
  CHECK(why(kRsaPkcs1, test::kEcKey).find("not an RSA key") != std::string::npos);
  CHECK(why(kEcdsaP256Der, test::kRsaKey).find("P-256") != std::string::npos);
  CHECK(why(kEcdsaP256Raw, write(other_curve.get())).find("P-256") != std::string::npos);
  CHECK(why(kEcdsaP256Raw, write(edwards.get())).find("P-256") != std::string::npos);
  CHECK(why(kRsaPkcs1, write(rsa.get(), "s3cret phrase")).find("pass phrase") != std::string::npos);
  CHECK(why(kRsaPkcs1, write(rsa.get(), "s3cret phrase", true)).find("pass phrase") != std::string::npos);
  for (const std::string& text : {std::string(), std::string("s3cret"), std::string(test::kRsaKey).substr(0, 900),
                                  std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
    CHECK(why(kRsaPkcs1, text).find("not PEM") != std::string::npos);
  }
  CHECK(why(kRsaPkcs1, fakeRsaKey(2048, '\x02')).find("nothing can be signed") != std::string::npos);
}

TEST_CASE("crypto: base64 in both alphabets") {
  const test::ServicesRig rig;
  const Crypto crypto(rig.host);
  const std::string bytes = "\xfb\xef\xff\x01";
  CHECK(crypto.base64(bytes) == "++//AQ==");
  CHECK(crypto.base64Url(bytes) == "--__AQ");
  CHECK(crypto.base64Decode("++//AQ==") == bytes);
  CHECK(crypto.base64UrlDecode("--__AQ") == bytes);
  CHECK(crypto.base64UrlDecode("--__AQ==") == bytes);
  CHECK(crypto.base64UrlDecode("").empty());
  for (const char* text : {"++//AQ", "--__AQ==", "++//AQ=", "++//AR==", "++ /AQ==", "="}) {
    CAPTURE(text);
    CHECK_THROWS_AS(crypto.base64Decode(text), vcp::plugin::Error);
  }
  for (const char* text : {"++__AQ", "--__AQ=", "--__A", "--__AR", "-", "="}) {
    CAPTURE(text);
    CHECK_THROWS_AS(crypto.base64UrlDecode(text), vcp::plugin::Error);
  }
}

TEST_CASE("crypto: bad arguments are borne") {
  test::ServicesRig rig;
  const auto* crypto = rig.table<vcp_crypto_t>(VCP_CRYPTO_ID);
  REQUIRE(crypto != nullptr);
  CHECK(crypto->struct_size == sizeof(vcp_crypto_t));
  std::uint8_t digest[32] = {};
  const vcp_string_t text = toAbi("x");
  const vcp_string_t null_text{nullptr, 1};
  const vcp_string_t huge{"x", (std::uint64_t{64} << 20U) + 1};
  const vcp_string_t huge_key{"x", (std::uint64_t{64} << 10U) + 1};
  CHECK(crypto->sha256(crypto, text, nullptr) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->sha256(crypto, null_text, digest) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->sha256(crypto, huge, digest) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->hmac_sha256(crypto, huge_key, text, digest) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->hmac_sha256(crypto, text, huge, digest) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->hmac_sha256(crypto, text, text, nullptr) == VCP_INVALID_ARGUMENT);

  const vcp_string_t key = toAbi(test::kRsaKey);
  vcp::plugin::detail::TextTaker taken;
  const auto refused = [&](std::int32_t kind, vcp_string_t pem, vcp_string_t data, const vcp_text_sink_t* out) {
    vcp_error_t error = emptyError();
    CHECK(crypto->sign(crypto, kind, pem, data, out, &error) == VCP_INVALID_ARGUMENT);
    CHECK(error.code == VCP_INVALID_ARGUMENT);
    CHECK(error.outcome == VCP_OUTCOME_NOT_APPLIED);
    return std::string(error.message);
  };
  CHECK(refused(0, key, text, taken.sink()) == "sign: kind: this host does not know signatures of kind 0");
  CHECK(refused(4, key, text, taken.sink()).find("kind 4") != std::string::npos);
  CHECK(refused(VCP_SIGN_RSA_PKCS1, huge_key, text, taken.sink()).find("64 KiB") != std::string::npos);
  CHECK(refused(VCP_SIGN_RSA_PKCS1, key, huge, taken.sink()).find("64 MiB") != std::string::npos);
  CHECK(refused(VCP_SIGN_RSA_PKCS1, key, text, nullptr).find("out") != std::string::npos);
  CHECK(crypto->sign(crypto, 0, key, text, taken.sink(), nullptr) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->base64_encode(crypto, 0, text, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->base64_encode(crypto, VCP_BASE64_URL, text, nullptr) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->base64_decode(crypto, 3, text, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(crypto->base64_decode(crypto, VCP_BASE64_URL, huge, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(taken.take().empty());

  const vcp_text_sink_t full = test::fullSink();
  const vcp_text_sink_t throwing = test::throwingSink();
  CHECK(crypto->base64_encode(crypto, VCP_BASE64_URL, text, &full) == VCP_OUT_OF_RANGE);
  CHECK(crypto->sign(crypto, VCP_SIGN_RSA_PKCS1, key, text, &throwing, nullptr) == VCP_INTERNAL);
  CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 1);
}
