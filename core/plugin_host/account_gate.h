// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"

namespace vcc {

/// What one account of a cloud may be asked for.
struct HttpLimits {
  std::int64_t per_second = 20;  ///< requests, once the burst is used up; 1..1000
  std::int64_t burst = 40;       ///< requests at once after a quiet time
  int concurrency = 16;          ///< requests under way
};

/// The gate that requests of one account go through: a token bucket, a pause that the cloud asked for, and a limit of
/// requests under way. Thread safe.
class AccountGate {
 public:
  AccountGate(const HttpLimits& limits, std::int64_t now_mono)
      : limits_(limits), level_(limits.burst * 1000), seen_mono_(now_mono), free_(limits.concurrency) {}

  /// Waits at most `slice_ms` real time for a place; true with it, and leave() gives it back.
  bool enter(std::int64_t slice_ms);
  void leave();
  /// Takes a token: 0, or how long to wait before the next try.
  std::int64_t take(std::int64_t now_mono);
  /// Nobody takes a token for `ms`.
  void pause(std::int64_t now_mono, std::int64_t ms);
  /// Would a new gate behave in the same way?
  bool isFresh(std::int64_t now_mono);

 private:
  void fill(std::int64_t now_mono) VCC_REQUIRES(mutex_);

  const HttpLimits limits_;
  Mutex mutex_;
  CondVar left_;
  std::int64_t level_ VCC_GUARDED_BY(mutex_);  // thousandths of tokens
  std::int64_t seen_mono_ VCC_GUARDED_BY(mutex_);
  std::int64_t paused_until_mono_ VCC_GUARDED_BY(mutex_) = 0;
  int free_ VCC_GUARDED_BY(mutex_);
};

/// The gates of one driver instance by account key. Keys are never shown. Thread safe.
class AccountGates {
 public:
  explicit AccountGates(const HttpLimits& limits) : limits_(limits) {}
  std::shared_ptr<AccountGate> get(const std::string& account, std::int64_t now_mono);

 private:
  const HttpLimits limits_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<AccountGate>, std::less<>> gates_ VCC_GUARDED_BY(mutex_);
};

}  // namespace vcc
