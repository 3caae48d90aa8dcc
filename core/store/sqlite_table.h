// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "store/field.h"

namespace vcc {

struct SqliteColumn {
  std::string name;
  ColumnKind kind;
};

/// One table of a SQLite database, read and written as rows. Its statements are prepared at first use and kept.
/// Throws Poco::Exception. One thread at a time; dies before the session.
class SqliteTable {
 public:
  /// The first `key_columns` of `columns` are the primary key.
  SqliteTable(Poco::Data::Session& session, std::string name, std::vector<SqliteColumn> columns,
              std::size_t key_columns);
  SqliteTable(const SqliteTable&) = delete;
  SqliteTable& operator=(const SqliteTable&) = delete;

  /// Calls `visit` with each row, which it may move from.
  void readAll(const std::function<void(Row&&)>& visit);
  /// Inserts the row or replaces the one with its key.
  void upsert(Row row);
  /// Removes the row that has the key of `row`.
  void erase(Row row);

 private:
  std::string list(std::size_t count, const std::string& before, const std::string& after,
                   const std::string& separator) const;

  Poco::Data::Session& session_;
  std::string name_;
  std::vector<SqliteColumn> columns_;
  std::size_t key_columns_;
  Row bound_;  // what the statements below send
  Poco::Data::Statement upsert_;
  Poco::Data::Statement erase_;
};

}  // namespace vcc
