// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/status.h"

/// What to do about an error, by its class: the one table of the engine (architecture 3.5, 3.9).
namespace vcc {

/// Classes of errors. The code decides; where one code stands for several, the provider's own code tells them apart.
enum class ErrorClass : std::uint8_t {
  kThrottle,      ///< too many requests: the whole account slows down
  kOutage,        ///< the cloud or the way to it is out of order
  kUncertain,     ///< cancelled, out of time, or of no class
  kConflict,      ///< another change is under way
  kPrecondition,  ///< another change must come first
  kCapacity,      ///< the cloud has none left: fewer at once may succeed
  kQuota,         ///< the account may have no more: time or people help
  kAuth,          ///< the credentials
  kSpec,          ///< the request is wrong
  kMissing,       ///< something that the request refers to does not exist
  kInternal,      ///< the driver, or the cloud, is at fault
  kSpoilt,        ///< what was made is of no use
};

ErrorClass errorClass(const Status& error);

/// "Not now": the same request may be sent again as it is.
bool isNotNow(const Status& error);

/// What the failed call was for. A wrong key ends a boot at once, but on a machine that exists it is a condition.
enum class CallKind : std::uint8_t { kCreate, kExisting };

struct Retry {
  bool final = false;         ///< do not try again: the goal cannot be reached
  std::int64_t after_ms = 0;  ///< otherwise: not before
};

/// `failures` counts this one. Backoff doubles from the class's base to its cap, with up to 25 % of jitter; the
/// source's own Retry-After wins when it is longer.
Retry retryAfter(const Status& error, CallKind kind, std::int64_t failures, Random& random);

}  // namespace vcc
