// SPDX-License-Identifier: Apache-2.0
#include "store/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace vcc {
namespace {

constexpr std::string_view kCounterPrefix = "counter:";

// Positions in Schema<T>::kIndexes.
constexpr std::size_t kUnitsByVc = 0;
constexpr std::size_t kNodesByUnit = 0;
static_assert(Schema<Unit>::kIndexes[kUnitsByVc].name == "vcid");
static_assert(Schema<Node>::kIndexes[kNodesByUnit].name == "unit_id");

bool isCounter(std::string_view key) { return key.substr(0, kCounterPrefix.size()) == kCounterPrefix; }

/// The VCs that the changed records of a table belong or belonged to.
template <typename T>
void collectVcs(const TableChanges<T>& changes, std::set<std::string>& vcids) {
  for (const auto& [key, change] : changes) {
    if (change.before) vcids.insert(change.before->vcid);
    if (change.after) vcids.insert(change.after->vcid);
  }
}

Status orphan(std::string_view child, const std::string& child_key, std::string_view parent,
              const std::string& parent_key) {
  return failedPrecondition(
      fmt::format("cannot store {} '{}': its {} '{}' does not exist", child, child_key, parent, parent_key));
}

Status hasChildren(std::string_view parent, const std::string& parent_key, std::string_view child) {
  return failedPrecondition(fmt::format(
      "cannot remove {} '{}': it still has a {} (maybe one whose row could not be read at start; see the log)", parent,
      parent_key, child));
}

}  // namespace

void Mirror::load(LoadedTables&& loaded) {
  auto& metas = std::get<LoadedTable<Meta>>(loaded).records;
  std::erase_if(metas, [this](const RecordPtr<Meta>& meta) {
    if (!isCounter(meta->key)) return false;
    counters_[meta->key.substr(kCounterPrefix.size())] = meta->number;
    return true;
  });
  std::apply([this]<typename... T>(LoadedTable<T>&... table) { (of<T>().load(std::move(table)), ...); }, loaded);
}

Result<ChangeSet> Mirror::run(const Store::Body& body, std::int64_t now_ms) {
  ChangeSet changes;
  logTo(&changes);
  Status status;
  try {
    MirrorTx tx(*this, now_ms);
    status = body(tx);
    if (status.ok()) status = finish(changes);
  } catch (const std::exception& e) {
    status = internalError(fmt::format("cannot run a transaction: {}; this is a bug of the server", e.what()));
  }
  logTo(nullptr);
  if (!status.ok()) {
    undo(changes);
    return status;
  }
  return changes;
}

void Mirror::undo(const ChangeSet& changes) {
  changes.forEachTable([this]<typename T>(const TableChanges<T>& table) { of<T>().undo(table); });
  for (const auto& [key, change] : changes.of<Meta>()) {
    if (isCounter(key)) moved_counters_.emplace(key.substr(kCounterPrefix.size()));
  }
}

Status Mirror::finish(ChangeSet& changes) {
  VCC_RETURN_IF_ERROR(checkParents(changes));
  VCC_RETURN_IF_ERROR(checkReservedMeta(changes));
  dropOldEvents();
  raiseVersions(changes);
  takeCounters(changes);
  return okStatus();
}

void Mirror::dropOldEvents() {
  auto& events = of<Event>();
  while (events.size() > events_keep_) events.erase(Schema<Event>::key(*events.first()));
}

Status Mirror::checkParents(const ChangeSet& changes) const {
  for (const auto& [key, change] : changes.of<Unit>()) {
    if (change.after && !of<Vc>().exists(change.after->vcid)) return orphan("unit", key, "vc", change.after->vcid);
    if (!change.after && of<Node>().anyWith(kNodesByUnit, key)) return hasChildren("unit", key, "node");
  }
  for (const auto& [key, change] : changes.of<Node>()) {
    if (change.after && !of<Unit>().exists(change.after->unit_id)) {
      return orphan("node", key, "unit", change.after->unit_id);
    }
  }
  for (const auto& [key, change] : changes.of<Vc>()) {
    if (!change.after && of<Unit>().anyWith(kUnitsByVc, key)) return hasChildren("vc", key, "unit");
  }
  return okStatus();
}

Status Mirror::checkReservedMeta(const ChangeSet& changes) const {
  for (const auto& [key, change] : changes.of<Meta>()) {
    if (isCounter(key)) {
      return invalidArgument(fmt::format("cannot store meta '{}': that prefix belongs to nextCounter", key));
    }
  }
  return okStatus();
}

void Mirror::raiseVersions(const ChangeSet& changes) {
  std::set<std::string> vcids;
  collectVcs<Vc>(changes.of<Vc>(), vcids);
  collectVcs<Unit>(changes.of<Unit>(), vcids);
  collectVcs<Node>(changes.of<Node>(), vcids);
  collectVcs<Machine>(changes.of<Machine>(), vcids);
  collectVcs<Attachment>(changes.of<Attachment>(), vcids);
  for (const auto& [key, change] : changes.of<Attachment>()) {
    for (const auto& side : {change.before, change.after}) {
      if (side) vcids.insert(side->disk_vcid);
    }
  }
  for (const std::string& vcid : vcids) {
    const Vc* vc = of<Vc>().find(vcid);
    if (vc == nullptr) continue;
    // The body may have put a copy that it took earlier, or a number of its own; what was before the transaction
    // counts.
    std::int64_t base = vc->version;
    if (const auto put = changes.of<Vc>().find(vcid); put != changes.of<Vc>().end()) {
      base = put->second.before ? put->second.before->version : 0;
    }
    // Never the same number twice, also not after an undo: a rendering kept under a number that was taken back must not
    // match what is written later.
    last_version_ = std::max(last_version_, base) + 1;
    Vc raised = *vc;
    raised.version = last_version_;
    // A VC has no unique value that the put could violate.
    static_cast<void>(of<Vc>().put(std::move(raised)));
  }
}

void Mirror::logTo(ChangeSet* log) {
  std::apply([log](auto&... table) { (table.logTo(log), ...); }, tables_);
}

std::int64_t Mirror::nextCounter(std::string_view name) {
  auto at = counters_.find(name);
  if (at == counters_.end()) at = counters_.emplace(name, 0).first;
  moved_counters_.emplace(name);
  return ++at->second;
}

void Mirror::takeCounters(ChangeSet& changes) {
  for (const std::string& name : moved_counters_) {
    const std::string key = std::string(kCounterPrefix) + name;
    changes.note<Meta>(key, nullptr, std::make_shared<const Meta>(Meta{key, "", counters_.at(name)}));
  }
  moved_counters_.clear();
}

}  // namespace vcc
