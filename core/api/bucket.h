// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace vcc {

struct BucketSize {
  std::int64_t burst = 1;         ///< uses at once, at least 1
  std::int64_t refill_ms = 1000;  ///< after which one more is free
};

/// How often something may happen: uses empty the bucket, time fills it. Times are monotonic. Not thread safe.
class Bucket {
 public:
  /// Milliseconds until the next use is free; 0 or less: now.
  std::int64_t waitMs(const BucketSize& size, std::int64_t now) const {
    return full_at_ms_ - (size.burst - 1) * size.refill_ms - now;
  }
  /// Counts a use. Uses that were under way together may overdraw the bucket; they are waited for, within bounds.
  void use(const BucketSize& size, std::int64_t now) {
    full_at_ms_ = std::min(std::max(full_at_ms_, now) + size.refill_ms, now + 2 * size.burst * size.refill_ms);
  }

 private:
  std::int64_t full_at_ms_ = 0;  // when it is full again
};

}  // namespace vcc
