// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <climits>
#include <cstdint>

#include "base/clock.h"

namespace vcc {

/// A point in monotonic time that a whole call must not pass. Borrows the clock.
class Deadline {
 public:
  Deadline(const Clock& clock, std::int64_t duration_ms)
      : clock_(clock), end_ms_(clock.monoMs() + std::clamp<std::int64_t>(duration_ms, 0, INT_MAX)) {}

  /// What is left, in the form that poll(2) takes: 0 once it has passed.
  int remainingMs() const { return static_cast<int>(std::clamp<std::int64_t>(end_ms_ - clock_.monoMs(), 0, INT_MAX)); }
  bool passed() const { return remainingMs() == 0; }

 private:
  const Clock& clock_;
  std::int64_t end_ms_;
};

}  // namespace vcc
