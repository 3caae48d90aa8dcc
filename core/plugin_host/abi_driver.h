// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "plugin_host/driver.h"
#include "plugin_host/host_services.h"
#include "vcp/plugin/abi.h"
#include "vcp/plugin/ext/disk.h"

namespace vcc {

/// At most `limit` calls at once; the host's half of vcp_plugin_info_t.concurrency.
class CallGate {
 public:
  explicit CallGate(std::uint32_t limit) : free_(limit) {}
  /// Waits in slices; `stop` is asked at each. False when it said to stop.
  bool enter(const std::function<bool()>& stop);
  void leave();

 private:
  Mutex mutex_;
  CondVar freed_;
  std::uint32_t free_ VCC_GUARDED_BY(mutex_);
};

/// A driver behind the C ABI. The only caller of a plugin's functions: turns values into borrowed memory, answers into
/// checked values, and an exception that crosses in spite of the contract into an unknown outcome. No call may be in
/// progress when it is destroyed, since that closes the instance.
class AbiDriver final : public Driver {
 public:
  /// Takes over the open instance. Its table and `disks` are complete (loader); `disks` is null when it offers none.
  /// `plugin` keeps the library's initialisation alive.
  AbiDriver(std::shared_ptr<void> plugin, std::unique_ptr<HostServices> host, const vcp_driver_t& driver,
            DriverInfo info, const vcp_disk_ops_t* disks);
  ~AbiDriver() override;

  const DriverInfo& info() const override { return info_; }
  Status validate(const std::string& cloud_params, const std::string& catalog_entry) override;
  Status validateDisks(const std::string& cloud_params, const std::string& catalog_entry) override;
  Status probe(const CallContext& call) override;
  std::vector<ItemResult> create(const CallContext& call, const std::string& spec,
                                 const std::vector<MachineRef>& items) override;
  std::vector<ItemResult> destroy(const CallContext& call, const std::vector<MachineRef>& items) override;
  std::vector<ItemResult> power(const CallContext& call, bool on, const std::vector<MachineRef>& items) override;
  std::vector<ItemResult> attach(const CallContext& call, bool on, const std::vector<MachineRef>& disks) override;
  std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) override;
  Status list(const CallContext& call, const std::function<void(const Observation&)>& visit, bool* complete) override;

 private:
  Status noDisks() const;
  template <class Function>
  Status guarded(bool mutation, Function&& function) const;
  template <class Function>
  Status blocking(const char* name, const CallContext& call, bool mutation, Function&& function);
  template <class Function>
  std::vector<ItemResult> mutate(const char* name, const CallContext& call, const std::vector<MachineRef>& items,
                                 Function&& function);

  const std::shared_ptr<void> plugin_;
  const std::unique_ptr<HostServices> host_;
  vcp_driver_instance_t* const instance_;
  const vcp_driver_ops_t& ops_;
  const vcp_disk_ops_t* const disks_;
  const DriverInfo info_;
  CallGate gate_;
};

}  // namespace vcc
