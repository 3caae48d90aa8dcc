// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_trial.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "plugin_host/refusals.h"

using namespace vcc;

namespace {

struct Trial {
  explicit Trial(const std::string& file, const std::string& settings = "") {
    const CheckReport report{[this](std::string_view step, std::string_view) { steps.emplace_back(step); },
                             [this](std::string_view id, std::string_view why) {
                               refusal = id;
                               reason = why;
                             },
                             [this](std::string_view key, std::string_view value) { facts[std::string(key)] = value; }};
    status = cli::tryPlugin(VCC_BUILD_DIR "/" + file + ".so", settings.empty() ? "" : "x.yml", settings, report);
  }
  Status status;
  std::vector<std::string> steps;
  std::string refusal;
  std::string reason;
  std::map<std::string, std::string> facts;
};

}  // namespace

TEST_CASE("plugin check: a good file passes every step and is described") {
  const Trial trial("plugins/mock");
  CAPTURE(trial.reason);
  CHECK(trial.status.ok());
  CHECK(trial.steps == std::vector<std::string>{"file", "sha256", "library", "entry", "descriptor", "init",
                                                "extensions", "open_driver", "functions", "schema", "close"});
  CHECK(trial.facts.at("id") == "jp.ac.nii.vcp.mock");
  CHECK(trial.facts.at("idempotency") == "token");
  CHECK(trial.facts.at("secret keys") == "access_key");
  CHECK(trial.facts.at("keys").find("tags") != std::string::npos);
  CHECK(trial.refusal.empty());
}

TEST_CASE("plugin check: each defect under the id of the loader, after the steps that passed") {
  const auto refused = [](const char* name, const char* id, const char* last_step) {
    CAPTURE(name);
    const Trial trial("bad_plugins/" + std::string(name));
    CAPTURE(trial.reason);
    CHECK(trial.status.code() == Code::kFailedPrecondition);
    CHECK(trial.refusal == id);
    CHECK_FALSE(trial.reason.empty());
    CHECK_FALSE(remedyFor(trial.refusal).empty());
    CHECK((trial.steps.empty() ? "" : trial.steps.back()) == last_step);
    CHECK(trial.facts.empty());
  };
  refused("nowhere", "PLUGIN_PATH_REFUSED", "");
  refused("undefined_symbol", "PLUGIN_OPEN_FAILED", "sha256");
  refused("no_symbol", "PLUGIN_SYMBOL_MISSING", "library");
  refused("wrong_magic", "PLUGIN_MAGIC_BAD", "library");
  refused("wrong_major", "PLUGIN_ABI_REFUSED", "library");
  refused("bad_descriptor", "PLUGIN_DESCRIPTOR_BAD", "entry");
  refused("init_fails", "PLUGIN_INIT_FAILED", "descriptor");
  refused("open_fails", "PLUGIN_OPEN_DRIVER_FAILED", "extensions");
  refused("half_disk", "PLUGIN_EXTENSION_HALF", "init");
  refused("short_ops", "PLUGIN_TABLE_SHORT", "open_driver");
  refused("bad_schema", "PLUGIN_SCHEMA_BAD", "functions");
  refused("crashes", "PLUGIN_CRASHED", "descriptor");
  refused("exits", "PLUGIN_CRASHED", "sha256");
}

TEST_CASE("plugin check: settings are tried too") {
  const Trial good("bad_plugins/shows_config", "options: {a: b}\n");
  CHECK(good.status.ok());
  CHECK(good.facts.at("keys").find("'options':{'a':'b'}") != std::string::npos);
  CHECK(Trial("plugins/mock", "colour: red\n").refusal == "PROVIDER_CONFIG_BAD");
  CHECK(Trial("plugins/mock", "sha256: " + std::string(64, '0') + "\n").refusal == "PLUGIN_HASH_MISMATCH");
  const Trial aliases("bad_plugins/shows_config", "aliases: {one: {}, two: {}}\n");
  CHECK(aliases.status.ok());
  CHECK(aliases.steps.size() == 16);
}
