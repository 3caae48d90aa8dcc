// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/loader.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "base/encoding.h"
#include "plugin_host/abi_driver.h"
#include "plugin_host/descriptor.h"
#include "plugin_host/interposers/checking.h"
#include "plugin_host/interposers/http_recording.h"
#include "plugin_host/interposers/logging.h"
#include "plugin_host/interposers/metrics.h"
#include "plugin_host/interposers/scrubbing.h"
#include "plugin_host/plugin_json.h"
#include "plugin_host/sinks.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxSchemaBytes = 256U << 10U;
constexpr std::size_t kMaxRecordingBytes = 256U << 20U;

Result<SchemaKeys> describe(const vcp_driver_t& driver) {
  TextCollector schema(kMaxSchemaBytes);
  vcp_error_t error = emptyError();
  try {
    const std::int32_t code = driver.ops->describe(driver.instance, schema.sink(), &error);
    if (code != VCP_OK) return fromAbi(code, error, false);
  } catch (...) {
    return internalError("describe threw an exception");
  }
  if (!isUtf8(schema.text())) return invalidArgument("the schema is not UTF-8");
  return schemaKeys(schema.text());
}

}  // namespace

Result<std::shared_ptr<PluginFile>> InstanceLoader::map(const ProviderConfig& provider, Refusals& refusals,
                                                        DriverSlot* slot) {
  VCC_ASSIGN_OR_RETURN(slot->path, findPluginFile(config_.plugin_dirs, provider.plugin, refusals));
  VCC_ASSIGN_OR_RETURN(slot->sha256, PluginFile::digest(slot->path, provider.sha256, files_, refusals));
  const auto known = mapped_.find(slot->path);
  if (known == mapped_.end()) {
    Result<std::shared_ptr<PluginFile>> plugin = mapNew(slot->path, slot->sha256, refusals);
    if (plugin.ok()) {
      mapped_[slot->path] = {slot->sha256, *plugin, {}, {}};
    } else if (PluginFile::isMapped(slot->path)) {
      mapped_[slot->path] = {slot->sha256, nullptr, refusals.id(), refusals.why()};
    }
    return plugin;
  }
  const Mapped& mapped = known->second;
  if (mapped.sha256 != slot->sha256) {
    return refusals.error("PLUGIN_NEEDS_RESTART",
                          failedPrecondition("plugin " + slot->path +
                                             ": the file was replaced after it had been mapped, and mapped code stays; "
                                             "restart the controller, or install the new file under another name"));
  }
  if (mapped.plugin == nullptr) return refusals.error(mapped.refusal_id, mapped.refusal);
  return mapped.plugin;
}

Result<std::shared_ptr<PluginFile>> InstanceLoader::mapNew(const std::string& path, const std::string& sha256,
                                                           Refusals& refusals) {
  VCC_ASSIGN_OR_RETURN(std::shared_ptr<PluginFile> plugin,
                       PluginFile::load(path, sha256, config_.evaluation, environment_, refusals));
  for (const auto& [other_path, other] : mapped_) {
    if (other.plugin == nullptr || other.plugin->info().id != plugin->info().id) continue;
    return refusals.error("PLUGIN_DUPLICATE",
                          alreadyExists("plugin " + path + ": its id " + plugin->info().id + " is that of " +
                                        other_path + "; remove one of the two files"));
  }
  VCC_RETURN_IF_ERROR(plugin->init(refusals));
  return plugin;
}

Result<OpenDriver> InstanceLoader::open(const ProviderConfig& provider, const std::vector<std::string>& origins,
                                        const std::shared_ptr<PluginFile>& plugin, Refusals& refusals) {
  VCC_ASSIGN_OR_RETURN(HttpTransport * transport, transportOf(provider, refusals));
  auto host = std::make_unique<HostServices>(environment_, provider.name);
  auto http =
      std::make_unique<HttpService>(HttpServiceSeams{*transport, environment_.clock, environment_.log, waitUnless},
                                    provider.name, OriginPolicy(origins, config_.evaluation), provider.rate);
  HttpService* const http_of_driver = http.get();
  host->lendHttp(std::move(http));
  const std::string config = openConfigJson(provider.name, config_.evaluation, config_.data_dir, provider.options);
  vcp_driver_t driver{};
  driver.struct_size = sizeof driver;
  vcp_error_t error = emptyError();
  std::int32_t code = VCP_INTERNAL;
  try {
    code = plugin->entry().open_driver(host->table(), toAbi(config), &driver, &error);
  } catch (...) {
    host->misbehaved("its open_driver threw an exception");
  }
  if (code != VCP_OK || driver.instance == nullptr) {
    return refusals.error(
        "PLUGIN_OPEN_DRIVER_FAILED",
        std::move(fromAbi(code == VCP_OK ? VCP_INTERNAL : code, error, false)
                      .prepend("plugin " + plugin->path() + ": open_driver refused the configuration")));
  }
  refusals.passed("open_driver");
  VCC_RETURN_IF_ERROR(checkOps(plugin->path(), driver.ops, plugin->info(), refusals));
  refusals.passed("functions");

  DriverInfo info = plugin->info();
  if (provider.concurrency > 0) info.concurrency = std::min(info.concurrency, provider.concurrency);
  Result<SchemaKeys> keys = describe(driver);
  if (keys.ok()) {
    info.secret_keys = keys->secret;
    info.clear_keys = keys->clear;
    info.disk_keys = keys->disks;
  }
  std::shared_ptr<Driver> adapter =
      std::make_shared<AbiDriver>(plugin, std::move(host), driver, std::move(info), plugin->disks());
  if (!keys.ok()) {
    return refusals.error(
        "PLUGIN_SCHEMA_BAD",
        std::move(keys.status().prepend("plugin " + plugin->path() + ": its describe gave no usable schema.json")));
  }
  refusals.passed("schema");
  return OpenDriver{std::move(adapter), http_of_driver};
}

/// How an instance speaks HTTP: as all do, or with a recording.
Result<HttpTransport*> InstanceLoader::transportOf(const ProviderConfig& provider, Refusals& refusals) {
  if (provider.record_http.empty() && provider.replay_http.empty()) return &http_;
  if (!config_.evaluation) {
    return refusals.error("PROVIDER_CONFIG_BAD",
                          invalidArgument(provider.name + ": keys 'record_http' and 'replay_http' work only in an "
                                                          "evaluation data folder; take them out"));
  }
  const std::string path = config_.data_dir + "/" + provider.record_http + provider.replay_http;
  if (!provider.record_http.empty()) {
    auto out = std::make_unique<std::ofstream>(path, std::ios::app | std::ios::binary);
    if (!*out) return refusals.error("PROVIDER_CONFIG_BAD", invalidArgument("record_http: cannot write " + path));
    return transports_.emplace_back(std::make_unique<HttpRecorder>(http_, std::move(out))).get();
  }
  const Result<std::string> text = files_.read(path, kMaxRecordingBytes);
  Result<std::unique_ptr<HttpReplayer>> replayer = text.ok() ? HttpReplayer::open(*text) : text.status();
  if (!replayer.ok()) {
    return refusals.error("PROVIDER_CONFIG_BAD", std::move(replayer.status().prepend("replay_http: " + path)));
  }
  return transports_.emplace_back(*std::move(replayer)).get();
}

/// The watchdog is next to the plugin, so that nothing else of ours is caught in a call that hangs, and what it makes
/// of such a call is checked, counted and logged like any answer. Secrets are taken out next, before anything of ours
/// sees the words. Metrics count, and the log shows, what core gets.
std::shared_ptr<Driver> InstanceLoader::interpose(std::shared_ptr<Driver> driver, const ProviderConfig& provider,
                                                  DriverSlot* slot) const {
  if (config_.bare) return driver;
  const Clock& clock = environment_.clock;
  Logger& log = environment_.log;
  const auto health = std::make_shared<DriverHealth>();
  const auto metrics = std::make_shared<DriverMetrics>();
  slot->health = health;
  slot->metrics = metrics;
  driver = std::make_shared<WatchdogDriver>(
      driver, provider.name, WatchdogDriver::Seams{clock, log, config_.make_executor}, config_.watchdog, health);
  driver = std::make_shared<ScrubbingDriver>(std::move(driver));
  driver = std::make_shared<CheckingDriver>(std::move(driver), provider.name, log);
  driver = std::make_shared<MetricsDriver>(std::move(driver), metrics, clock);
  return std::make_shared<LoggingDriver>(std::move(driver), provider.name, clock, log, provider.log_calls);
}

}  // namespace vcc
