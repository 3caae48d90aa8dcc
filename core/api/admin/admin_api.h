// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/router.h"
#include "base/log.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "plugin_host/driver.h"
#include "store/store.h"

/// The administrator's API, only on the unix socket, without tokens (architecture 20). `vcc` speaks it.
namespace vcc {

inline constexpr char kAdminPrefix[] = "/admin/v1";

/// What does not change while the process lives.
struct ProcessFacts {
  std::int64_t pid = 0;
  std::int64_t started_ms = 0;  ///< wall clock
  std::string vcc_id;
  std::string data_dir;
  bool evaluation = false;
  bool simulated_hosts = false;
  std::vector<std::string> listeners;  ///< "https://127.0.0.1:8443", "unix:/..."
};

/// All references outlive the routes.
struct AdminSeams {
  Store& store;
  Random& random;
  Logger& log;
  const DriverRegistry& drivers;
  std::function<std::shared_ptr<const Catalog>()> catalog;
  std::function<EngineStatus()> engine;
  std::function<ProcessFacts()> facts;
  /// PluginRegistry::load, after which nodes that waited for the driver go on.
  std::function<Result<std::vector<DriverSlot>>(const std::string& name)> load_plugin;
};

/// GET /status; GET and POST /users; GET and POST /tokens; POST /tokens/revoke; GET /plugins; POST /plugins/load.
std::vector<Route> adminRoutes(const AdminSeams& seams);

/// The answer of GET /status.
std::string statusJson(const AdminSeams& seams);

/// GET /plugins: every driver instance with what it declares, or why it was refused and what to do.
Result<HttpAnswer> listPlugins(const AdminSeams& seams, const ApiRequest& request);

/// POST /plugins/load {"name": file of providers.d without .yml}: what became of its instances, as in GET /plugins. A
/// refused instance is an answer too.
Result<HttpAnswer> loadPlugin(const AdminSeams& seams, const ApiRequest& request);

}  // namespace vcc
