// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin_host/host_services.h"
#include "plugin_host/plugin_file.h"
#include "plugin_host/provider_config.h"
#include "plugin_host/refusals.h"
#include "plugin_host/registry.h"

namespace vcc {

/// An open driver, and the service whose origins can be changed later; the driver owns it.
struct OpenDriver {
  std::shared_ptr<Driver> driver;
  HttpService* http = nullptr;
};

/// Turns the configuration of an instance into an open driver, in two parts with the same steps for the server and for
/// `vcc plugin check`. One thread at a time. Outlives the drivers.
class InstanceLoader {
 public:
  InstanceLoader(PluginConfig config, FileSystem& files, HttpTransport& http, const HostEnvironment& environment)
      : config_(std::move(config)), files_(files), http_(http), environment_(environment) {}

  const PluginConfig& config() const { return config_; }
  const HostEnvironment& environment() const { return environment_; }

  /// Finds, checks, maps and initialises the plugin file. One file may serve several instances; it is initialised once.
  /// A file that was refused after it was mapped is refused in the same way again, and one that was replaced since then
  /// needs a restart (PLUGIN_NEEDS_RESTART). `slot` gets path and hash as far as they became known.
  Result<std::shared_ptr<PluginFile>> map(const ProviderConfig& provider, Refusals& refusals, DriverSlot* slot);

  /// Opens an instance of it. `origins`: where its HTTP may go for now.
  Result<OpenDriver> open(const ProviderConfig& provider, const std::vector<std::string>& origins,
                          const std::shared_ptr<PluginFile>& plugin, Refusals& refusals);

  /// Puts the interposers around an open driver. `slot` gets its health and metrics.
  std::shared_ptr<Driver> interpose(std::shared_ptr<Driver> driver, const ProviderConfig& provider,
                                    DriverSlot* slot) const;

 private:
  Result<HttpTransport*> transportOf(const ProviderConfig& provider, Refusals& refusals);

  struct Mapped {
    std::string sha256;
    std::shared_ptr<PluginFile> plugin;  ///< null: refused
    std::string refusal_id;
    Status refusal;
  };
  Result<std::shared_ptr<PluginFile>> mapNew(const std::string& path, const std::string& sha256, Refusals& refusals);

  const PluginConfig config_;
  FileSystem& files_;
  HttpTransport& http_;
  const HostEnvironment environment_;
  std::map<std::string, Mapped> mapped_;                    ///< by path
  std::vector<std::unique_ptr<HttpTransport>> transports_;  ///< of single instances
};

}  // namespace vcc
