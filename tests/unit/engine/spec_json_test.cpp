// SPDX-License-Identifier: Apache-2.0
#include "engine/spec_json.h"

#include <doctest/doctest.h>

using namespace vcc;

namespace {

constexpr char kParams[] =
    R"({"region":"tokyo","secret_key":"plain","access_key":"vault://cubbyhole/a","zone":"vault://secret/z","none":null})";
const std::vector<std::string> kSecretKeys{"access_key", "secret_key", "none", "missing"};

}  // namespace

TEST_CASE("marked keys and every reference are credentials, the rest is clear") {
  const SplitParams split = splitSecrets(kParams, kSecretKeys).value();
  CHECK(split.has_any);
  CHECK(split.clear == R"({"region":"tokyo"})");
  CHECK(split.named.reveal() ==
        R"({"secret_key":"plain","access_key":"vault://cubbyhole/a","zone":"vault://secret/z","none":null})");
  CHECK_FALSE(splitSecrets(R"({"region":"tokyo"})", kSecretKeys)->has_any);
  CHECK(splitSecrets("[]", kSecretKeys).status().code() == Code::kDataLoss);
  CHECK(splitSecrets("{", kSecretKeys).status().code() == Code::kDataLoss);
}

TEST_CASE("a record keeps references and a mask for the rest") {
  CHECK(
      maskSecrets(kParams, kSecretKeys).value() ==
      R"({"region":"tokyo","secret_key":"********","access_key":"vault://cubbyhole/a","zone":"vault://secret/z","none":null})");
}

TEST_CASE("clear parameters and resolved values join again") {
  CHECK(joinSecrets(R"({"region":"tokyo"})", SecretString(std::string(R"({"access_key":"AKIA"})")))->reveal() ==
        R"({"region":"tokyo","access_key":"AKIA"})");
  CHECK(stringMember(kParams, "region") == "tokyo");
  CHECK(stringMember(kParams, "none").empty());
  CHECK(stringMember("[]", "region").empty());
}
