// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/router.h"
#include "api/vcp/failure_notices.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "engine/commands.h"
#include "plugin_host/driver.h"
#include "store/store.h"

/// The REST API of the SDK (spec/rest-protocol sections 5 and 6).
namespace vcc {

inline constexpr char kVcpPrefix[] = "/vcp/v1/occtr";

/// What the handlers use. All references outlive the routes.
struct VcpSeams {
  Store& store;
  Commands& commands;
  const DriverRegistry& drivers;
  std::function<std::shared_ptr<const Catalog>()> catalog;
  Logger& log;
  const Sealer& sealer;
  std::string vcc_id;
  std::string public_key;  ///< one line
  FailureNotices notices;
};

/// The routing table, in order.
std::vector<Route> vcpRoutes(const VcpSeams& seams);

/// The routes that look, and those that change.
std::vector<Route> vcpReadRoutes(const VcpSeams& seams);
std::vector<Route> vcpWriteRoutes(const VcpSeams& seams);
std::vector<Route> vcpVerbRoutes(const VcpSeams& seams);

/// What every change is answered: 202, with an object although clients ignore it (spec/rest-protocol 3).
Result<HttpAnswer> accepted(const Status& status);

}  // namespace vcc
