// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "store/journal.h"
#include "store/mirror_table.h"

namespace vcc {

/// All tables in memory, and the rules that hold across tables. Not thread safe.
class Mirror {
 public:
  explicit Mirror(std::size_t events_keep) : events_keep_(events_keep) {}

  void load(LoadedTables&& loaded);

  /// Runs `body` as one transaction at time `now_ms`. Success: the changes stand in the mirror and are returned, maybe
  /// none. Error (of the body, or of a rule): nothing changed except counters, which go with the next change.
  Result<ChangeSet> run(const Store::Body& body, std::int64_t now_ms);

  /// Takes back `changes`, the sum of the latest transactions. Counters keep their values and are part of the next
  /// transaction's changes.
  void undo(const ChangeSet& changes);

  std::int64_t nextCounter(std::string_view name);

  std::size_t damagedRows() const {
    return std::apply([](const auto&... table) { return (table.damaged() + ...); }, tables_);
  }

  template <typename T>
  MirrorTable<T>& of() {
    return std::get<MirrorTable<T>>(tables_);
  }
  template <typename T>
  const MirrorTable<T>& of() const {
    return std::get<MirrorTable<T>>(tables_);
  }

 private:
  Status finish(ChangeSet& changes);
  void dropOldEvents();
  Status checkParents(const ChangeSet& changes) const;
  Status checkReservedMeta(const ChangeSet& changes) const;
  void raiseVersions(const ChangeSet& changes);
  void takeCounters(ChangeSet& changes);
  void logTo(ChangeSet* log);

  std::size_t events_keep_;
  std::int64_t last_version_ = 0;  // of any VC that this mirror has raised
  PerRecord<MirrorTable> tables_;
  // Counters are rows of the table meta, but not of the mirror's: undoing a transaction must not bring an old value
  // back.
  std::map<std::string, std::int64_t, std::less<>> counters_;
  std::set<std::string, std::less<>> moved_counters_;
};

/// What a body sees during Mirror::run.
class MirrorTx final : public Tx {
 public:
  MirrorTx(Mirror& mirror, std::int64_t now_ms) : mirror_(mirror), now_ms_(now_ms) {}
  Table<Vc>& vcs() override { return mirror_.of<Vc>(); }
  Table<Unit>& units() override { return mirror_.of<Unit>(); }
  Table<Node>& nodes() override { return mirror_.of<Node>(); }
  Table<Request>& requests() override { return mirror_.of<Request>(); }
  Table<Machine>& machines() override { return mirror_.of<Machine>(); }
  Table<Attachment>& attachments() override { return mirror_.of<Attachment>(); }
  Table<Op>& ops() override { return mirror_.of<Op>(); }
  Table<Address>& addresses() override { return mirror_.of<Address>(); }
  Table<User>& users() override { return mirror_.of<User>(); }
  Table<Token>& tokens() override { return mirror_.of<Token>(); }
  Table<Secret>& secrets() override { return mirror_.of<Secret>(); }
  Table<Grant>& grants() override { return mirror_.of<Grant>(); }
  Table<Event>& events() override { return mirror_.of<Event>(); }
  Table<SweepPlace>& sweepPlaces() override { return mirror_.of<SweepPlace>(); }
  Table<Stray>& strays() override { return mirror_.of<Stray>(); }
  Table<Lease>& leases() override { return mirror_.of<Lease>(); }
  Table<Meta>& metas() override { return mirror_.of<Meta>(); }
  std::int64_t nextCounter(std::string_view name) override { return mirror_.nextCounter(name); }
  std::int64_t now() const override { return now_ms_; }

 private:
  Mirror& mirror_;
  std::int64_t now_ms_;
};

/// The same for readers.
class MirrorReadTx final : public ReadTx {
 public:
  MirrorReadTx(const Mirror& mirror, std::int64_t now_ms) : mirror_(mirror), now_ms_(now_ms) {}
  const Table<Vc>& vcs() const override { return mirror_.of<Vc>(); }
  const Table<Unit>& units() const override { return mirror_.of<Unit>(); }
  const Table<Node>& nodes() const override { return mirror_.of<Node>(); }
  const Table<Request>& requests() const override { return mirror_.of<Request>(); }
  const Table<Machine>& machines() const override { return mirror_.of<Machine>(); }
  const Table<Attachment>& attachments() const override { return mirror_.of<Attachment>(); }
  const Table<Op>& ops() const override { return mirror_.of<Op>(); }
  const Table<Address>& addresses() const override { return mirror_.of<Address>(); }
  const Table<User>& users() const override { return mirror_.of<User>(); }
  const Table<Token>& tokens() const override { return mirror_.of<Token>(); }
  const Table<Secret>& secrets() const override { return mirror_.of<Secret>(); }
  const Table<Grant>& grants() const override { return mirror_.of<Grant>(); }
  const Table<Event>& events() const override { return mirror_.of<Event>(); }
  const Table<SweepPlace>& sweepPlaces() const override { return mirror_.of<SweepPlace>(); }
  const Table<Stray>& strays() const override { return mirror_.of<Stray>(); }
  const Table<Lease>& leases() const override { return mirror_.of<Lease>(); }
  const Table<Meta>& metas() const override { return mirror_.of<Meta>(); }
  std::int64_t now() const override { return now_ms_; }

 private:
  const Mirror& mirror_;
  std::int64_t now_ms_;
};

}  // namespace vcc
