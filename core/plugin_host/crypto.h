// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

/// Signatures over SHA-256; the one file of this folder that knows OpenSSL's keys. Thread safe.
/// Nothing of keys or data gets into error texts.
namespace vcc {

enum class Signature {
  kRsaPkcs1,      ///< PKCS #1 v1.5; keys of 2048 to 8192 bits
  kEcdsaP256Der,  ///< ASN.1 DER
  kEcdsaP256Raw,  ///< r and s, 32 bytes each
};

/// Signs with a private key in PEM without a pass phrase: PKCS #8, PKCS #1 or SEC 1. kInvalidArgument says what is
/// wrong with the key.
Result<std::string> signSha256(Signature kind, std::string_view private_key_pem, std::string_view data);

}  // namespace vcc
