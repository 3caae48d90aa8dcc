// SPDX-License-Identifier: Apache-2.0
#include "engine/spec_json.h"

#include <doctest/doctest.h>

#include "model/json_tree.h"

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

TEST_CASE("a new machine lets the controller in, on the port of the catalog entry") {
  const MachineAccess access{"vcp", "ssh-ed25519 AAAA== \"vcc\"", 2022};
  const auto request = machineRequest("{}", {"aws", "vcc", "vc", "group", "unit", "nobody"}, access);
  const YamlValue tree = treeFromJson(*request).value();
  const YamlValue* entrance = tree.find("access");
  REQUIRE(entrance != nullptr);
  CHECK(entrance->find("user")->text == "vcp");
  const std::string data = entrance->find("user_data")->text;
  const std::string head = "#cloud-config\n";
  REQUIRE(data.starts_with(head));
  const YamlValue config = treeFromJson(data.substr(head.size())).value();
  const auto& users = config.find("users")->items;
  REQUIRE(users.size() == 2);
  CHECK(users[0].text == "default");
  CHECK(users[1].find("name")->text == "vcp");
  CHECK(users[1].find("ssh_authorized_keys")->items.at(0).text == access.public_key);
  CHECK(config.find("write_files")->items.at(0).find("content")->text == "Port 2022\n");
  CHECK(cloudConfig({"vcp", "", 2022}).empty());
}
