// SPDX-License-Identifier: Apache-2.0
#include "secrets/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "secrets/grants.h"

namespace vcc {
namespace {

constexpr std::int64_t kTenYearsMs = std::int64_t{3650} * 24 * 3600 * 1000;
constexpr std::int64_t kLongestLifeMs = 10 * kTenYearsMs;
constexpr std::size_t kTokenCharacters = 26;
constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kNoteBytes = 1024;

constexpr bool isAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool isUserName(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return isAlnum(c) || c == '.' || c == '_' || c == '@' || c == '-'; });
}

// `count` characters of the 62, each equally likely: bytes beyond the last whole multiple of 62 are thrown away.
std::string randomCharacters(Random& random, std::size_t count) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kUsable = 256 / kAlphabet.size() * kAlphabet.size();
  std::string text;
  text.reserve(count);
  while (text.size() < count) {
    std::array<std::uint8_t, 64> bytes{};
    random.fill(bytes);
    for (std::uint8_t byte : bytes) {
      if (byte < kUsable && text.size() < count) text += kAlphabet[byte % kAlphabet.size()];
    }
  }
  return text;
}

Status checkNote(std::string_view field, std::string_view text) {
  if (text.size() <= kNoteBytes && isUtf8(text)) return okStatus();
  return invalidArgument(fmt::format("{}: at most {} bytes of UTF-8 are expected", field, kNoteBytes));
}

// The record of a token, compared once more in constant time: the key of the table may match by a shortcut.
const Token* findToken(const Table<Token>& tokens, std::string_view hash) {
  const Token* token = tokens.find(hash);
  return token != nullptr && constantTimeEqual(token->hash, hash) ? token : nullptr;
}

}  // namespace

Status addUser(Store& store, const std::string& name, UserRole role) {
  if (!isUserName(name)) {
    return invalidArgument(
        fmt::format("user \"{}\": a name has 1 to 64 letters, digits, '.', '_', '@' or '-'", cleanUtf8(name, 64)));
  }
  return store.transact([&](Tx& tx) -> Status {
    if (tx.users().find(name) != nullptr) return alreadyExists(fmt::format("user {} exists already", name));
    return tx.users().put(User{name, role, tx.now()});
  });
}

Status ensureNobody(Store& store) {
  return store.transact([](Tx& tx) -> Status {
    if (tx.users().find("nobody") != nullptr) return okStatus();
    return tx.users().put(User{"nobody", UserRole::kRegular, tx.now()});
  });
}

Result<SecretString> createToken(Store& store, Random& random, const NewToken& request) {
  VCC_RETURN_IF_ERROR(checkNote("note", request.note));
  VCC_RETURN_IF_ERROR(checkNote("mail", request.mail));
  if (request.life_ms < 0 || request.life_ms > kLongestLifeMs) {
    return invalidArgument("the life of a token is at most a hundred years, and not negative");
  }
  SecretString secret("s." + randomCharacters(random, kTokenCharacters));
  Token token;
  token.hash = tokenHash(secret.reveal());
  token.head = tokenHead(secret.reveal());
  token.user = request.user;
  token.role = request.role;
  token.note = request.note;
  token.mail = request.mail;
  VCC_RETURN_IF_ERROR(store.transact([&](Tx& tx) -> Status {
    if (tx.users().find(request.user) == nullptr) {
      return notFound(
          fmt::format("user \"{}\": a token cannot be made, the user does not exist; make it first with "
                      "vcc user add",
                      cleanUtf8(request.user, 64)));
    }
    Token record = token;
    record.created_at = tx.now();
    record.expires_at = tx.now() + (request.life_ms == 0 ? kTenYearsMs : request.life_ms);
    return tx.tokens().put(std::move(record));
  }));
  return secret;
}

Result<std::int64_t> revokeToken(Store& store, std::string_view token, bool purge_grants) {
  const std::string hash = tokenHash(token);
  std::int64_t purged = 0;
  VCC_RETURN_IF_ERROR(store.transact([&](Tx& tx) -> Status {
    purged = 0;
    if (findToken(tx.tokens(), hash) == nullptr) {
      return notFound(fmt::format("token {}: it cannot be revoked, there is no such token", tokenHead(token)));
    }
    tx.tokens().erase(hash);
    eraseCubbyhole(tx, hash);
    if (!purge_grants) return okStatus();
    VCC_ASSIGN_OR_RETURN(purged, purgeGrants(tx, hash));
    return okStatus();
  }));
  return purged;
}

void dropExpiredTokens(Tx& tx) {
  std::vector<std::string> expired;
  tx.tokens().scan([&](const Token& token) {
    if (token.expires_at <= tx.now()) expired.push_back(token.hash);
    return true;
  });
  for (const std::string& hash : expired) {
    tx.tokens().erase(hash);
    eraseCubbyhole(tx, hash);
  }
}

Result<Principal> authenticate(const Store& store, std::string_view token) {
  const std::string hash = tokenHash(token);
  std::optional<Principal> principal;
  store.read([&](const ReadTx& tx) {
    const Token* found = findToken(tx.tokens(), hash);
    if (found == nullptr || found->expires_at <= tx.now()) return;
    const User* user = tx.users().find(found->user);
    if (user != nullptr) principal = Principal{user->name, user->role, found->role, found->head, found->hash};
  });
  if (principal) return *std::move(principal);
  // One text for every cause, the one that clients know (spec/rest-protocol 2.3): it tells a guesser nothing.
  return unauthenticated(tokenHead(token) + ":token lookup is failed: permission denied");
}

std::string tokenHash(std::string_view token) { return hexEncode(sha256(token)); }

std::string tokenHead(std::string_view token) {
  std::string head(token.substr(0, kHeadBytes));
  std::ranges::replace_if(
      head, [](char c) { return !isAlnum(c) && c != '.' && c != '-' && c != '_'; }, '?');
  return head;
}

}  // namespace vcc
