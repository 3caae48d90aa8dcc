// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/session_cache.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vcc {
namespace {

constexpr auto kSlice = std::chrono::milliseconds(50);

std::string nameOf(const std::string& scope, std::string_view key) { return scope + std::string(key); }

}  // namespace

Result<SecretString> SessionCache::get(const std::string& scope, std::string_view key, const void* claimer,
                                       const std::function<bool()>& stop) {
  const std::string name = nameOf(scope, key);
  MutexLock lock(mutex_);
  for (;;) {
    const auto found = entries_.find(name);
    if (found != entries_.end()) {
      Entry& entry = found->second;
      if (!entry.value.empty() && entry.expires_mono <= clock_.monoMs()) forget(entry);
      if (!entry.value.empty()) {
        entry.used = ++uses_;
        return entry.value;
      }
      if (entry.claimer == claimer) return notFound("the value is still to be made by this call");
    }
    if (found == entries_.end() || found->second.claimer == nullptr) {
      const auto claims = std::count_if(entries_.begin(), entries_.end(),
                                        [&](const auto& other) { return other.second.claimer == claimer; });
      if (static_cast<std::size_t>(claims) >= limits_.claims_per_call) {
        return resourceExhausted("the call holds too many claims");
      }
      entries_[name].claimer = claimer;
      ++claims_;
      return notFound("the value is to be made by this call");
    }
    if (stop()) return Status(Code::kCancelled, "the call ended while another one was making the value");
    changed_.waitFor(lock, kSlice);
  }
}

void SessionCache::put(const std::string& scope, std::string_view key, SecretString value, std::int64_t ttl_ms) {
  {
    const MutexLock lock(mutex_);
    const std::int64_t now = clock_.monoMs();
    Entry& entry = entries_[nameOf(scope, key)];
    forget(entry);
    entry.value = std::move(value);
    entry.expires_mono = now + std::min(ttl_ms, kMaxTtlMs);
    entry.used = ++uses_;
    release(entry);
    ++values_;
    bytes_ += entry.value.size();
    makeRoom(now);
  }
  changed_.notifyAll();
}

void SessionCache::drop(const std::string& scope, std::string_view key, std::string_view value, const void* claimer) {
  {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(nameOf(scope, key));
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    if (value.empty() || constantTimeEqual(entry.value.reveal(), value)) forget(entry);
    if (entry.claimer == claimer) release(entry);
    if (isEmpty(entry)) entries_.erase(found);
  }
  changed_.notifyAll();
}

void SessionCache::endCall(const void* claimer) noexcept {
  if (claims_ == 0) return;
  {
    const MutexLock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (at->second.claimer == claimer) release(at->second);
      at = isEmpty(at->second) ? entries_.erase(at) : std::next(at);
    }
  }
  changed_.notifyAll();
}

void SessionCache::forget(Entry& entry) {
  if (entry.value.empty()) return;
  --values_;
  bytes_ -= entry.value.size();
  entry.value = SecretString();
}

void SessionCache::release(Entry& entry) {
  if (entry.claimer == nullptr) return;
  --claims_;
  entry.claimer = nullptr;
}

/// What is over goes first, then the least used. A claim stays: it ends with its call.
void SessionCache::makeRoom(std::int64_t now_mono) {
  for (auto& [name, entry] : entries_) {
    if (entry.expires_mono <= now_mono) forget(entry);
  }
  while (values_ > limits_.values || bytes_ > limits_.bytes) {
    Entry* least = nullptr;
    for (auto& [name, entry] : entries_) {
      if (!entry.value.empty() && (least == nullptr || entry.used < least->used)) least = &entry;
    }
    forget(*least);
  }
  std::erase_if(entries_, [](const auto& item) { return isEmpty(item.second); });
}

}  // namespace vcc
