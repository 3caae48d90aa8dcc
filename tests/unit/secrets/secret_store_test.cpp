// SPDX-License-Identifier: Apache-2.0
#include "secrets/secret_store.h"

#include "support/secret_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

Code refusal(std::string_view path) { return parseSecretPath(path).status().code(); }

std::vector<std::string> names(const SecretRig& rig, const Principal& who, const std::string& mount,
                               const std::string& folder) {
  const auto listed = rig.secrets.list(who, mount, folder);
  return listed.ok() ? *listed : std::vector<std::string>{std::string(codeName(listed.status().code()))};
}

}  // namespace

TEST_CASE("a value is written, read, replaced and removed") {
  SecretRig rig;
  const Principal who = rig.principal();
  CHECK(rig.read(who, "cubbyhole/aws/access_key") == "NOT_FOUND");
  REQUIRE(rig.write(who, "cubbyhole/aws/access_key", R"({"value":"AKIA"})").ok());
  CHECK(rig.read(who, "cubbyhole/aws/access_key") == R"({"value":"AKIA"})");
  REQUIRE(rig.write(who, "cubbyhole/aws/access_key", R"({"munge.key":"x","n":5})").ok());
  CHECK(rig.read(who, "cubbyhole/aws/access_key") == R"({"munge.key":"x","n":5})");
  REQUIRE(rig.secrets.remove(who, parseSecretPath("cubbyhole/aws/access_key").value()).ok());
  REQUIRE(rig.secrets.remove(who, parseSecretPath("cubbyhole/aws/access_key").value()).ok());
  CHECK(rig.read(who, "cubbyhole/aws/access_key") == "NOT_FOUND");
}

TEST_CASE("two tokens never see each other's cubbyhole; secret/ is shared") {
  SecretRig rig;
  const Principal one = rig.principal();
  const Principal two = rig.principal();
  REQUIRE(rig.write(one, "cubbyhole/k", R"({"value":"one"})").ok());
  REQUIRE(rig.write(two, "cubbyhole/k", R"({"value":"two"})").ok());
  REQUIRE(rig.write(one, "cubbyhole/only/one", R"({"value":"1"})").ok());
  CHECK(rig.read(one, "cubbyhole/k") == R"({"value":"one"})");
  CHECK(rig.read(two, "cubbyhole/k") == R"({"value":"two"})");
  CHECK(rig.read(two, "cubbyhole/only/one") == "NOT_FOUND");
  CHECK(names(rig, two, "cubbyhole", "") == std::vector<std::string>{"k"});
  CHECK(names(rig, two, "cubbyhole", "only") == std::vector<std::string>{"NOT_FOUND"});

  REQUIRE(rig.write(one, "secret/site", R"({"value":"all"})").ok());
  CHECK(rig.read(two, "secret/site") == R"({"value":"all"})");
  const Principal reader = rig.principal({.role = ApiRole::kReadOnly});
  CHECK(rig.read(reader, "secret/site") == R"({"value":"all"})");
  CHECK(rig.write(reader, "secret/site", R"({"value":"mine"})").code() == Code::kPermissionDenied);
  CHECK(rig.secrets.remove(reader, parseSecretPath("secret/site").value()).code() == Code::kPermissionDenied);
  CHECK(rig.write(reader, "cubbyhole/own", R"({"value":"mine"})").ok());
}

TEST_CASE("a folder is listed with its own names and folders only") {
  SecretRig rig;
  const Principal who = rig.principal();
  for (const char* path : {"aws/access_key", "aws/secret_key", "aws/deep/a", "aws/deep/b", "awsome", "z"}) {
    REQUIRE(rig.write(who, std::string("cubbyhole/") + path, R"({"value":"x"})").ok());
  }
  CHECK(names(rig, who, "cubbyhole", "") == std::vector<std::string>{"aws/", "awsome", "z"});
  CHECK(names(rig, who, "cubbyhole", "aws") == std::vector<std::string>{"access_key", "deep/", "secret_key"});
  CHECK(names(rig, who, "cubbyhole", "aws/access_key") == std::vector<std::string>{"NOT_FOUND"});
  CHECK(names(rig, who, "secret", "") == std::vector<std::string>{"NOT_FOUND"});
  CHECK(names(rig, who, "kv", "") == std::vector<std::string>{"NOT_FOUND"});
}

TEST_CASE("paths that are no paths are refused") {
  CHECK(parseSecretPath("cubbyhole/a b/ü.key").ok());
  CHECK(parseSecretPath("secret/" + std::string(255, 'a')).ok());
  CHECK(refusal("kv/a") == Code::kNotFound);
  CHECK(refusal("") == Code::kNotFound);
  for (const std::string& path :
       {std::string("cubbyhole"), std::string("cubbyhole/"), std::string("cubbyhole//a"), std::string("cubbyhole/a/"),
        std::string("cubbyhole/../secret/a"), std::string("cubbyhole/a/./b"), std::string("cubbyhole/a\nb"),
        std::string("cubbyhole/a\0b", 13), std::string("cubbyhole/\xff"), "cubbyhole/" + std::string(256, 'a'),
        "cubbyhole/" + std::string(65536, 'a'), std::string("cubbyhole/a\x1f") + "b"}) {
    CHECK_MESSAGE(refusal(path) == Code::kInvalidArgument, path.substr(0, 40));
  }
  std::string deep = "secret/a";
  for (int i = 0; i < 32; ++i) deep += "/a";
  CHECK(refusal(deep) == Code::kInvalidArgument);
}

TEST_CASE("only JSON objects within bounds are stored") {
  SecretRig rig;
  const Principal who = rig.principal();
  for (const char* body : {"", "[]", "\"x\"", "5", "null", "{", "{}", "{\"a\":\"\xff\"}", "{\"a\":1}x"}) {
    CHECK_MESSAGE(rig.write(who, "cubbyhole/a", body).code() == Code::kInvalidArgument, body);
  }
  CHECK(rig.write(who, "cubbyhole/a", "{\"a\":\"" + std::string(256 << 10, 'x') + "\"}").code() == Code::kOutOfRange);
  CHECK(rig.write(who, "cubbyhole/a", "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").code() ==
        Code::kInvalidArgument);
  CHECK(rig.read(who, "cubbyhole/a") == "NOT_FOUND");

  SecretStore small(*rig.store, rig.sealer, {.value_bytes = 100, .token_entries = 2, .shared_entries = 1});
  const auto put = [&](const std::string& path) {
    return small.write(who, parseSecretPath(path).value(), SecretString(std::string(R"({"v":"x"})"))).code();
  };
  CHECK(put("cubbyhole/1") == Code::kOk);
  CHECK(put("cubbyhole/2") == Code::kOk);
  CHECK(put("cubbyhole/3") == Code::kResourceExhausted);
  CHECK(put("cubbyhole/2") == Code::kOk);
  CHECK(put("secret/1") == Code::kOk);
  CHECK(put("secret/2") == Code::kResourceExhausted);
}

TEST_CASE("values lie sealed, and a value moved to another row does not open") {
  SecretRig rig;
  const Principal one = rig.principal();
  const Principal two = rig.principal();
  REQUIRE(rig.write(one, "cubbyhole/a", R"({"value":"hunter2-one"})").ok());
  REQUIRE(rig.write(two, "cubbyhole/a", R"({"value":"hunter2-two"})").ok());
  std::vector<Secret> rows;
  rig.store->read([&](const ReadTx& tx) {
    tx.secrets().scan([&](const Secret& secret) {
      rows.push_back(secret);
      return true;
    });
  });
  REQUIRE(rows.size() == 2);
  for (const Secret& row : rows) {
    CHECK(Sealer::isSealed(row.value));
    CHECK(row.value.find("hunter2") == std::string::npos);
  }
  std::swap(rows[0].value, rows[1].value);
  REQUIRE(rig.store
              ->transact([&](Tx& tx) -> Status {
                VCC_RETURN_IF_ERROR(tx.secrets().put(rows[0]));
                return tx.secrets().put(rows[1]);
              })
              .ok());
  CHECK(rig.read(one, "cubbyhole/a") == "DATA_LOSS");
  CHECK(rig.read(two, "cubbyhole/a") == "DATA_LOSS");
}

TEST_CASE("a revoked or expired token leaves no cubbyhole") {
  SecretRig rig;
  const std::string token = rig.token();
  const Principal who = authenticate(*rig.store, token).value();
  const Principal short_lived = rig.principal({.life_ms = 1000});
  const Principal other = rig.principal();
  for (const Principal& p : {who, short_lived, other}) REQUIRE(rig.write(p, "cubbyhole/a", R"({"v":"x"})").ok());
  REQUIRE(rig.write(who, "secret/a", R"({"v":"x"})").ok());
  CHECK(revokeToken(*rig.store, token).value() == 0);
  CHECK(rig.read(who, "cubbyhole/a") == "NOT_FOUND");
  const auto tokens = [&] {
    std::size_t count = 0;
    REQUIRE(rig.store
                ->transact([&](Tx& tx) {
                  dropExpiredTokens(tx);
                  count = tx.tokens().size();
                  return okStatus();
                })
                .ok());
    return count;
  };
  const std::size_t before = tokens();
  rig.clock.advance(1000);
  CHECK(tokens() == before - 1);
  CHECK(rig.read(short_lived, "cubbyhole/a") == "NOT_FOUND");
  CHECK(rig.read(other, "cubbyhole/a") == R"({"v":"x"})");
  CHECK(rig.read(other, "secret/a") == R"({"v":"x"})");
}
