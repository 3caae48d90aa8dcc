// SPDX-License-Identifier: Apache-2.0
#include "server/settings.h"

#include <doctest/doctest.h>

#include <map>

#include "support/text.h"

using namespace vcc;
using vcc::test::contains;

namespace {

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

Result<Settings> read(const std::string& yaml, std::map<std::string, std::string> values = {}) {
  return readSettings("occtr.yml", yaml, environment(std::move(values)));
}

std::string refusal(const std::string& yaml, std::map<std::string, std::string> values = {}) {
  const auto settings = read(yaml, std::move(values));
  return settings.ok() ? "accepted" : settings.status().message();
}

}  // namespace

TEST_CASE("an empty file is the defaults") {
  const auto settings = read("");
  REQUIRE(settings.ok());
  CHECK(settings->https_port == 443);
  CHECK(settings->adminSocket() == "/opt/occ/var/run/admin/admin.sock");
  CHECK(settings->baseRegistry() == "harbor.vcloud.nii.ac.jp");
  CHECK_FALSE(settings->simulated_hosts);
  CHECK(settings->events_keep == 5000);
}

TEST_CASE("failure notices without a token and early answers are switched in the file or the environment") {
  CHECK(read("")->fail_port == -1);
  CHECK(read("fail_port: 8081")->fail_port == 8081);
  CHECK(contains(refusal("fail_port: -2"), "fail_port: must be a number from -1 to 65535"));
  CHECK(read("")->probe_before_accept);
  CHECK_FALSE(read("", {{"VCC_PROBE_BEFORE_ACCEPT", "false"}})->probe_before_accept);
}

TEST_CASE("how many events are kept is bounded") {
  CHECK(read("events_keep: 100000")->events_keep == 100000);
  CHECK(read("", {{"VCC_EVENTS_KEEP", "100"}})->events_keep == 100);
  CHECK(contains(refusal("events_keep: 99"), "events_keep: must be a number from 100 to 100000"));
}

TEST_CASE("what a client may take has safe defaults, and bounds") {
  const auto defaults = read("");
  CHECK(defaults->http.body_bytes == 10485760);
  CHECK(defaults->http.keep_alive_ms == 60000);
  const auto settings = read("http:\n  head_s: 5\n  url_bytes: 1000\n  connections: 50\n", {{"VCC_HTTP_BODY_S", "7"}});
  REQUIRE(settings.ok());
  CHECK(settings->http.head_ms == 5000);
  CHECK(settings->http.head.url_bytes == 1000);
  CHECK(settings->http.connections == 50);
  CHECK(settings->http.body_ms == 7000);
  CHECK(contains(refusal("http:\n  head_s: 0\n"), "http.head_s: must be a number from 1 to 3600"));
  CHECK(contains(refusal("http:\n  headers: 5\n"), "http.headers: must be a number from 10 to 10000"));
  CHECK(contains(refusal("http:\n  port: 5\n"), "http.port: there is no such key"));
}

TEST_CASE("file, then environment; the names of .env files count too") {
  const std::string yaml =
      "data_dir: /srv/vcc/\nhttps_port: 8443\nplugin_dirs: [/a, /b]\nproviders: mock\nlog_level: debug\n"
      "simulated_hosts: true\nlimits:\n  nodes_total: 5\n  vcs_per_user: 7\nlog_file:\n";
  const auto settings = read(yaml, {{"VCC_HTTPS_PORT", "9443"},
                                    {"VCC_PROVIDERS", "mock,onpremises"},
                                    {"VCC_LIMITS_NODES_TOTAL", "6"},
                                    {"VCC_DATA_DIR", ""},
                                    {"VCP_VCC_PRIVATE_IPMASK", "192.168.10.4/24"},
                                    {"BC_REGISTRY_HOST", "10.1.1.1"}});
  REQUIRE(settings.ok());
  CHECK(settings->data_dir == "/srv/vcc");
  CHECK(settings->https_port == 9443);
  CHECK(settings->plugin_dirs == std::vector<std::string>{"/a", "/b"});
  CHECK(settings->providers == std::vector<std::string>{"mock", "onpremises"});
  CHECK(settings->limits.nodes_total == 6);
  CHECK(settings->limits.vcs_per_user == 7);
  CHECK(settings->log_level == Severity::kDebug);
  CHECK(settings->simulated_hosts);
  CHECK(settings->private_ipmask == "192.168.10.4/24");
  CHECK(settings->baseRegistry() == "10.1.1.1:5000");
}

TEST_CASE(
    "the master key comes from a file outside the data folder, or from the environment, never from the settings") {
  CHECK(read("")->masterKeyFile() == "/opt/occ/var.master.key");
  CHECK(read("data_dir: /srv/vcc/")->masterKeyFile() == "/srv/vcc.master.key");
  CHECK(read("master_key_file: /etc/occtr.key")->masterKeyFile() == "/etc/occtr.key");
  CHECK(read("", {{"VCC_MASTER_KEY", "AAAA"}})->master_key.reveal() == "AAAA");
  CHECK(contains(refusal("master_key: AAAA", {}), "master_key: there is no such key"));
  CHECK(contains(refusal("master_key_file: key", {}), "absolute path"));
}

TEST_CASE("our own variable wins over the one of .env") {
  const auto settings = read("", {{"VCC_PRIVATE_IPMASK", "10.0.0.1"}, {"VCP_VCC_PRIVATE_IPMASK", "10.0.0.2"}});
  CHECK(settings->private_ipmask == "10.0.0.1");
}

TEST_CASE("errors name the file and the key, or the variable") {
  CHECK(contains(refusal("https_prot: 1\n"), "occtr.yml: https_prot: there is no such key"));
  CHECK(contains(refusal("limits:\n  nodes: 1\n"), "occtr.yml: limits.nodes: there is no such key"));
  CHECK(contains(refusal("https_port: 70000\n"), "https_port: must be a number from 0 to 65535"));
  CHECK(contains(refusal("https_port: [1]\n"), "https_port: must be a single value"));
  CHECK(contains(refusal("data_dir: relative\n"), "data_dir: must be an absolute path"));
  CHECK(contains(refusal("simulated_hosts: yes\n"), "simulated_hosts: must be true or false"));
  CHECK(contains(refusal("log_level: loud\n"), "log_level: must be debug"));
  CHECK(contains(refusal("plugin_dirs: {a: b}\n"), "plugin_dirs: must be a list"));
  CHECK(contains(refusal("limits:\n  nodes_total: 0\n"), "limits.nodes_total"));
  CHECK(contains(refusal("limits: 5\n"), "limits: there is no such key"));
  CHECK(contains(refusal("https_port: 1\nhttps_port: 2\n"), "https_port: is there twice"));
  CHECK(contains(refusal("- a\n"), "must be a map"));
  CHECK(contains(refusal("a: [b\n"), "is not YAML"));
  CHECK(contains(refusal("", {{"VCC_HTTPS_PORT", "x"}}), "environment variable VCC_HTTPS_PORT: must be a number"));
}

TEST_CASE("the sweep reports by default; deleting is asked for") {
  const Environment none = [](const std::string&) { return std::optional<std::string>(); };
  const auto defaults = readSettings("f", "", none);
  REQUIRE(defaults.ok());
  CHECK(defaults->sweep.interval_s == 3600);
  CHECK_FALSE(defaults->sweep.may_delete);
  const auto set = readSettings("f", "sweep_interval_s: 0\nsweep_delete: true\nsweep_grace_s: 60\n", none);
  REQUIRE(set.ok());
  CHECK(set->sweep.interval_s == 0);
  CHECK(set->sweep.may_delete);
  CHECK(set->sweep.grace_s == 60);
  for (const char* bad : {"sweep_interval_s: -1", "sweep_delete: maybe", "sweep_grace_s: x"}) {
    CAPTURE(bad);
    CHECK_FALSE(readSettings("f", bad, none).ok());
  }
}
