// SPDX-License-Identifier: Apache-2.0
#include "secrets/tokens.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

#include "base/encoding.h"
#include "store/open_store.h"

using namespace vcc;

namespace {

class FakeClock final : public Clock {
 public:
  std::int64_t wallMs() const override { return now; }
  std::int64_t monoMs() const override { return now; }
  std::int64_t now = 1'700'000'000'000;
};

// A store with the user nobody and the super user admin.
struct Fixture {
  FakeClock clock;
  InlineExecutor executor;
  NullLogger log;
  std::unique_ptr<Store> store = makeMemoryStore(clock, executor, log);
  SystemRandom random;

  Fixture() {
    REQUIRE(ensureNobody(*store).ok());
    REQUIRE(addUser(*store, "admin", UserRole::kSuper).ok());
  }
  std::string token(const NewToken& request = {}) { return createToken(*store, random, request).value().reveal(); }
};

std::string refusal(const Store& store, std::string_view token) {
  const auto principal = authenticate(store, token);
  REQUIRE_FALSE(principal.ok());
  CHECK(principal.status().code() == Code::kUnauthenticated);
  return principal.status().message();
}

constexpr std::int64_t kTenYearsMs = 315'360'000'000;

}  // namespace

TEST_CASE("users") {
  Fixture f;
  CHECK(ensureNobody(*f.store).ok());
  CHECK(addUser(*f.store, "a.b_c@d-e", UserRole::kRegular).ok());
  CHECK(addUser(*f.store, "admin", UserRole::kRegular).code() == Code::kAlreadyExists);
  CHECK(addUser(*f.store, "nobody", UserRole::kSuper).code() == Code::kAlreadyExists);
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a/b"),
                                 std::string("\xe3\x81\x82"), std::string("a\0", 2)}) {
    CHECK(addUser(*f.store, bad, UserRole::kRegular).code() == Code::kInvalidArgument);
  }
  f.store->read([](const ReadTx& tx) {
    CHECK(tx.users().size() == 3);
    CHECK(tx.users().find("nobody")->role == UserRole::kRegular);
    CHECK(tx.users().find("admin")->role == UserRole::kSuper);
    CHECK(tx.users().find("admin")->created_at == 1'700'000'000'000);
  });
}

TEST_CASE("a token opens the door for its user, and only its hash is stored") {
  Fixture f;
  const std::string token = f.token({.user = "admin", .role = ApiRole::kReadOnly, .note = "n", .mail = "m@x"});
  CHECK(token.size() == 28);
  CHECK(token.starts_with("s."));
  CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 2) ==
        std::string::npos);
  const Principal principal = authenticate(*f.store, token).value();
  CHECK(principal.user == "admin");
  CHECK(principal.user_role == UserRole::kSuper);
  CHECK(principal.api_role == ApiRole::kReadOnly);
  CHECK(principal.token_head == token.substr(0, 8));
  CHECK(principal.token_hash == hexEncode(sha256(token)));
  f.store->read([&](const ReadTx& tx) {
    const Token* record = tx.tokens().find(hexEncode(sha256(token)));
    REQUIRE(record != nullptr);
    CHECK(record->head == token.substr(0, 8));
    CHECK(record->note == "n");
    CHECK(record->mail == "m@x");
    CHECK(record->created_at == f.clock.now);
    CHECK(record->expires_at == f.clock.now + kTenYearsMs);
    CHECK(tx.tokens().find(token) == nullptr);
  });
  CHECK(authenticate(*f.store, f.token()).value().user == "nobody");
}

TEST_CASE("tokens differ") {
  Fixture f;
  std::set<std::string> tokens;
  for (int i = 0; i < 500; ++i) tokens.insert(f.token());
  CHECK(tokens.size() == 500);
}

TEST_CASE("wrong tokens get the one text that clients know") {
  Fixture f;
  const std::string token = f.token();
  CHECK(refusal(*f.store, "s.wrongtokenwrongtoken") == "s.wrongt:token lookup is failed: permission denied");
  CHECK(refusal(*f.store, "") == ":token lookup is failed: permission denied");
  CHECK(refusal(*f.store, token + "x").starts_with(token.substr(0, 8) + ":token lookup"));
  CHECK(refusal(*f.store, token.substr(0, 27)).find(token.substr(0, 27)) == std::string::npos);
  refusal(*f.store, hexEncode(sha256(token)));
  CHECK(refusal(*f.store, "a\n\"\xff<b>") == "a????b?:token lookup is failed: permission denied");
  CHECK(tokenHead("s.abcdefgh") == "s.abcdef");
  CHECK(tokenHead("").empty());
}

TEST_CASE("a token ends with its life, its revocation or its user") {
  Fixture f;
  const std::string brief = f.token({.life_ms = 1000});
  f.clock.now += 999;
  CHECK(authenticate(*f.store, brief).ok());
  f.clock.now += 1;
  CHECK(refusal(*f.store, brief) == brief.substr(0, 8) + ":token lookup is failed: permission denied");

  const std::string revoked = f.token();
  const std::string kept = f.token();
  CHECK(revokeToken(*f.store, revoked).ok());
  refusal(*f.store, revoked);
  CHECK(authenticate(*f.store, kept).ok());
  CHECK(revokeToken(*f.store, revoked).status().code() == Code::kNotFound);
  CHECK(revokeToken(*f.store, "").status().code() == Code::kNotFound);

  const std::string orphan = f.token({.user = "admin"});
  REQUIRE(f.store
              ->transact([](Tx& tx) {
                tx.users().erase("admin");
                return okStatus();
              })
              .ok());
  refusal(*f.store, orphan);
}

TEST_CASE("requests for tokens that are refused") {
  Fixture f;
  CHECK(createToken(*f.store, f.random, {.user = "stranger"}).status().code() == Code::kNotFound);
  CHECK(createToken(*f.store, f.random, {.note = std::string(2000, 'x')}).status().code() == Code::kInvalidArgument);
  CHECK(createToken(*f.store, f.random, {.mail = "\xff"}).status().code() == Code::kInvalidArgument);
  CHECK(createToken(*f.store, f.random, {.life_ms = -1}).status().code() == Code::kInvalidArgument);
  CHECK(createToken(*f.store, f.random, {.life_ms = INT64_MAX}).status().code() == Code::kInvalidArgument);
  f.store->read([](const ReadTx& tx) { CHECK(tx.tokens().size() == 0); });
}
