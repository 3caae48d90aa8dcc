// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "store/journal.h"
#include "store/schema.h"
#include "store/store.h"

namespace vcc {

/// One table in memory, with real secondary indexes. Not thread safe: Mirror's owner locks.
///
/// It refuses whatever the database would refuse, so that a flush can fail only because of the disk.
template <typename T>
class MirrorTable final : public Table<T> {
 public:
  const T* find(std::string_view key) const override {
    const auto found = records_.find(key);
    return found == records_.end() ? nullptr : found->second.get();
  }

  RecordPtr<T> share(std::string_view key) const override {
    const auto found = records_.find(key);
    return found == records_.end() ? nullptr : found->second;
  }

  void scan(const std::function<bool(const T&)>& visit) const override { walkRecords(records_.begin(), visit); }

  void scanAfter(std::string_view key, const std::function<bool(const T&)>& visit) const override {
    walkRecords(records_.upper_bound(key), visit);
  }

  void scan(std::string_view index, std::string_view value, const std::function<bool(const T&)>& visit) const override {
    // The group itself may go when `visit` erases its last record; held here, it stays until the walk is over.
    const std::shared_ptr<Group> group = groupOf(index, value);
    if (!group) return;
    walk(
        *group, group->begin(), [](const Entry* entry) -> const Entry& { return *entry; }, visit);
  }

  std::size_t count(std::string_view index, std::string_view value) const override {
    const std::shared_ptr<Group> group = groupOf(index, value);
    return group ? group->size() : 0;
  }

  std::size_t size() const override { return records_.size(); }

  Status put(T record) override {
    const std::string key = Schema<T>::key(record);
    VCC_RETURN_IF_ERROR(checkFree(key, record));
    auto after = std::make_shared<const T>(std::move(record));
    RecordPtr<T> before = set(key, after);
    if (log_ != nullptr) log_->note<T>(key, std::move(before), std::move(after));
    return okStatus();
  }

  void erase(std::string_view key) override {
    const std::string owned(key);  // `key` may lie in the record that goes
    RecordPtr<T> before = set(owned, nullptr);
    if (before && log_ != nullptr) log_->note<T>(owned, std::move(before), nullptr);
  }

  /// Where changes are noted from now on; null = nowhere.
  void logTo(ChangeSet* log) { log_ = log; }

  /// Puts every changed record back to what it was before. Taking all of them out first keeps two records that
  /// swapped a unique value apart.
  void undo(const TableChanges<T>& changes) {
    for (const auto& [key, change] : changes) set(key, nullptr);
    for (const auto& [key, change] : changes) {
      if (change.before) set(key, change.before);
    }
  }

  void load(LoadedTable<T>&& loaded) {
    for (const auto& record : loaded.records) set(Schema<T>::key(*record), record);
    for (const auto& record : loaded.damaged) damaged_.emplace(Schema<T>::key(*record), record);
  }

  /// True when a row with this key is stored, readable or damaged.
  bool exists(std::string_view key) const { return records_.contains(key) || damaged_.contains(key); }

  /// True when a row, readable or damaged, has `value` in index `index` (a position in kIndexes).
  bool anyWith(std::size_t index, std::string_view value) const {
    if (groups_[index].contains(value)) return true;
    return std::any_of(damaged_.begin(), damaged_.end(),
                       [&](const auto& row) { return Schema<T>::kIndexes[index].value(*row.second) == value; });
  }

  /// How many rows could not be read.
  std::size_t damaged() const { return damaged_.size(); }

  /// The first record in key order; null when there is none.
  const T* first() const { return records_.empty() ? nullptr : records_.begin()->second.get(); }

 private:
  using Records = std::map<std::string, RecordPtr<T>, std::less<>>;
  using Entry = typename Records::value_type;  // stays at its address as long as the record is there

  struct ByKey {
    using is_transparent = void;
    bool operator()(const Entry* a, const Entry* b) const { return a->first < b->first; }
    bool operator()(const Entry* a, std::string_view b) const { return a->first < b; }
    bool operator()(std::string_view a, const Entry* b) const { return a < b->first; }
  };
  using Group = std::set<const Entry*, ByKey>;
  using Groups = std::map<std::string, std::shared_ptr<Group>, std::less<>>;

  /// Null when no record has the value.
  std::shared_ptr<Group> groupOf(std::string_view index, std::string_view value) const {
    for (std::size_t i = 0; i < Schema<T>::kIndexes.size(); ++i) {
      if (Schema<T>::kIndexes[i].name != index) continue;
      const auto found = groups_[i].find(value);
      return found == groups_[i].end() ? nullptr : found->second;
    }
    // Falling back to a full scan would hide a mistake in the caller until there are many records.
    throw std::logic_error(fmt::format("table {} has no index {}", Schema<T>::kTable, index));
  }

  void walkRecords(typename Records::const_iterator begin, const std::function<bool(const T&)>& visit) const {
    walk(
        records_, begin, [](const auto& entry) -> const Entry& { return entry; }, visit);
  }

  /// Visits in key order from `at` on and survives a `visit` that changes the table: then the walk goes on behind the
  /// last key.
  template <typename Container, typename ToEntry>
  void walk(const Container& container, typename Container::const_iterator at, ToEntry to_entry,
            const std::function<bool(const T&)>& visit) const {
    std::string key;
    while (at != container.end()) {
      const Entry& entry = to_entry(*at);
      key = entry.first;
      const std::size_t before = changes_;
      const RecordPtr<T> record = entry.second;
      if (!visit(*record)) return;
      at = changes_ == before ? std::next(at) : container.upper_bound(std::string_view(key));
    }
  }

  Status checkFree(const std::string& key, const T& record) const {
    for (std::size_t i = 0; i < Schema<T>::kUnique.size(); ++i) {
      const auto& unique = Schema<T>::kUnique[i];
      const std::string value = unique.value(record);
      const auto holder = unique_[i].find(value);
      if (holder != unique_[i].end() && holder->second->first != key) {
        return alreadyExists(fmt::format("cannot store {} '{}': {} '{}' has the same ({}) already", Schema<T>::kTable,
                                         key, Schema<T>::kTable, holder->second->first, unique.name));
      }
      for (const auto& [other, row] : damaged_) {
        if (unique.value(*row) == value) return damagedRow(key, other);
      }
    }
    return damaged_.contains(key) ? damagedRow(key, key) : okStatus();
  }

  static Status damagedRow(const std::string& key, const std::string& other) {
    return alreadyExists(
        fmt::format("cannot store {} '{}': row '{}' of the database, which could not be read at start, "
                    "holds its place; repair or delete that row with the server stopped",
                    Schema<T>::kTable, key, other));
  }

  /// Stores or, with null, removes; keeps the indexes right; returns what was there.
  RecordPtr<T> set(const std::string& key, RecordPtr<T> record) {
    auto at = records_.find(key);
    RecordPtr<T> before;
    if (at != records_.end()) {
      unindex(*at);
      before = at->second;
    }
    ++changes_;
    if (!record) {
      if (at != records_.end()) records_.erase(at);
      return before;
    }
    if (at == records_.end()) {
      at = records_.emplace(key, std::move(record)).first;
    } else {
      at->second = std::move(record);
    }
    index(*at);
    return before;
  }

  void index(const Entry& entry) {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      auto& group = groups_[i][Schema<T>::kIndexes[i].value(*entry.second)];
      if (!group) group = std::make_shared<Group>();
      group->insert(&entry);
    }
    for (std::size_t i = 0; i < unique_.size(); ++i) unique_[i][Schema<T>::kUnique[i].value(*entry.second)] = &entry;
  }

  void unindex(const Entry& entry) {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const auto group = groups_[i].find(Schema<T>::kIndexes[i].value(*entry.second));
      group->second->erase(&entry);
      if (group->second->empty()) groups_[i].erase(group);
    }
    for (std::size_t i = 0; i < unique_.size(); ++i) unique_[i].erase(Schema<T>::kUnique[i].value(*entry.second));
  }

  Records records_;
  Records damaged_;
  std::array<Groups, Schema<T>::kIndexes.size()> groups_;
  std::array<std::map<std::string, const Entry*, std::less<>>, Schema<T>::kUnique.size()> unique_;
  std::size_t changes_ = 0;
  ChangeSet* log_ = nullptr;
};

}  // namespace vcc
