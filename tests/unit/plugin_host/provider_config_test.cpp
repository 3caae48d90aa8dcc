// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/provider_config.h"

#include <doctest/doctest.h>

#include <string>

#include "plugin_host/plugin_json.h"

using namespace vcc;

TEST_CASE("provider file: defaults come from the file name") {
  ProviderConfig config;
  REQUIRE(parseProviderConfig("mock.yml", "enabled: true\n", &config).ok());
  CHECK(config.name == "mock");
  CHECK(config.plugin == "mock.so");
  CHECK(config.providers.empty());
  CHECK_FALSE(config.critical);
  CHECK(config.options == "{}");
}

TEST_CASE("provider file: every key") {
  ProviderConfig config;
  const std::string hash(64, 'a');
  REQUIRE(
      parseProviderConfig("x.yml",
                          "name: site-b\nplugin: openstack.so\nproviders: [mdx2, abc]\nenabled: false\ncritical: true\n"
                          "concurrency: 8\nsha256: " +
                              hash +
                              "\nlog_calls: true\norigins: ['https://*.a.test:*', 'https://b.test']\noptions: {region: "
                              "RegionOne, deep: {a: [1, 'x\"y', null]}}\n",
                          &config)
          .ok());
  CHECK(config.name == "site-b");
  CHECK(config.plugin == "openstack.so");
  CHECK(config.providers == std::vector<std::string>{"mdx2", "abc"});
  CHECK_FALSE(config.enabled);
  CHECK(config.critical);
  CHECK(config.concurrency == 8);
  CHECK(config.sha256 == hash);
  CHECK(config.log_calls);
  CHECK(config.origins == std::vector<std::string>{"https://*.a.test:*", "https://b.test"});
  CHECK(config.options == R"({"deep":{"a":["1","x\"y",null]},"region":"RegionOne"})");
}

TEST_CASE("provider file: what is wrong is named by file and key, and critical counts all the same") {
  const auto refused = [](const std::string& yaml, const std::string& key) {
    ProviderConfig config;
    const Status status = parseProviderConfig("x.yml", yaml + "\ncritical: true\n", &config);
    CAPTURE(yaml);
    CAPTURE(status.message());
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(status.message().find("x.yml") == 0);
    CHECK(status.message().find(key) != std::string::npos);
    CHECK(config.critical);
  };
  refused("colour: red", "'colour'");
  refused("enabled: yes", "'enabled'");
  refused("concurrency: 0", "'concurrency'");
  for (const char* file : {"../x.jsonl", "/x.jsonl", ".x.jsonl", "x.db"}) {
    refused("record_http: " + std::string(file), "'record_http'");
  }
  refused("record_http: a.jsonl\nreplay_http: a.jsonl", "'replay_http'");
  refused("concurrency: many", "'concurrency'");
  refused("sha256: abc", "'sha256'");
  refused("providers: mock", "'providers'");
  refused("providers: []", "'providers'");
  refused("providers: ['a b']", "'providers'");
  refused("name: a/b", "'name'");
  refused("plugin: [a]", "'plugin'");
  refused("origins: https://a.test", "'origins'");
  refused("origins: [https://a.test/path]", "https://a.test/path");
  refused("options: 5", "'options'");
  refused("options: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}", "'options'");

  ProviderConfig config;
  CHECK(parseProviderConfig("x.yml", "a: [", &config).code() == Code::kInvalidArgument);
  CHECK(parseProviderConfig("x.yml", "- a", &config).code() == Code::kInvalidArgument);
  CHECK(parseProviderConfig("x.yml", "critical: perhaps", &config).code() == Code::kInvalidArgument);
}

TEST_CASE("schema: secrets and clear keys") {
  const auto keys = schemaKeys(R"({"properties":{"a":{"x-vcp-secret":true},"b":{"x-vcp-secret":false},"c":{}}})");
  REQUIRE(keys.ok());
  CHECK(keys->secret == std::vector<std::string>{"a"});
  CHECK(keys->clear == std::vector<std::string>{"b", "c"});
  for (const char* bad : {"", "{}", "[]", "{", R"({"properties":[]})", R"({"properties":{"a":5}})"}) {
    CAPTURE(bad);
    CHECK_FALSE(schemaKeys(bad).ok());
  }
}
