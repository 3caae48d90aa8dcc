// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/plugin_check.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "plugin_host/loader.h"

namespace vcc {
namespace {

class NoNetwork final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& /*request*/) override {
    return Status(Code::kUnavailable, "there is no network in a check", Outcome::kNotApplied);
  }
};

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out.empty() ? "none" : out;
}

std::string capabilities(const DriverInfo& info) {
  std::vector<std::string> out;
  if (info.can_power) out.push_back("power");
  if (info.can_list) out.push_back("list");
  if (info.needs_address) out.push_back("needs_address");
  out.insert(out.end(), info.extensions.begin(), info.extensions.end());
  return joined(out);
}

void describe(const DriverInfo& info, const CheckReport& report) {
  report.fact("id", info.id);
  report.fact("provider", info.provider);
  report.fact("name", info.display_name);
  report.fact("version", info.version);
  report.fact("abi", info.abi);
  report.fact("capabilities", capabilities(info));
  report.fact("idempotency", idempotencyName(info.idempotency));
  report.fact("existence", info.existence == Existence::kAsserted ? "asserted" : "observed");
  report.fact("concurrency", std::to_string(info.concurrency));
  report.fact("max_batch", std::to_string(info.max_batch));
  report.fact("max_observe", std::to_string(info.max_observe));
  report.fact("token_ttl_ms", std::to_string(info.token_ttl_ms));
  report.fact("lookup_lag_ms", std::to_string(info.lookup_lag_ms));
  report.fact("settle_ms", std::to_string(info.settle_ms));
  if (info.simulated_hosts) report.fact("machines", "simulated: for evaluation data folders only");
  report.fact("keys", joined(info.clear_keys));
  report.fact("secret keys", joined(info.secret_keys));
}

}  // namespace

Status checkPlugin(const std::string& path, const std::string& settings_file, const std::string& settings,
                   const std::string& work_dir, const CheckReport& report) {
  const std::filesystem::path file = std::filesystem::absolute(path).lexically_normal();
  ProviderConfig config;
  config.name = file.stem().string();
  const SystemClock clock;
  SystemRandom random;
  PosixFileSystem files;
  NoNetwork http;
  NullLogger log;  // the report says it
  Refusals refusals(log, config.name, report.passed);
  const auto refuse = [&](Status why) {
    report.refused(refusals.id(), refusals.why().message());
    return why;
  };

  if (!settings_file.empty()) {
    const Status parsed = parseProviderConfig(settings_file, settings, &config);
    if (!parsed.ok()) return refuse(refusals.error("PROVIDER_CONFIG_BAD", parsed));
    refusals.passed("settings", settings_file);
  }
  config.plugin = file.filename().string();
  for (ProviderConfig& alias : config.aliases) alias.plugin = config.plugin;

  InstanceLoader loader({{}, {file.parent_path().string()}, {}, work_dir, true}, files, http, {clock, random, log});
  DriverSlot slot;
  Result<std::shared_ptr<PluginFile>> plugin = loader.map(config, refusals, &slot);
  if (!plugin.ok()) return refuse(plugin.status());
  const std::vector<ProviderConfig> instances =
      config.aliases.empty() ? std::vector<ProviderConfig>{config} : config.aliases;
  for (const ProviderConfig& instance : instances) {
    Result<OpenDriver> opened = loader.open(instance, instance.origins, *plugin, refusals);
    if (!opened.ok()) return refuse(opened.status());
    const DriverInfo info = opened->driver->info();
    opened->driver.reset();
    refusals.passed("close", instances.size() > 1 ? instance.name : "");
    if (&instance == &instances.back()) describe(info, report);
  }
  return okStatus();
}

}  // namespace vcc
