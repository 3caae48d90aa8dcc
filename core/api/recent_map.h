// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace vcc {

/// A map of at most `limit` entries; the one used longest ago makes room. Not thread safe.
template <typename Value>
class RecentMap {
 public:
  explicit RecentMap(std::size_t limit) : limit_(limit) {}

  /// Null when there is none. Does not count as a use. Valid until the next `use`.
  Value* find(const std::string& key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }
  /// The entry of `key`, made when it is missing. Valid until the next `use`.
  Value& use(const std::string& key) {
    if (const auto found = index_.find(key); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
    } else {
      entries_.emplace_front(key, Value{});
      index_.emplace(key, entries_.begin());
      if (entries_.size() > limit_) {
        index_.erase(entries_.back().first);
        entries_.pop_back();
      }
    }
    return entries_.front().second;
  }
  /// Nothing happens when there is none.
  void erase(const std::string& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }
  std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  const std::size_t limit_;
  Entries entries_;  // used last first
  std::unordered_map<std::string, typename Entries::iterator> index_;
};

}  // namespace vcc
