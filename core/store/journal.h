// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/status.h"
#include "store/schema.h"

/// What the mirror and its durable side say to each other.
namespace vcc {

/// Records are immutable once stored; a change is a new one. So they are shared between threads without copies.
template <typename T>
using RecordPtr = std::shared_ptr<const T>;

/// One changed record; null = there was, or is, none.
template <typename T>
struct Change {
  RecordPtr<T> before;
  RecordPtr<T> after;
};

/// By key.
template <typename T>
using TableChanges = std::map<std::string, Change<T>, std::less<>>;

/// The net effect of one or several transactions.
class ChangeSet {
 public:
  template <typename T>
  TableChanges<T>& of() {
    return std::get<TableChanges<T>>(tables_);
  }
  template <typename T>
  const TableChanges<T>& of() const {
    return std::get<TableChanges<T>>(tables_);
  }

  /// Notes that the record under `key` became `after`; `before` counts only for its first change.
  template <typename T>
  void note(const std::string& key, RecordPtr<T> before, RecordPtr<T> after) {
    auto [entry, added] = of<T>().try_emplace(key, Change<T>{std::move(before), after});
    if (!added) entry->second.after = std::move(after);
  }

  /// Adds what happened after this.
  void append(const ChangeSet& later) {
    later.forEachTable([this]<typename T>(const TableChanges<T>& changes) {
      for (const auto& [key, change] : changes) note<T>(key, change.before, change.after);
    });
  }

  template <typename Visit>
  void forEachTable(Visit visit) const {
    std::apply([&](const auto&... table) { (visit(table), ...); }, tables_);
  }

  std::size_t size() const {
    return std::apply([](const auto&... table) { return (table.size() + ...); }, tables_);
  }
  bool empty() const { return size() == 0; }

 private:
  PerRecord<TableChanges> tables_;
};

/// The rows of one table as found at start.
template <typename T>
struct LoadedTable {
  std::vector<RecordPtr<T>> records;
  /// Rows that could not be read as a whole, with what could. They stay where they are, untouched.
  std::vector<RecordPtr<T>> damaged;
};
using LoadedTables = PerRecord<LoadedTable>;

/// The durable side of a store. Called by one thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;
  /// Everything that is stored. Called once, before the first write.
  virtual Result<LoadedTables> load() = 0;
  /// Makes all of `changes` durable, or nothing of it; blocks for the sync. An error means: nothing is stored, and
  /// the text names the object, the attempt, the cause and the remedy.
  virtual Status write(const ChangeSet& changes) = 0;
};

}  // namespace vcc
