// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "engine/check.h"
#include "engine/decider.h"
#include "model/compare.h"

namespace vcc {

/// A check under way. `cancelled` and what `mutex` guards are for any thread, the rest is the deciding thread's.
struct CheckRun {
  /// A node with what the looks at it found.
  struct Subject {
    CheckLine line;
    Node node;
    bool has_machine = false;
    Machine machine;
    Profile profile;
    CloudSight cloud;
    ContainerSight container;
  };
  /// What one account is asked.
  struct Account {
    const DriverSlot* slot = nullptr;
    Visit visit;                        ///< of one of its nodes, for the context of calls
    std::vector<std::size_t> subjects;  ///< positions; those before `next` have been asked for one by one
    std::size_t next = 0;
  };
  struct HostLook {
    std::size_t subject = 0;
    HostTarget target;
    Host* host = nullptr;
  };

  std::string id;
  std::string vcid;                  ///< empty = everything
  std::vector<std::string> waiting;  ///< nodes that were not gathered yet
  std::vector<Subject> subjects;
  std::map<std::string, Account> accounts;
  std::vector<HostLook> hosts;  ///< not begun
  std::vector<CheckLine> objects;
  std::int64_t under_way = 0;  ///< calls
  bool gathered = false;

  std::atomic<bool> cancelled{false};
  Mutex mutex;
  CheckResult report VCC_GUARDED_BY(mutex);
  std::int64_t asked_at VCC_GUARDED_BY(mutex) = 0;  ///< monotonic ms: when somebody last wanted to know
  bool delivered VCC_GUARDED_BY(mutex) = false;     ///< somebody has the whole report
};

}  // namespace vcc
