// SPDX-License-Identifier: Apache-2.0
#include "engine/retry.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace vcc {

namespace {

/// A source may ask for a longer pause, but not for good.
constexpr std::int64_t kLongestRetryAfterMs = 3600000;

struct Rule {
  bool final_for_create;
  bool not_now;
  std::int64_t base_ms;
  std::int64_t cap_ms;
};

// Indexed by ErrorClass. Bases and caps follow the classes of machine-controller-manager: short for conflicts and
// outages, long for capacity, quota and credentials, where only time or people help.
constexpr std::array<Rule, 12> kRules{{
    {false, true, 1000, 60000},     // throttle
    {false, true, 500, 60000},      // outage
    {false, true, 1000, 60000},     // uncertain
    {false, true, 500, 15000},      // conflict
    {false, true, 2000, 60000},     // precondition
    {false, false, 15000, 180000},  // capacity
    {false, false, 60000, 180000},  // quota
    {true, false, 60000, 600000},   // auth
    {true, false, 30000, 600000},   // spec
    {true, false, 5000, 60000},     // missing
    {false, false, 5000, 120000},   // internal
    {false, false, 60000, 600000},  // spoilt
}};
static_assert(kRules.size() == static_cast<std::size_t>(ErrorClass::kSpoilt) + 1);

// How clouds call it, in lower case and without separators: RequestLimitExceeded, Throttling, TooManyRequests ...
constexpr std::array<std::string_view, 6> kThrottleWords{"throttl",   "requestlimit", "toomanyrequests",
                                                         "ratelimit", "rateexceeded", "slowdown"};
// ... VcpuLimitExceeded, QuotaExceeded, limit_count_in_account.
constexpr std::array<std::string_view, 3> kQuotaWords{"quota", "limitexceeded", "limitcount"};

std::string plainCode(const Status& error) {
  std::string plain;
  for (const char c : error.providerCode()) {
    if (c >= 'A' && c <= 'Z') {
      plain += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      plain += c;
    }
  }
  return plain;
}

template <typename Words>
bool speaksOf(const std::string& code, const Words& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return code.find(word) != std::string::npos; });
}

const Rule& ruleOf(const Status& error) { return kRules.at(static_cast<std::size_t>(errorClass(error))); }

}  // namespace

ErrorClass errorClass(const Status& error) {
  switch (error.code()) {
    case Code::kUnavailable: {
      const bool slow = error.retryAfterMs() > 0 || speaksOf(plainCode(error), kThrottleWords);
      return slow ? ErrorClass::kThrottle : ErrorClass::kOutage;
    }
    case Code::kResourceExhausted: {
      const std::string code = plainCode(error);
      if (speaksOf(code, kThrottleWords)) return ErrorClass::kThrottle;
      return speaksOf(code, kQuotaWords) ? ErrorClass::kQuota : ErrorClass::kCapacity;
    }
    case Code::kAborted:
      return ErrorClass::kConflict;
    case Code::kFailedPrecondition:
      return ErrorClass::kPrecondition;
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
      return ErrorClass::kAuth;
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
    case Code::kAlreadyExists:
    case Code::kUnimplemented:
      return ErrorClass::kSpec;
    case Code::kNotFound:
      return ErrorClass::kMissing;
    case Code::kInternal:
      return ErrorClass::kInternal;
    case Code::kDataLoss:
      return ErrorClass::kSpoilt;
    case Code::kOk:
    case Code::kCancelled:
    case Code::kUnknown:
    case Code::kDeadlineExceeded:
      break;
  }
  return ErrorClass::kUncertain;
}

bool isNotNow(const Status& error) { return ruleOf(error).not_now; }

Retry retryAfter(const Status& error, CallKind kind, std::int64_t failures, Random& random) {
  const Rule& rule = ruleOf(error);
  if (kind == CallKind::kCreate && rule.final_for_create && error.outcome() == Outcome::kNotApplied)
    return {.final = true};
  const std::int64_t doublings = std::clamp<std::int64_t>(failures - 1, 0, 20);
  std::int64_t after = std::min(rule.cap_ms, rule.base_ms << doublings);
  std::uint8_t byte = 0;
  random.fill(std::span(&byte, 1));
  after += after * byte / 1024;
  return {.final = false, .after_ms = std::max(after, std::min(error.retryAfterMs(), kLongestRetryAfterMs))};
}

}  // namespace vcc
