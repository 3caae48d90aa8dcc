// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_string.h"
#include "base/status.h"

/// Authenticated encryption (AES-256-GCM, NIST SP 800-38D) and keys from pass phrases (scrypt, RFC 7914). Thread safe.
namespace vcc {

inline constexpr std::size_t kAeadKeyBytes = 32;

/// Nonce, ciphertext and tag of `text` under a key of kAeadKeyBytes, with a fresh random nonce; at most 2^32 texts a
/// key. `bound_to` is not in the result, but the text opens only with the same one again.
std::string aeadSeal(const SecretString& key, Random& random, std::string_view text, std::string_view bound_to);

/// The text. kDataLoss when key, bytes or `bound_to` are not those of aeadSeal; it says nothing about which.
Result<SecretString> aeadOpen(const SecretString& key, std::string_view sealed, std::string_view bound_to);

/// A key of kAeadKeyBytes; needs 64 MiB and about a quarter of a second, which is the point.
SecretString keyFromPassphrase(const SecretString& passphrase, std::string_view salt);

}  // namespace vcc
