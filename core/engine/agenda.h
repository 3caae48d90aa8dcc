// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace vcc {

/// When each node is to be visited next, on the monotonic clock. An object is in it at most once; the earlier of two
/// times wins. Not thread safe: it belongs to the deciding thread.
class Agenda {
 public:
  void add(const std::string& id, std::int64_t at_ms) {
    const auto found = due_.find(id);
    if (found != due_.end()) {
      if (found->second <= at_ms) return;
      order_.erase({found->second, id});
      found->second = at_ms;
    } else {
      due_.emplace(id, at_ms);
    }
    order_.emplace(at_ms, id);
  }

  /// Takes out the first object that is due at `now_ms`.
  std::optional<std::string> take(std::int64_t now_ms) {
    if (order_.empty() || order_.begin()->first > now_ms) return std::nullopt;
    std::string id = order_.begin()->second;
    order_.erase(order_.begin());
    due_.erase(id);
    return id;
  }

  std::optional<std::int64_t> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  std::size_t size() const { return due_.size(); }

 private:
  std::set<std::pair<std::int64_t, std::string>> order_;
  std::unordered_map<std::string, std::int64_t> due_;
};

}  // namespace vcc
