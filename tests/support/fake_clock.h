// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "base/clock.h"

namespace vcc::test {

/// A clock that stands still until told otherwise. Thread safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t wall_ms = 1'700'000'000'000) : wall_(wall_ms) {}
  std::int64_t wallMs() const override { return wall_; }
  std::int64_t monoMs() const override { return mono_; }
  void advance(std::int64_t ms) {
    wall_ += ms;
    mono_ += ms;
  }
  /// A jump of the wall clock alone.
  void jump(std::int64_t ms) { wall_ += ms; }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> mono_{1000};
};

}  // namespace vcc::test
