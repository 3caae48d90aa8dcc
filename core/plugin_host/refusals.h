// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "base/status.h"

namespace vcc {

/// Writes down why a driver instance is refused: one log line with an id of its own, which is kept for the registry.
class Refusals {
 public:
  Refusals(Logger& log, std::string instance) : log_(log), instance_(std::move(instance)) {}

  /// Logs `why` under `id` and returns it with the instance before it. `id` is a literal (docs/log-messages.md).
  Status error(std::string_view id, Status why) {
    id_ = id;
    log_.write(Severity::kError, id, why.message(), {{"driver", instance_}});
    return std::move(why.prepend("driver " + instance_));
  }
  /// Id of the last refusal; empty when there was none.
  const std::string& id() const { return id_; }

 private:
  Logger& log_;
  std::string instance_;
  std::string id_;
};

}  // namespace vcc
