// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

#include "base/encoding.h"
#include "plugin_host/abi_driver.h"
#include "plugin_host/descriptor.h"
#include "plugin_host/interposers/checking.h"
#include "plugin_host/interposers/http_recording.h"
#include "plugin_host/interposers/logging.h"
#include "plugin_host/interposers/metrics.h"
#include "plugin_host/plugin_file.h"
#include "plugin_host/plugin_json.h"
#include "plugin_host/provider_config.h"
#include "plugin_host/registry.h"
#include "plugin_host/sinks.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxConfigBytes = 64U << 10U;
constexpr std::size_t kMaxSchemaBytes = 256U << 10U;
constexpr std::size_t kMaxRecordingBytes = 256U << 20U;

class Registry final : public DriverRegistry {
 public:
  const std::vector<DriverSlot>& slots() const override { return slots_; }

  const DriverSlot* byProvider(std::string_view provider) const override {
    for (const DriverSlot& slot : slots_) {
      if (std::find(slot.providers.begin(), slot.providers.end(), provider) != slot.providers.end()) return &slot;
    }
    return nullptr;
  }
  const DriverSlot* byInstance(std::string_view instance) const override {
    for (const DriverSlot& slot : slots_) {
      if (slot.instance == instance) return &slot;
    }
    return nullptr;
  }
  void add(DriverSlot slot) { slots_.push_back(std::move(slot)); }
  HttpTransport& keep(std::unique_ptr<HttpTransport> transport) {
    return *transports_.emplace_back(std::move(transport));
  }

 private:
  std::vector<std::unique_ptr<HttpTransport>> transports_;  // of single instances; outlive the drivers
  std::vector<DriverSlot> slots_;
};

/// Loads one instance after the other into a registry.
class Loader {
 public:
  Loader(const PluginConfig& config, FileSystem& files, HttpTransport& http, const HostEnvironment& environment)
      : config_(config),
        files_(files),
        http_(http),
        environment_(environment),
        registry_(std::make_unique<Registry>()) {}

  Result<std::unique_ptr<DriverRegistry>> run() {
    VCC_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.list(config_.providers_dir));
    for (const std::string& file : names) {
      if (file.size() <= 4 || file[0] == '.' || file.substr(file.size() - 4) != ".yml") continue;
      VCC_RETURN_IF_ERROR(loadFile(file));
    }
    for (const std::string& wanted : config_.only) {
      if (registry_->byInstance(wanted) == nullptr && registry_->byProvider(wanted) == nullptr) {
        return notFound("driver " + wanted + " was asked for, but no enabled file in " + config_.providers_dir +
                        " defines it");
      }
    }
    return std::unique_ptr<DriverRegistry>(std::move(registry_));
  }

 private:
  /// Fails only when the instance is refused and critical.
  Status loadFile(const std::string& file) {
    ProviderConfig provider;
    provider.name = file.substr(0, file.size() - 4);
    const Result<std::string> text = files_.read(config_.providers_dir + "/" + file, kMaxConfigBytes);
    const Status parsed = text.ok() ? parseProviderConfig(file, *text, &provider) : text.status();
    if (parsed.ok() && (!provider.enabled || !isWanted(provider))) return okStatus();

    Refusals refusals(environment_.log, provider.name);
    DriverSlot slot;
    slot.instance = provider.name;
    slot.providers = provider.providers;
    const Status status =
        parsed.ok() ? loadInstance(provider, refusals, &slot) : refusals.error("PROVIDER_CONFIG_BAD", parsed);
    if (!status.ok()) {
      slot.driver = nullptr;
      slot.refusal_id = refusals.id();
      slot.refusal = status;
      // A refused instance still stands for its provider, so that requests are told why it is not there.
      if (slot.providers.empty()) slot.providers = {slot.instance};
      std::erase_if(slot.providers, [&](const std::string& name) { return registry_->byProvider(name) != nullptr; });
    }
    registry_->add(std::move(slot));
    return provider.critical ? status : okStatus();
  }

  bool isWanted(const ProviderConfig& provider) const {
    const std::vector<std::string>& only = config_.only;
    const auto named = [&](const std::string& name) { return std::find(only.begin(), only.end(), name) != only.end(); };
    return only.empty() || named(provider.name) ||
           std::any_of(provider.providers.begin(), provider.providers.end(), named);
  }

  Status loadInstance(const ProviderConfig& provider, Refusals& refusals, DriverSlot* slot) {
    if (registry_->byInstance(provider.name) != nullptr) {
      return refusals.error("PLUGIN_DUPLICATE",
                            alreadyExists("another file in providers.d has the same name; change key 'name'"));
    }
    VCC_ASSIGN_OR_RETURN(slot->path, findPluginFile(config_.plugin_dirs, provider.plugin, refusals));
    VCC_ASSIGN_OR_RETURN(const std::shared_ptr<PluginFile> plugin, pluginAt(slot->path, provider, refusals));
    if (slot->providers.empty()) slot->providers = {plugin->info().provider};
    for (const std::string& name : slot->providers) {
      const DriverSlot* other = registry_->byProvider(name);
      if (other == nullptr) continue;
      return refusals.error("PLUGIN_DUPLICATE",
                            alreadyExists("cloud_provider " + name + " is served by driver " + other->instance +
                                          " already; set key 'providers' in one of the two files"));
    }
    VCC_ASSIGN_OR_RETURN(std::shared_ptr<Driver> adapter, open(provider, plugin, refusals));
    slot->driver = config_.bare ? std::move(adapter) : interpose(std::move(adapter), provider, slot);
    environment_.log.info("PLUGIN_LOADED", plugin->info().display_name,
                          {{"driver", provider.name},
                           {"id", plugin->info().id},
                           {"version", plugin->info().version},
                           {"abi", plugin->info().abi},
                           {"path", plugin->path()},
                           {"sha256", plugin->sha256()}});
    return okStatus();
  }

  /// One file may serve several instances; it is initialised once.
  Result<std::shared_ptr<PluginFile>> pluginAt(const std::string& path, const ProviderConfig& provider,
                                               Refusals& refusals) {
    const auto known = plugins_.find(path);
    if (known != plugins_.end() && (provider.sha256.empty() || provider.sha256 == known->second->sha256())) {
      return known->second;
    }
    VCC_ASSIGN_OR_RETURN(std::shared_ptr<PluginFile> plugin,
                         PluginFile::load(path, provider.sha256, config_.evaluation, files_, environment_, refusals));
    for (const auto& [other_path, other] : plugins_) {
      if (other->info().id != plugin->info().id) continue;
      return refusals.error("PLUGIN_DUPLICATE",
                            alreadyExists("plugin " + path + ": its id " + other->info().id + " is that of " +
                                          other_path + "; remove one of the two files"));
    }
    VCC_RETURN_IF_ERROR(plugin->init(refusals));
    plugins_[path] = plugin;
    return plugin;
  }

  Result<std::shared_ptr<Driver>> open(const ProviderConfig& provider, const std::shared_ptr<PluginFile>& plugin,
                                       Refusals& refusals) {
    VCC_ASSIGN_OR_RETURN(HttpTransport * http, transportOf(provider, refusals));
    auto host = std::make_unique<HostServices>(environment_, provider.name);
    host->lendHttp(
        std::make_unique<HttpService>(HttpServiceSeams{*http, environment_.clock, environment_.log, waitUnless},
                                      provider.name, OriginPolicy(provider.origins, config_.evaluation)));
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
    VCC_RETURN_IF_ERROR(checkOps(plugin->path(), driver.ops, plugin->info(), refusals));

    DriverInfo info = plugin->info();
    if (provider.concurrency > 0) info.concurrency = std::min(info.concurrency, provider.concurrency);
    Result<SchemaKeys> keys = describe(driver);
    if (keys.ok()) {
      info.secret_keys = keys->secret;
      info.clear_keys = keys->clear;
    }
    std::shared_ptr<Driver> adapter = std::make_shared<AbiDriver>(plugin, std::move(host), driver, std::move(info));
    if (!keys.ok()) {
      return refusals.error(
          "PLUGIN_SCHEMA_BAD",
          std::move(keys.status().prepend("plugin " + plugin->path() + ": its describe gave no usable schema.json")));
    }
    return adapter;
  }

  /// How an instance speaks HTTP: as all do, or with a recording.
  Result<HttpTransport*> transportOf(const ProviderConfig& provider, Refusals& refusals) {
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
      return &registry_->keep(std::make_unique<HttpRecorder>(http_, std::move(out)));
    }
    const Result<std::string> text = files_.read(path, kMaxRecordingBytes);
    Result<std::unique_ptr<HttpReplayer>> replayer = text.ok() ? HttpReplayer::open(*text) : text.status();
    if (!replayer.ok()) {
      return refusals.error("PROVIDER_CONFIG_BAD", std::move(replayer.status().prepend("replay_http: " + path)));
    }
    return &registry_->keep(*std::move(replayer));
  }

  /// The watchdog is next to the plugin, so that nothing else of ours is caught in a call that hangs, and what it makes
  /// of such a call is checked, counted and logged like any answer. Metrics count, and the log shows, what core gets.
  std::shared_ptr<Driver> interpose(std::shared_ptr<Driver> driver, const ProviderConfig& provider,
                                    DriverSlot* slot) const {
    const Clock& clock = environment_.clock;
    Logger& log = environment_.log;
    const auto health = std::make_shared<DriverHealth>();
    const auto metrics = std::make_shared<DriverMetrics>();
    slot->health = health;
    slot->metrics = metrics;
    driver = std::make_shared<WatchdogDriver>(
        driver, provider.name, WatchdogDriver::Seams{clock, log, config_.make_executor}, config_.watchdog, health);
    driver = std::make_shared<CheckingDriver>(std::move(driver), provider.name, log);
    driver = std::make_shared<MetricsDriver>(std::move(driver), metrics, clock);
    return std::make_shared<LoggingDriver>(std::move(driver), provider.name, clock, log, provider.log_calls);
  }

  static Result<SchemaKeys> describe(const vcp_driver_t& driver) {
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

  const PluginConfig& config_;
  FileSystem& files_;
  HttpTransport& http_;
  const HostEnvironment environment_;
  std::unique_ptr<Registry> registry_;
  std::map<std::string, std::shared_ptr<PluginFile>> plugins_;  // by path
};

}  // namespace

Result<std::unique_ptr<DriverRegistry>> loadDrivers(const PluginConfig& config, FileSystem& files, const Clock& clock,
                                                    Random& random, HttpTransport& http, Logger& log) {
  return Loader(config, files, http, HostEnvironment{clock, random, log}).run();
}

}  // namespace vcc
