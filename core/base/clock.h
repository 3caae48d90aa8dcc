// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace vcc {

inline constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;

/// The two clocks of the process. Passed in everywhere; tests and simulation bring their own. Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970-01-01 UTC. May jump.
  virtual std::int64_t wallMs() const = 0;
  /// Milliseconds from an arbitrary origin; never goes back. Never stored: it means nothing after a restart.
  virtual std::int64_t monoMs() const = 0;
};

/// The operating system's clocks.
class SystemClock final : public Clock {
 public:
  std::int64_t wallMs() const override;
  std::int64_t monoMs() const override;
};

/// `2026/11/23 02:05:06 UTC`, the date form of the REST protocol (spec/rest-protocol 7.5). Empty for 0.
std::string formatUtc(std::int64_t wall_ms);

}  // namespace vcc
