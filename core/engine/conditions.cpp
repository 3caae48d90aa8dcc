// SPDX-License-Identifier: Apache-2.0
#include "engine/conditions.h"

#include <utility>

namespace vcc {

bool Conditions::raise(const std::string& key, Condition condition) {
  const MutexLock lock(mutex_);
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    by_key_.emplace(key, std::move(condition));
    return true;
  }
  known->second.text = std::move(condition.text);
  known->second.vcids.merge(condition.vcids);
  return false;
}

bool Conditions::end(const std::string& key) {
  const MutexLock lock(mutex_);
  return by_key_.erase(key) > 0;
}

void Conditions::keep(const std::set<std::string>& keys) {
  const MutexLock lock(mutex_);
  std::erase_if(by_key_, [&](const auto& entry) { return !keys.contains(entry.first); });
}

std::vector<Condition> Conditions::all() const {
  const MutexLock lock(mutex_);
  std::vector<Condition> all;
  all.reserve(by_key_.size());
  for (const auto& [key, condition] : by_key_) all.push_back(condition);
  return all;
}

}  // namespace vcc
