// SPDX-License-Identifier: Apache-2.0
#include "store/memory_journal.h"

namespace vcc {
namespace {

void apply(const ChangeSet& changes, ChangeSet& content) {
  changes.forEachTable([&content]<typename T>(const TableChanges<T>& table) {
    for (const auto& [key, change] : table) {
      if (change.after) {
        content.of<T>()[key] = {nullptr, change.after};
      } else {
        content.of<T>().erase(key);
      }
    }
  });
}

}  // namespace

LoadedTables MemoryDisk::load() const {
  const MutexLock lock(mutex_);
  LoadedTables loaded;
  content_.forEachTable([&loaded]<typename T>(const TableChanges<T>& table) {
    for (const auto& [key, change] : table) {
      if (change.after) std::get<LoadedTable<T>>(loaded).records.push_back(change.after);
    }
  });
  return loaded;
}

void MemoryDisk::store(const ChangeSet& changes) {
  const MutexLock lock(mutex_);
  apply(changes, content_);
}

Result<LoadedTables> MemoryJournal::load() { return disk_ ? disk_->load() : LoadedTables(); }

Status MemoryJournal::write(const ChangeSet& changes) {
  if (disk_) disk_->store(changes);
  return okStatus();
}

}  // namespace vcc
