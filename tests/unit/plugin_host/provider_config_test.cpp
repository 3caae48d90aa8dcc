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
  refused("origins_from: auth_url", "'origins_from'");
  refused("origins_from: ['a b']", "'origins_from'");
  refused("rate: 5", "'rate'");
  refused("rate: {per_second: 0}", "'rate.per_second'");
  refused("rate: {burst: 10001}", "'rate.burst'");
  refused("rate: {concurrency: -1}", "'rate.concurrency'");
  refused("rate: {speed: 1}", "'rate.speed'");
  refused("aliases: [a]", "'aliases'");
  refused("aliases: {}", "'aliases'");
  refused("aliases: {'a b': {}}", "'aliases'");
  refused("aliases: {a: {}, a: {}}", "twice");
  refused("aliases: {a: 5}", "alias a");
  refused("aliases: {a: {colour: red}}", "alias a: key 'colour'");
  refused("aliases: {a: {sha256: x}}", "whole file");
  refused("aliases: {a: {}}\nproviders: [b]", "'providers'");
  refused("aliases: {a: {}}\nname: b", "'name'");
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

TEST_CASE("provider file: rate and origins_from") {
  ProviderConfig config;
  REQUIRE(parseProviderConfig(
              "x.yml", "rate: {per_second: 5, burst: 7, concurrency: 3}\norigins_from: [auth_url, more]\n", &config)
              .ok());
  CHECK(config.rate.per_second == 5);
  CHECK(config.rate.burst == 7);
  CHECK(config.rate.concurrency == 3);
  CHECK(config.origins_from == std::vector<std::string>{"auth_url", "more"});
}

TEST_CASE("provider file: each alias takes what it does not set itself") {
  ProviderConfig config;
  REQUIRE(
      parseProviderConfig("os.yml",
                          "aliases:\n  one:\n  two: {enabled: false, rate: {burst: 9}, origins: ['https://b.test'], "
                          "options: {b: 3, c: 4}}\n"
                          "rate: {per_second: 5}\norigins: ['https://a.test']\noptions: {a: 1, b: 2}\n",
                          &config)
          .ok());
  REQUIRE(config.aliases.size() == 2);
  const ProviderConfig& one = config.aliases[0];
  CHECK(one.name == "one");
  CHECK(one.providers == std::vector<std::string>{"one"});
  CHECK(one.plugin == "os.so");
  CHECK(one.options == R"({"a":"1","b":"2"})");
  CHECK(one.origins == std::vector<std::string>{"https://a.test"});
  CHECK(one.enabled);
  const ProviderConfig& two = config.aliases[1];
  CHECK(two.options == R"({"a":"1","b":"3","c":"4"})");
  CHECK(two.origins == std::vector<std::string>{"https://b.test"});
  CHECK(two.rate.per_second == 5);
  CHECK(two.rate.burst == 9);
  CHECK_FALSE(two.enabled);
}
