// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "plugin_host/interposers/interposer.h"

namespace vcc {

using ExecutorFactory = std::function<std::unique_ptr<Executor>(const std::string& name, std::size_t threads)>;

/// How long a driver that should have returned is waited for.
struct WatchdogLimits {
  std::int64_t grace_ms = 5000;     ///< after the deadline of the call
  std::int64_t cancel_ms = 2000;    ///< after it was cancelled: what a stop of the server waits for at most
  std::int64_t validate_ms = 5000;  ///< validate, which is not to block at all
};

/// Lets no caller hang on a driver. Each call is made on a thread of the watchdog's own; one that does not return in
/// time cannot be killed, so its thread is left behind with everything it needs, its items get an unknown outcome, and
/// the instance is degraded (DriverHealth). What such a call says when it returns after all is dropped: the next look
/// finds what it did. Until then no other call is made for its machines (item-serial), and with as many stuck calls as
/// the driver takes at once, further ones are refused, not applied.
///
/// The destructor waits for nobody: when a call is still under way, the driver below is never closed and its memory
/// never freed (DRIVER_LEFT_BEHIND). What the driver uses (host services, logger, clock) must then stay alive until the
/// process ends. Thread safe.
class WatchdogDriver final : public Interposer {
 public:
  struct Seams {
    const Clock& clock;
    Logger& log;
    ExecutorFactory make_executor;
  };
  WatchdogDriver(const std::shared_ptr<Driver>& lower, const std::string& instance, const Seams& seams,
                 const WatchdogLimits& limits, std::shared_ptr<DriverHealth> health);
  ~WatchdogDriver() override;

 private:
  struct Call;
  struct Shared;

  DriverAnswer intercept(const DriverRequest& request) override;
  DriverAnswer watched(const DriverRequest& request);
  DriverAnswer await(const std::shared_ptr<Call>& call, const DriverRequest& request);
  std::vector<Status> heldItems(const DriverRequest& request) const;

  const WatchdogLimits limits_;
  const std::unique_ptr<Executor> calls_;
  const std::unique_ptr<Executor> validations_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace vcc
