// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/account_gate.h"

#include <algorithm>
#include <chrono>

namespace vcc {
namespace {

constexpr std::size_t kTidyAt = 256;

}  // namespace

bool AccountGate::enter(std::int64_t slice_ms) {
  MutexLock lock(mutex_);
  if (!left_.waitFor(lock, std::chrono::milliseconds(slice_ms), [&]() VCC_REQUIRES(mutex_) { return free_ > 0; }))
    return false;
  --free_;
  return true;
}

void AccountGate::leave() {
  {
    const MutexLock lock(mutex_);
    ++free_;
  }
  left_.notifyOne();
}

void AccountGate::fill(std::int64_t now_mono) {
  const std::int64_t full = limits_.burst * 1000;
  // Bounded before the product: a gate may be old. One millisecond is worth per_second thousandths.
  const std::int64_t past = std::clamp<std::int64_t>(now_mono - seen_mono_, 0, full);
  level_ = std::min(full, level_ + past * limits_.per_second);
  seen_mono_ = std::max(seen_mono_, now_mono);
}

std::int64_t AccountGate::take(std::int64_t now_mono) {
  const MutexLock lock(mutex_);
  fill(now_mono);
  if (paused_until_mono_ > now_mono) return paused_until_mono_ - now_mono;
  if (level_ < 1000) return (1000 - level_ + limits_.per_second - 1) / limits_.per_second;
  level_ -= 1000;
  return 0;
}

void AccountGate::pause(std::int64_t now_mono, std::int64_t ms) {
  const MutexLock lock(mutex_);
  paused_until_mono_ = std::max(paused_until_mono_, now_mono + ms);
}

bool AccountGate::isFresh(std::int64_t now_mono) {
  const MutexLock lock(mutex_);
  fill(now_mono);
  return paused_until_mono_ <= now_mono && level_ == limits_.burst * 1000 && free_ == limits_.concurrency;
}

std::shared_ptr<AccountGate> AccountGates::get(const std::string& account, std::int64_t now_mono) {
  const MutexLock lock(mutex_);
  if (const auto known = gates_.find(account); known != gates_.end()) return known->second;
  if (gates_.size() >= kTidyAt) {
    std::erase_if(gates_,
                  [&](const auto& entry) { return entry.second.use_count() == 1 && entry.second->isFresh(now_mono); });
  }
  return gates_[account] = std::make_shared<AccountGate>(limits_, now_mono);
}

}  // namespace vcc
