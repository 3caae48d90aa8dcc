// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

/// What `vcc check` reports: records, clouds, containers and the monitor side by side, from a fresh look.
namespace vcc {

/// One node, or an object of ours in a cloud that belongs to none.
struct CheckLine {
  std::string vcid;  ///< empty for an object
  std::string vc;
  std::string unit;
  std::int64_t node_no = 0;
  std::string node_id;   ///< of an object: the id of its stray, empty when it was found just now
  std::string instance;  ///< driver instance
  std::string name;      ///< of the machine
  std::string cloud_id;
  std::string address;
  std::string record;      ///< state of the node; of an object "unknown" or "left"
  std::string cloud;       ///< what the cloud says; "-" nothing to say, "absent", "not known"
  std::string container;   ///< likewise of the base container
  std::string monitor;     ///< what watching knows; "-" while nothing watches
  std::string difference;  ///< empty: all agree
};

struct CheckResult {
  bool done = false;
  std::int64_t looks = 0;        ///< that have ended
  std::int64_t expected = 0;     ///< looks in all, as far as is known
  std::vector<CheckLine> lines;  ///< when it is done
};

struct CheckRun;

/// The checks that there are. Thread safe.
class CheckBoard {
 public:
  /// kResourceExhausted when there are too many.
  Status add(const std::shared_ptr<CheckRun>& run, std::int64_t mono_ms);
  std::shared_ptr<CheckRun> find(const std::string& id) const;
  /// Ends all for good.
  void cancelAll();

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<CheckRun>> runs_ VCC_GUARDED_BY(mutex_);
};

}  // namespace vcc
