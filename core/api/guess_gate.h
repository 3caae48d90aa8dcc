// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/bucket.h"
#include "api/recent_map.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"

namespace vcc {

struct GuessLimits {
  BucketSize wrong{.burst = 30, .refill_ms = 2000};  ///< wrong tokens of one source
  std::size_t max_sources = 16384;                   ///< addresses that are remembered
  std::size_t max_known = 16384;                     ///< pairs of address and token that are remembered
};

/// Slows down the guessing of tokens (issue "secrets": per source address). Wrong tokens empty a bucket of their
/// source, which is an IPv4 address or the /64 of an IPv6 address; while it is empty nothing of that source is looked
/// up, except the tokens that have been right from there before: a class behind one address is not locked out by one
/// wrong notebook. A token that is right no longer loses that. Memory is bounded; the sources and tokens seen longest
/// ago are forgotten. Nothing survives a restart. Thread safe, does not block.
class GuessGate {
 public:
  GuessGate(const Clock& clock, Logger& log, GuessLimits limits = {});

  /// To be asked before a token is looked up. kResourceExhausted with the time to wait; the text tells nothing about
  /// the token. `peer` is an address in text form.
  Status check(std::string_view peer, std::string_view token);
  /// What the look-up has shown.
  void succeeded(std::string_view peer, std::string_view token_hash);
  void failed(std::string_view peer, std::string_view token_hash);

 private:
  struct Source {
    Bucket wrong;
    std::int64_t silent_until_ms = 0;  // no second log line before
  };

  const Clock& clock_;
  Logger& log_;
  const GuessLimits limits_;
  Mutex mutex_;
  RecentMap<Source> sources_ VCC_GUARDED_BY(mutex_);
  struct Nothing {};
  RecentMap<Nothing> known_ VCC_GUARDED_BY(mutex_);  // by source and hash of the token
};

}  // namespace vcc
