// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
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

/// Loads what providers.d names, each file through the same steps: path policy, owner and mode, optional SHA-256,
/// dlopen(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), symbol, magic, version, tables, descriptor, duplicate id, init,
/// open. A refused driver stays in the registry with its reason and never stops the rest; only one marked `critical`
/// makes this fail. `http` is what drivers are lent, within `origins` of their file. The seams outlive the drivers.
Result<std::unique_ptr<DriverRegistry>> loadDrivers(const PluginConfig& config, FileSystem& files, const Clock& clock,
                                                    Random& random, HttpTransport& http, Logger& log);

}  // namespace vcc
