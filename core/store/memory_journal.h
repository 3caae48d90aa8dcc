// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/mutex.h"
#include "store/journal.h"

namespace vcc {

/// A disk made of memory: what journals on it have stored. Outlives stores, so that a test can "start again". Thread
/// safe.
class MemoryDisk {
 public:
  LoadedTables load() const;
  void store(const ChangeSet& changes);

 private:
  mutable Mutex mutex_;
  ChangeSet content_ VCC_GUARDED_BY(mutex_);  // only `after` counts
};

/// Stores on a MemoryDisk, or keeps nothing without one.
class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(std::shared_ptr<MemoryDisk> disk = nullptr) : disk_(std::move(disk)) {}
  Result<LoadedTables> load() override;
  Status write(const ChangeSet& changes) override;

 private:
  std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace vcc
