// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "plugin_host/driver.h"
#include "plugin_host/http_transport.h"
#include "plugin_host/interposers/watchdog.h"

namespace vcc {

/// Where plugin files may come from, and how they are configured.
struct PluginConfig {
  std::string providers_dir;             ///< config/providers.d: one *.yml per driver instance
  std::vector<std::string> plugin_dirs;  ///< the only folders that `path` may point into
  std::vector<std::string> only;         ///< driver names to load (`--providers`); empty = all enabled
  std::string data_dir;                  ///< given to drivers that keep files (mock)
  bool evaluation = false;               ///< drivers with simulated hosts are refused when false
  bool bare = false;                     ///< no interposers around the drivers: for measurements
  WatchdogLimits watchdog;
  ExecutorFactory make_executor = makeThreadPool;  ///< for the threads that drivers are called on
};

/// The drivers of this process with the means to add some. Thread safe.
class PluginRegistry : public DriverRegistry {
 public:
  /// Reads providers.d/<name>.yml and loads its instances now, through the same steps as at start. Returns what became
  /// of each: loaded, or refused with id and reason; the loaded ones are in the registry when this returns. What is
  /// loaded is never replaced, and gets no second instance while it serves one: that needs a restart
  /// (PLUGIN_NEEDS_RESTART). Blocks for file access and the plugin's own init; other loads wait. kInvalidArgument for a
  /// name that is none, kNotFound without such a file.
  virtual Result<std::vector<DriverSlot>> load(const std::string& name) = 0;

  /// Derives the origins of `origins_from` anew: after the start and after each reload of the catalog. Until then the
  /// catalog counts as empty.
  virtual void useCatalog(std::shared_ptr<const Catalog> catalog) = 0;
};

/// Loads what providers.d names, each file through the same steps: path policy, owner and mode, optional SHA-256,
/// dlopen(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), symbol, magic, version, tables, descriptor, duplicate id, init,
/// open. A refused driver stays in the registry with its reason and never stops the rest; only one marked `critical`
/// makes this fail. A file with `aliases` makes one instance of each, except of those that another file serves.
/// `http` is what drivers are lent, within the origins of their file. The seams outlive the drivers.
Result<std::unique_ptr<PluginRegistry>> loadDrivers(const PluginConfig& config, FileSystem& files, const Clock& clock,
                                                    Random& random, HttpTransport& http, Logger& log);

}  // namespace vcc
