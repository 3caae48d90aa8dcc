// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/loader.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "plugin_host/abi_driver.h"
#include "plugin_host/descriptor.h"
#include "plugin_host/plugin_json.h"
#include "plugin_host/sinks.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxSchemaBytes = 256U << 10U;

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
  auto host = std::make_unique<HostServices>(environment_, provider.name);
  auto http = std::make_unique<HttpService>(HttpServiceSeams{http_, environment_.clock, environment_.log, waitUnless},
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
  }
  std::shared_ptr<Driver> adapter =
      std::make_shared<AbiDriver>(plugin, std::move(host), driver, std::move(info), provider.log_calls);
  if (!keys.ok()) {
    return refusals.error(
        "PLUGIN_SCHEMA_BAD",
        std::move(keys.status().prepend("plugin " + plugin->path() + ": its describe gave no usable schema.json")));
  }
  refusals.passed("schema");
  return OpenDriver{std::move(adapter), http_of_driver};
}

}  // namespace vcc
