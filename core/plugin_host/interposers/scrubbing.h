// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "base/scrubber.h"
#include "plugin_host/interposers/interposer.h"

namespace vcc {

/// The secrets of a call: its credentials; of validate, which has none, those among cloud_params.
Scrubber secretsOf(const DriverRequest& request, const DriverInfo& info);

/// Takes the call's secrets out of what drivers and clouds say in words: errors, what is waited for, details of a
/// failure. What goes up is stored and shown to users. Ids, names and states are data and stay as they are. Thread
/// safe.
class ScrubbingDriver final : public Interposer {
 public:
  explicit ScrubbingDriver(std::shared_ptr<Driver> lower) : Interposer(std::move(lower)) {}

 private:
  DriverAnswer intercept(const DriverRequest& request) override;
};

}  // namespace vcc
