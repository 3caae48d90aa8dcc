// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "store/journal.h"

namespace vcc {

/// A SQLite database file (architecture section 7): write-ahead log, synced at every commit.
class SqliteJournal final : public Journal {
 public:
  /// Opens the file, which must exist (empty = new), and brings its schema forward. `log` is borrowed.
  /// kFailedPrecondition, and nothing is touched, when the file was written by a newer version or is not ours;
  /// kUnavailable when it cannot be opened. Blocks.
  static Result<std::unique_ptr<SqliteJournal>> open(const std::string& path, Logger& log);
  ~SqliteJournal() override;

  /// Rows that cannot be read are reported to the log and left aside.
  Result<LoadedTables> load() override;
  Status write(const ChangeSet& changes) override;

 private:
  struct Impl;
  explicit SqliteJournal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vcc
