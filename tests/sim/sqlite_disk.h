// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/dice.h"

namespace vcc::sim {

/// A disk for SQLite: files in memory, of which a crash leaves what was synced and, of each write since then, all, a
/// part in whole sectors, or nothing. It is SQLite's default file system for as long as it lives; one at a time.
class SqliteDisk {
 public:
  /// `dice` decides what a crash leaves.
  explicit SqliteDisk(Dice& dice);
  ~SqliteDisk();
  SqliteDisk(const SqliteDisk&) = delete;
  SqliteDisk& operator=(const SqliteDisk&) = delete;

  static constexpr char kPath[] = "/sim/vcc.db";

  /// The `nth` change of a file from now (1 = the next) does not happen, nor anything after it: the process is dead.
  void dieAt(std::uint64_t nth) { die_in_ = nth; }
  bool isDead() const { return dead_; }
  /// What the power cut leaves; files that are open now stay dead, those opened later work.
  void crash();

  double full = 0;        ///< chance of a write that makes a file longer to find no room
  double sync_fails = 0;  ///< chance of a sync to fail; what it was for is then as if it had not been asked for

  /// True when some file holds `text`.
  bool holds(const std::string& text) const;

 private:
  struct Impl;
  friend struct Impl;
  /// A change of a file that is not synced, with what is needed to take it back.
  struct Change {
    std::size_t offset = 0;
    std::string before;
    std::string after;
    std::size_t size_before = 0;
    bool truncates = false;
  };
  struct File {
    std::string content;
    std::vector<Change> unsynced;
    std::vector<std::unique_ptr<std::string>> shared;  // pages of the shared memory; gone with the process
  };

  bool mayChange();
  void undo(File& file);

  Dice& dice_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::uint64_t life_ = 0;
  std::uint64_t die_in_ = 0;
  bool dead_ = false;
};

}  // namespace vcc::sim
