// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include "base/log.h"
#include "base/mutex.h"
#include "plugin_host/interposers/interposer.h"

namespace vcc {

/// Holds any driver to the contract, and core too. The sinks (sinks.h) check what only they can see: memory, sizes,
/// UTF-8, indexes, how often an item was answered. What values can tell is checked here, so it holds for drivers that
/// are not behind the C ABI as well. What breaks the contract becomes an error with unknown outcome for the machine it
/// concerns, and a PLUGIN_MISBEHAVED line. A second call for a machine that is in a call already would be core's own
/// mistake: it is refused, not applied, and logged as such (DRIVER_CALL_OVERLAP). Thread safe.
class CheckingDriver final : public Interposer {
 public:
  CheckingDriver(std::shared_ptr<Driver> lower, std::string instance, Logger& log)
      : Interposer(std::move(lower)), instance_(std::move(instance)), log_(log) {}

 private:
  class Presence;

  DriverAnswer intercept(const DriverRequest& request) override;
  DriverAnswer checked(const DriverRequest& request);
  DriverAnswer checkedList(const DriverRequest& request);
  void check(const DriverRequest& request, const MachineRef& ref, ItemResult& result);
  void check(const MachineRef& ref, Observation& seen);
  Status misbehaved(const std::string& what, const std::string& machine);

  const std::string instance_;
  Logger& log_;
  Mutex mutex_;
  std::unordered_set<std::string> present_ VCC_GUARDED_BY(mutex_);  // names of the machines that are in a call
};

}  // namespace vcc
