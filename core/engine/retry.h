// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/status.h"

/// What to do about an error, by its class: the one table of the engine (architecture 3.5, 3.9).
namespace vcc {

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
