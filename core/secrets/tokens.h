// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_string.h"
#include "store/store.h"

/// Users and access tokens (spec/operations 1.2, rest-protocol 2.2).
namespace vcc {

/// Who is asking, after authentication.
struct Principal {
  std::string user;
  UserRole user_role = UserRole::kRegular;
  ApiRole api_role = ApiRole::kFullAccess;
  std::string token_head;
  std::string token_hash;
};

struct NewToken {
  std::string user = "nobody";
  ApiRole role = ApiRole::kFullAccess;
  std::string note;
  std::string mail;
  std::int64_t life_ms = 0;  ///< 0 = ten years
};

/// Makes a user; kAlreadyExists, or kInvalidArgument for a name outside [A-Za-z0-9._@-]{1,64}.
Status addUser(Store& store, const std::string& name, UserRole role);

/// Makes a token of an existing user and returns it, the only time it is seen: `s.` and 26 characters of
/// [A-Za-z0-9] (> 150 bit). Only its hash is stored.
Result<SecretString> createToken(Store& store, Random& random, const NewToken& request);

/// Revokes by the whole token; its cubbyhole goes with it. What it made stays usable by the engine, else machines that
/// cost money could not be deleted; `purge_grants` wipes these credentials as well (secrets/grants.h). Returns how many
/// grants were purged; kNotFound when there is no such token.
Result<std::int64_t> revokeToken(Store& store, std::string_view token, bool purge_grants = false);

/// Erases the tokens that have expired, and their cubbyholes.
void dropExpiredTokens(Tx& tx);

/// The principal of a token; kUnauthenticated with the token's head and "token lookup is failed: permission denied".
Result<Principal> authenticate(const Store& store, std::string_view token);

/// What is stored of a token: SHA-256 in hex. A token has more than 150 random bits, so a slow hash would add nothing.
std::string tokenHash(std::string_view token);

/// The part of a token that may be shown: its first 8 characters, cleaned; "" for an empty one.
std::string tokenHead(std::string_view token);

/// Makes the predefined user `nobody` when it is missing.
Status ensureNobody(Store& store);

}  // namespace vcc
