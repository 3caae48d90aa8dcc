// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "plugin_host/interposers/interposer.h"

namespace vcc {

/// Upper bounds of the histogram of durations, in milliseconds; one more bucket has what took longer.
constexpr std::array<std::int64_t, 11> kDurationBucketsMs = {1, 5, 10, 50, 100, 500, 1000, 5000, 10000, 30000, 120000};

/// What is known of one kind of call that ended with one code.
struct CallTotals {
  DriverCall call = DriverCall::kValidate;
  Code code = Code::kOk;  ///< of the call, or of its first item that failed
  std::uint64_t calls = 0;
  std::uint64_t items = 0;     ///< machines in those calls
  std::uint64_t total_ms = 0;  ///< of all of them together
  /// Calls by duration, not cumulated: bucket i has those above bound i - 1 up to bound i.
  std::array<std::uint64_t, kDurationBucketsMs.size() + 1> by_duration{};
};

/// Counters of one driver instance. Written without locks, read while they are written: a sum may be short of a call
/// that is just ending. Thread safe.
class DriverMetrics {
 public:
  void began(DriverCall call) { in_flight_[indexOf(call)].fetch_add(1, std::memory_order_relaxed); }
  void ended(DriverCall call, Code code, std::size_t items, std::int64_t took_ms);

  std::int64_t inFlight(DriverCall call) const { return in_flight_[indexOf(call)].load(std::memory_order_relaxed); }
  /// What was called at least once, by call and code.
  std::vector<CallTotals> totals() const;

 private:
  static constexpr std::size_t kCodes = 17;
  static constexpr std::size_t indexOf(DriverCall call) { return static_cast<std::size_t>(call); }
  struct Cell {
    std::atomic<std::uint64_t> items{0};
    std::atomic<std::uint64_t> total_ms{0};
    std::array<std::atomic<std::uint64_t>, kDurationBucketsMs.size() + 1> by_duration{};
  };
  std::array<std::array<Cell, kCodes>, kDriverCalls> cells_{};
  std::array<std::atomic<std::int64_t>, kDriverCalls> in_flight_{};
};

/// Counts every call that passes. Thread safe.
class MetricsDriver final : public Interposer {
 public:
  MetricsDriver(std::shared_ptr<Driver> lower, std::shared_ptr<DriverMetrics> metrics, const Clock& clock)
      : Interposer(std::move(lower)), metrics_(std::move(metrics)), clock_(clock) {}

 private:
  DriverAnswer intercept(const DriverRequest& request) override;

  const std::shared_ptr<DriverMetrics> metrics_;
  const Clock& clock_;
};

}  // namespace vcc
