// SPDX-License-Identifier: Apache-2.0
#include "engine/retry.h"

#include <algorithm>
#include <array>
#include <span>

namespace vcc {

namespace {

struct Rule {
  bool final_for_create;
  std::int64_t base_ms;
  std::int64_t cap_ms;
};

// Indexed by Code. Bases and caps follow the classes of machine-controller-manager: short for conflicts and outages,
// long for capacity, quota and credentials, where only time or people help.
constexpr std::array<Rule, 17> kRules{{
    {false, 0, 0},           // OK
    {false, 1000, 30000},    // CANCELLED
    {false, 1000, 60000},    // UNKNOWN
    {true, 30000, 600000},   // INVALID_ARGUMENT
    {false, 1000, 60000},    // DEADLINE_EXCEEDED
    {true, 5000, 60000},     // NOT_FOUND
    {true, 30000, 600000},   // ALREADY_EXISTS
    {true, 60000, 600000},   // PERMISSION_DENIED
    {false, 15000, 180000},  // RESOURCE_EXHAUSTED
    {false, 2000, 60000},    // FAILED_PRECONDITION
    {false, 500, 15000},     // ABORTED
    {true, 30000, 600000},   // OUT_OF_RANGE
    {true, 60000, 600000},   // UNIMPLEMENTED
    {false, 5000, 120000},   // INTERNAL
    {false, 500, 60000},     // UNAVAILABLE
    {false, 60000, 600000},  // DATA_LOSS
    {true, 60000, 600000},   // UNAUTHENTICATED
}};

}  // namespace

Retry retryAfter(const Status& error, CallKind kind, std::int64_t failures, Random& random) {
  const auto index = static_cast<std::size_t>(error.code());
  const Rule& rule = kRules[index < kRules.size() ? index : static_cast<std::size_t>(Code::kUnknown)];
  if (kind == CallKind::kCreate && rule.final_for_create && error.outcome() == Outcome::kNotApplied)
    return {.final = true};
  const std::int64_t doublings = std::clamp<std::int64_t>(failures - 1, 0, 20);
  std::int64_t after = std::min(rule.cap_ms, rule.base_ms << doublings);
  std::uint8_t byte = 0;
  random.fill(std::span(&byte, 1));
  after += after * byte / 1024;
  return {.final = false, .after_ms = std::max(after, error.retryAfterMs())};
}

}  // namespace vcc
