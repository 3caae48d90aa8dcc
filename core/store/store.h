// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/records.h"

/// The durable state (architecture section 7). One interface; SQLite behind it, or memory, or faults.
namespace vcc {

/// The records of one kind, inside a transaction. Records are found by their key: the id field, or what
/// `Schema<T>::key` (store/schema.h) joins. Pointers that `find` and `scan` hand out live until the end of the
/// transaction, or until the same record is put or erased.
template <typename T>
class Table {
 public:
  virtual ~Table() = default;
  /// The record, or null.
  virtual const T* find(std::string_view key) const = 0;
  /// The same to be kept beyond the transaction: what is stored never changes, a change is another record. So one that
  /// is held is the present one exactly as long as `find` gives the same address.
  virtual std::shared_ptr<const T> share(std::string_view key) const = 0;
  /// Calls `visit` for every record in key order until it says false.
  virtual void scan(const std::function<bool(const T&)>& visit) const = 0;
  /// The same for the records whose key is greater than `key`; what stands before costs nothing.
  virtual void scanAfter(std::string_view key, const std::function<bool(const T&)>& visit) const = 0;
  /// The same for the records whose index `index` (a column name listed in Schema<T>) equals `value`.
  virtual void scan(std::string_view index, std::string_view value,
                    const std::function<bool(const T&)>& visit) const = 0;
  /// How many there are. Costs no walk.
  virtual std::size_t count(std::string_view index, std::string_view value) const = 0;
  virtual std::size_t size() const = 0;
  /// Inserts or replaces. kAlreadyExists when a unique index of another record holds the same value.
  virtual Status put(T record) = 0;
  /// Nothing happens when there is none.
  virtual void erase(std::string_view key) = 0;
};

/// What a transaction sees and changes. Serialisable: nobody else writes meanwhile.
///
/// A put or erase of a unit, node or machine raises `version` of its VC, once per transaction; one of an attachment
/// that of the node's VC and of the disk's.
class Tx {
 public:
  virtual ~Tx() = default;
  virtual Table<Vc>& vcs() = 0;      // indexes: owner
  virtual Table<Unit>& units() = 0;  // indexes: grant_id, vcid; unique (vcid, name)
  virtual Table<Node>& nodes() = 0;  // indexes: unit_id, vcid; unique (unit_id, node_no)
  virtual Table<Request>& requests() = 0;
  virtual Table<Machine>& machines() = 0;        // indexes: grant_id, node_id, unit_id, request_id; unique name
  virtual Table<Attachment>& attachments() = 0;  // key: disk; indexes: node_id
  virtual Table<Op>& ops() = 0;                  // indexes: vcid
  virtual Table<Address>& addresses() = 0;       // key (instance, network, ip); indexes: node_id
  virtual Table<User>& users() = 0;
  virtual Table<Token>& tokens() = 0;            // indexes: user
  virtual Table<Secret>& secrets() = 0;          // key (mount, owner, path); indexes: "mount, owner"
  virtual Table<Grant>& grants() = 0;            // indexes: token_hash
  virtual Table<Event>& events() = 0;            // key: seq, fixed width, so that key order is time order
  virtual Table<SweepPlace>& sweepPlaces() = 0;  // key (scope, grant_id); indexes: grant_id
  virtual Table<Stray>& strays() = 0;            // indexes: place (the key of its place)
  virtual Table<Lease>& leases() = 0;
  virtual Table<Meta>& metas() = 0;
  /// The next value of a counter, from 1. Never the same twice, even when the transaction that took it fails.
  virtual std::int64_t nextCounter(std::string_view name) = 0;
  /// Wall-clock time of the transaction, ms. The only time that records carry.
  virtual std::int64_t now() const = 0;
};

/// The read-only view. The same tables; `put` and `erase` are out of reach.
class ReadTx {
 public:
  virtual ~ReadTx() = default;
  virtual const Table<Vc>& vcs() const = 0;
  virtual const Table<Unit>& units() const = 0;
  virtual const Table<Node>& nodes() const = 0;
  virtual const Table<Request>& requests() const = 0;
  virtual const Table<Machine>& machines() const = 0;
  virtual const Table<Attachment>& attachments() const = 0;
  virtual const Table<Op>& ops() const = 0;
  virtual const Table<Address>& addresses() const = 0;
  virtual const Table<User>& users() const = 0;
  virtual const Table<Token>& tokens() const = 0;
  virtual const Table<Secret>& secrets() const = 0;
  virtual const Table<Grant>& grants() const = 0;
  virtual const Table<Event>& events() const = 0;
  virtual const Table<SweepPlace>& sweepPlaces() const = 0;
  virtual const Table<Stray>& strays() const = 0;
  virtual const Table<Lease>& leases() const = 0;
  virtual const Table<Meta>& metas() const = 0;
  virtual std::int64_t now() const = 0;
};

/// Thread safe.
class Store {
 public:
  using Body = std::function<Status(Tx&)>;
  using Done = std::function<void(Status)>;
  virtual ~Store() = default;

  /// Runs `body` and returns when its changes are on disk (or its error when it returned one: then nothing changed).
  /// `body` may run again and must do no I/O. kUnavailable when the disk is full, read-only or failing: then nothing
  /// changed either. Blocks for one sync, shared with the transactions of other threads.
  virtual Status transact(const Body& body) = 0;

  /// The same without waiting: `done` is called once, on another thread or before this call returns. What other
  /// transactions see of the change before `done` may still be taken back when the disk fails.
  virtual void transactAsync(Body body, Done done) = 0;

  /// Runs `body` on a consistent view. Blocks writers: keep it short.
  virtual void read(const std::function<void(const ReadTx&)>& body) const = 0;

  /// Wall-clock time, ms.
  virtual std::int64_t now() const = 0;

  /// ok, or why writes fail at present (disk full ...). Cleared by the next write that succeeds.
  virtual Status health() const = 0;

  /// Rows that could not be read at start and are left aside: what they know is not in any view.
  virtual std::size_t damagedRows() const = 0;
};

}  // namespace vcc
