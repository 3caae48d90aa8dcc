// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "plugin_host/driver.h"
#include "plugin_host/refusals.h"
#include "vcp/plugin/abi.h"
#include "vcp/plugin/ext/disk.h"

namespace vcc {

/// The descriptor of a plugin, checked and copied (PLUGIN_TABLE_SHORT, PLUGIN_DESCRIPTOR_BAD).
Result<DriverInfo> readDescriptor(const std::string& path, const vcp_plugin_entry_t& entry, Refusals& refusals);

/// Checks the table of an open driver: long enough, nothing required missing, no capability by half
/// (PLUGIN_TABLE_SHORT, PLUGIN_REQUIRED_MISSING).
Status checkOps(const std::string& path, const vcp_driver_ops_t* ops, const DriverInfo& info, Refusals& refusals);

/// The driver extensions that an initialised plugin offers, of those that this host knows.
struct DriverExtensions {
  std::vector<std::string> ids;
  const vcp_disk_ops_t* disks = nullptr;  ///< of the plugin, complete; null = not offered
};
/// Each is offered whole or not at all (PLUGIN_EXTENSION_HALF).
Result<DriverExtensions> readExtensions(const std::string& path, const vcp_plugin_entry_t& entry, Refusals& refusals);

}  // namespace vcc
