// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/scrubber.h"
#include "plugin_host/interposers/interposer.h"

namespace vcc {

/// A spec, a catalog entry or cloud_params for people: values of keys that `info` marks as secret, or that are named
/// like one, are "***"; with `known_only` also those of cloud_params keys that the driver's schema does not have. A
/// text that is not JSON is not shown at all.
std::string redactedJson(const std::string& json, const DriverInfo& info, bool known_only);

/// One DRIVER_CALL line per call. With `details` that line is info instead of debug, and around it stand what was asked
/// (DRIVER_ASKED, before the call, so that the last line before a crash names it) and what was said of each item
/// (DRIVER_ITEM). No line shows a secret of the call. Thread safe.
class LoggingDriver final : public Interposer {
 public:
  LoggingDriver(std::shared_ptr<Driver> lower, std::string instance, const Clock& clock, Logger& log, bool details);

 private:
  DriverAnswer intercept(const DriverRequest& request) override;
  void logAsked(const DriverRequest& request, const Scrubber& scrubber);
  void logItems(const DriverRequest& request, const DriverAnswer& answer, const Scrubber& scrubber);

  const std::string instance_;
  const Clock& clock_;
  Logger& log_;
  const bool details_;
};

}  // namespace vcc
