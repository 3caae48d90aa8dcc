// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "plugin_host/driver.h"
#include "plugin_host/host_services.h"
#include "plugin_host/refusals.h"
#include "vcp/plugin/abi.h"
#include "vcp/plugin/ext/disk.h"

namespace vcc {

/// The path of plugin file `name` in the first of `dirs` that has it. Refuses names that are paths, and files or
/// folders that others than root and this process's user could change (PLUGIN_PATH_REFUSED, PLUGIN_MODE_REFUSED).
Result<std::string> findPluginFile(const std::vector<std::string>& dirs, const std::string& name, Refusals& refusals);

/// A plugin file, mapped and checked. Shared by the instances that it serves; deinit runs when the last
/// one is gone. Never unmapped.
class PluginFile {
 public:
  /// The SHA-256 of the file, hex. `expected`: what it must be, or empty.
  static Result<std::string> digest(const std::string& path, const std::string& expected, FileSystem& files,
                                    Refusals& refusals);
  /// Steps: dlopen, symbol, magic, version, size, descriptor, evaluation rule. Every refusal has an id.
  /// `sha256`: the digest.
  static Result<std::shared_ptr<PluginFile>> load(const std::string& path, const std::string& sha256, bool evaluation,
                                                  const HostEnvironment& environment, Refusals& refusals);
  /// Is a library mapped that was opened by this path? Then opening it again gives that one, whatever the file is now.
  static bool isMapped(const std::string& path);
  /// Runs the plugin's own init, once, before any open_driver, and reads what extensions it offers (PLUGIN_INIT_FAILED,
  /// PLUGIN_EXTENSION_HALF).
  Status init(Refusals& refusals);
  ~PluginFile();
  PluginFile(const PluginFile&) = delete;
  PluginFile& operator=(const PluginFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& sha256() const { return sha256_; }
  const vcp_plugin_entry_t& entry() const { return *entry_; }
  /// From the descriptor; without the keys of the schema. Its extensions are there after init.
  const DriverInfo& info() const { return info_; }
  /// Null: the plugin offers no disks. There after init.
  const vcp_disk_ops_t* disks() const { return disks_; }

 private:
  PluginFile(std::string path, std::string sha256, const vcp_plugin_entry_t* entry, DriverInfo info,
             const HostEnvironment& environment);

  const std::string path_;
  const std::string sha256_;
  const vcp_plugin_entry_t* const entry_;
  DriverInfo info_;
  const vcp_disk_ops_t* disks_ = nullptr;
  const HostServices host_;
  bool initialised_ = false;
};

}  // namespace vcc
