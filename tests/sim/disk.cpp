// SPDX-License-Identifier: Apache-2.0
#include "sim/disk.h"

#include <string>

namespace vcc::sim {
namespace {

/// Changes of files that one flush makes in SQLite, about.
constexpr std::uint64_t kChangesOfFlush = 12;

}  // namespace

Status WatchedJournal::write(const ChangeSet& changes) {
  changes.forEachTable([this]<typename T>(const TableChanges<T>& table) {
    for (const auto& [key, change] : table) {
      witness_.tell("disk", key);
      if (!change.after) continue;
      for (const auto& field : Schema<T>::kFields) {
        const Value cell = field.get(*change.after);
        if (const auto* text = std::get_if<std::string>(&cell)) witness_.checkSecrets(*text, Schema<T>::kTable);
      }
    }
  });
  if (dice_.chance(faults_.crash)) {
    if (sqlite_ != nullptr && dice_.chance(0.5)) {
      sqlite_->dieAt(1 + dice_.roll(kChangesOfFlush));
      const Status status = inner_.write(changes);
      died_();
      return status;
    }
    plan_->crashAtFlush(1, dice_.chance(0.5) ? CrashPoint::kBeforeSync : CrashPoint::kAfterSync);
    const Status status = inner_.write(changes);
    died_();
    return status;
  }
  if (dice_.chance(faults_.failure)) {
    plan_->failFlush(1, unavailable("cannot store changes: database or disk is full"));
  }
  return inner_.write(changes);
}

}  // namespace vcc::sim
