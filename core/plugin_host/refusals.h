// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/status.h"

namespace vcc {

/// What to do about a refusal, by its id.
struct Remedy {
  std::string_view id;
  std::string_view text;
};
std::span<const Remedy> remedies();
/// Empty for other ids.
std::string_view remedyFor(std::string_view id);

/// Writes down why a driver instance is refused: one log line with an id of its own, which is kept for the registry.
class Refusals {
 public:
  /// Told of each check that passes, with what it found.
  using Passed = std::function<void(std::string_view step, std::string_view detail)>;

  Refusals(Logger& log, std::string instance, Passed passed = {})
      : log_(log), instance_(std::move(instance)), passed_(std::move(passed)) {}

  /// Logs `why` under `id` and returns it with the instance before it. `id` is a literal (docs/log-messages.md).
  Status error(std::string_view id, Status why) {
    id_ = id;
    why_ = why;
    log_.write(Severity::kError, id, why.message(), {{"driver", instance_}});
    return std::move(why.prepend("driver " + instance_));
  }
  void passed(std::string_view step, std::string_view detail = "") const {
    if (passed_) passed_(step, detail);
  }
  /// Id of the last refusal; empty when there was none.
  const std::string& id() const { return id_; }
  /// The last refusal, without the instance.
  const Status& why() const { return why_; }

 private:
  Logger& log_;
  std::string instance_;
  Passed passed_;
  std::string id_;
  Status why_;
};

}  // namespace vcc
