// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace vcc {

/// Something that keeps the engine from looking after machines that exist, and that only people can mend: credentials
/// that a cloud refuses, a driver that is not loaded (architecture 3.9). Never a state of a node; ends by itself.
struct Condition {
  std::string about;            ///< "account 1a2b3c4d of aws/default", "driver aws"
  std::string text;             ///< what was refused, and why
  std::int64_t since = 0;       ///< wall-clock ms
  std::set<std::string> vcids;  ///< UnitGroups that it was met with
};

/// The conditions of this process, one for each account and driver instance however many nodes it touches. Not stored:
/// the first look after a restart finds them again. Thread safe.
class Conditions {
 public:
  /// True when `key` had none.
  bool raise(const std::string& key, Condition condition);
  /// True when `key` had one.
  bool end(const std::string& key);
  /// Ends those whose key is not among `keys`: nothing is left that they could be about.
  void keep(const std::set<std::string>& keys);
  std::vector<Condition> all() const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, Condition> by_key_ VCC_GUARDED_BY(mutex_);
};

}  // namespace vcc
