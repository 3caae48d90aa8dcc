// SPDX-License-Identifier: Apache-2.0
#include "store/memory_journal.h"

namespace vcc {

LoadedTables MemoryDisk::load() const {
  const std::lock_guard lock(mutex_);
  LoadedTables loaded;
  content_.forEachTable([&loaded]<typename T>(const TableChanges<T>& table) {
    for (const auto& [key, change] : table) {
      if (change.after) std::get<LoadedTable<T>>(loaded).records.push_back(change.after);
    }
  });
  return loaded;
}

void MemoryDisk::store(const ChangeSet& changes) {
  const std::lock_guard lock(mutex_);
  changes.forEachTable([this]<typename T>(const TableChanges<T>& table) {
    for (const auto& [key, change] : table) {
      if (change.after) {
        content_.of<T>()[key] = {nullptr, change.after};
      } else {
        content_.of<T>().erase(key);
      }
    }
  });
}

Result<LoadedTables> MemoryJournal::load() { return disk_ ? disk_->load() : LoadedTables(); }

Status MemoryJournal::write(const ChangeSet& changes) {
  if (disk_) disk_->store(changes);
  return okStatus();
}

}  // namespace vcc
