// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_string.h"
#include "base/status.h"

namespace vcc {

struct SessionLimits {
  std::size_t values = 1024;
  std::size_t bytes = std::size_t{16} << 20U;
  std::size_t claims_per_call = 16;
};

/// The cloud tokens of one driver instance (architecture 11). Of several calls that miss a value, one claims the key
/// and makes it while the others wait. Whoever cannot be named twice at one time may be a claimer: the address of a
/// CallFrame is. Thread safe.
class SessionCache {
 public:
  /// Most milliseconds that a value is kept.
  static constexpr std::int64_t kMaxTtlMs = 86'400'000;

  explicit SessionCache(const Clock& clock, const SessionLimits& limits = {}) : clock_(clock), limits_(limits) {}

  /// The value; or kNotFound, and `claimer` holds the claim until put, drop or endCall. Blocks while another one holds
  /// it; `stop` is then asked, every 50 ms real time at the latest and under the lock, and ends the wait with
  /// kCancelled. kResourceExhausted: `claimer` has too many claims.
  Result<SecretString> get(const std::string& scope, std::string_view key, const void* claimer,
                           const std::function<bool()>& stop);
  /// Replaces the value and ends the claim on the key. `value` is not empty, `ttl_ms` > 0. The least used values go
  /// when it becomes too much.
  void put(const std::string& scope, std::string_view key, SecretString value, std::int64_t ttl_ms);
  /// Forgets the value if it is `value` or that is empty; ends the claim if it is `claimer`'s.
  void drop(const std::string& scope, std::string_view key, std::string_view value, const void* claimer);
  /// Ends every claim of `claimer`.
  void endCall(const void* claimer) noexcept;

 private:
  struct Entry {
    SecretString value;  // empty: there is none
    std::int64_t expires_mono = 0;
    std::uint64_t used = 0;
    const void* claimer = nullptr;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;  // by scope + key; scopes are of one length

  static bool isEmpty(const Entry& entry) { return entry.value.empty() && entry.claimer == nullptr; }
  void forget(Entry& entry) VCC_REQUIRES(mutex_);
  void release(Entry& entry) VCC_REQUIRES(mutex_);
  void makeRoom(std::int64_t now_mono) VCC_REQUIRES(mutex_);

  const Clock& clock_;
  const SessionLimits limits_;
  Mutex mutex_;
  CondVar changed_;
  Entries entries_ VCC_GUARDED_BY(mutex_);  // none is empty
  std::atomic<std::size_t> claims_{0};      // read without the lock where a call ends: most have claimed nothing
  std::size_t values_ VCC_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ VCC_GUARDED_BY(mutex_) = 0;
  std::uint64_t uses_ VCC_GUARDED_BY(mutex_) = 0;
};

}  // namespace vcc
