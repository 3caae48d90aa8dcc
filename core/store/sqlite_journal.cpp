// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_journal.h"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/Session.h>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/migrations.h"
#include "store/sqlite_table.h"

namespace vcc {
namespace {

using Poco::Data::Session;
using Poco::Data::Keywords::into;
using Poco::Data::Keywords::now;

/// How long a statement waits for another process that reads or copies the file.
constexpr int kBusyMs = 5000;

Status sqliteError(const std::string& attempt, const std::string& path, const Poco::Exception& error) {
  namespace sqlite = Poco::Data::SQLite;
  Code code = Code::kUnavailable;
  std::string remedy = "check the disk and the system log";
  if (dynamic_cast<const sqlite::DatabaseFullException*>(&error) != nullptr) {
    remedy = "free space on the file system of the data folder";
  } else if (dynamic_cast<const sqlite::ReadOnlyException*>(&error) != nullptr ||
             dynamic_cast<const sqlite::CantOpenDBFileException*>(&error) != nullptr) {
    remedy = "make the data folder writable for the user of the server";
  } else if (dynamic_cast<const sqlite::CorruptImageException*>(&error) != nullptr) {
    code = Code::kDataLoss;
    remedy = "restore the file from a backup";
  }
  return {code, fmt::format("cannot {} {}: {}; {}", attempt, path, error.displayText(), remedy)};
}

std::int64_t number(Session& session, const std::string& sql) {
  std::int64_t value = 0;
  session << sql, into(value), now;
  return value;
}

void execute(Session& session, std::string_view sql) { session << std::string(sql), now; }

/// The table of T, made at first use.
template <typename T>
struct TableOf {
  std::unique_ptr<SqliteTable> table;
};

template <typename T>
std::unique_ptr<SqliteTable> makeTable(Session& session) {
  std::vector<SqliteColumn> columns;
  for (const auto& field : Schema<T>::kFields) columns.push_back({std::string(field.name), field.kind});
  return std::make_unique<SqliteTable>(session, std::string(Schema<T>::kTable), std::move(columns),
                                       Schema<T>::kKeyColumns);
}

template <typename T>
bool movesUniqueValue(const Change<T>& change) {
  for (const auto& unique : Schema<T>::kUnique) {
    if (unique.value(*change.before) != unique.value(*change.after)) return true;
  }
  return false;
}

template <typename T>
LoadedTable<T> loadTable(Session& session, Logger& log) {
  LoadedTable<T> table;
  makeTable<T>(session)->readAll([&](Row&& row) {
    auto record = std::make_shared<T>();
    const Status status = fromRow(std::move(row), *record);
    if (status.ok()) {
      table.records.push_back(std::move(record));
      return;
    }
    log.error("STORE_ROW_DAMAGED", "a record is left aside; everything else goes on",
              {{"table", Schema<T>::kTable}, {"key", Schema<T>::key(*record)}, {"cause", status.message()}});
    table.damaged.push_back(std::move(record));
  });
  return table;
}

/// The version of the schema in the file; 0 for an empty file. Changes nothing.
Result<std::int64_t> readVersion(Session& session, const std::string& path) {
  const std::int64_t tables = number(session, "SELECT count(*) FROM sqlite_master");
  if (tables == 0) return std::int64_t{0};
  if (number(session, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'") == 0) {
    return failedPrecondition(fmt::format(
        "cannot use {} as the store: it is a database of another program; choose another data folder", path));
  }
  const std::int64_t version = number(session, "SELECT version FROM schema_version");
  const auto known = static_cast<std::int64_t>(migrationSteps().size());
  if (version > known) {
    return failedPrecondition(fmt::format(
        "cannot use {} as the store: its schema version {} is newer than {}, the newest that this server knows; start "
        "the newer server, or restore the data folder from before the upgrade",
        path, version, known));
  }
  return version;
}

/// Each step is one transaction with its version number, so an interrupted upgrade goes on where it was.
void migrate(Session& session, std::int64_t version) {
  const auto steps = migrationSteps();
  for (auto step = static_cast<std::size_t>(version); step < steps.size(); ++step) {
    execute(session, "BEGIN IMMEDIATE");
    if (step == 0) {
      execute(session, "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT");
      execute(session, "INSERT INTO schema_version VALUES (0)");
    }
    for (const std::string_view sql : steps[step]) execute(session, sql);
    execute(session, fmt::format("UPDATE schema_version SET version = {}", step + 1));
    execute(session, "COMMIT");
  }
}

}  // namespace

struct SqliteJournal::Impl {
  Impl(std::string p, Logger& l) : path(std::move(p)), log(l), session("SQLite", path) {}

  template <typename T>
  SqliteTable& table() {
    auto& slot = std::get<TableOf<T>>(tables).table;
    if (!slot) slot = makeTable<T>(session);
    return *slot;
  }

  template <typename T>
  void eraseRows(const TableChanges<T>& changes) {
    for (const auto& [key, change] : changes) {
      if (change.before && (!change.after || movesUniqueValue(change))) table<T>().erase(toRow(*change.before));
    }
  }

  template <typename T>
  void storeRows(const TableChanges<T>& changes) {
    for (const auto& [key, change] : changes) {
      if (change.after) table<T>().upsert(toRow(*change.after));
    }
  }

  std::string path;
  Logger& log;
  Session session;
  PerRecord<TableOf> tables;  // die before the session
};

SqliteJournal::SqliteJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteJournal::~SqliteJournal() = default;

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const std::string& path, Logger& log) {
  try {
    Poco::Data::SQLite::Connector::registerConnector();
    auto impl = std::make_unique<Impl>(path, log);
    Session& session = impl->session;
    execute(session, fmt::format("PRAGMA busy_timeout = {}", kBusyMs));
    VCC_ASSIGN_OR_RETURN(const std::int64_t version, readVersion(session, path));
    std::string mode;
    session << "PRAGMA journal_mode = WAL", into(mode), now;
    if (mode != "wal") {
      return failedPrecondition(fmt::format(
          "cannot use {} as the store: the file system offers no shared memory for a write-ahead log (mode '{}'); put "
          "the data folder on a local file system",
          path, mode));
    }
    execute(session, "PRAGMA synchronous = FULL");
    execute(session, "PRAGMA foreign_keys = ON");
    execute(session, "PRAGMA secure_delete = ON");  // a secret that was taken out is not left in a free page
    migrate(session, version);
    return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(impl)));
  } catch (const Poco::Exception& error) {
    return sqliteError("open the database", path, error);
  }
}

Result<LoadedTables> SqliteJournal::load() {
  try {
    LoadedTables loaded;
    std::apply(
        [this]<typename... T>(LoadedTable<T>&... table) { ((table = loadTable<T>(impl_->session, impl_->log)), ...); },
        loaded);
    return loaded;
  } catch (const Poco::Exception& error) {
    return sqliteError("read the database", impl_->path, error);
  }
}

Status SqliteJournal::write(const ChangeSet& changes) {
  Session& session = impl_->session;
  try {
    execute(session, "BEGIN IMMEDIATE");
    // Rows that give up a unique value go first, so that the order of the others does not matter.
    changes.forEachTable([this](const auto& table) { impl_->eraseRows(table); });
    changes.forEachTable([this](const auto& table) { impl_->storeRows(table); });
    execute(session, "COMMIT");
    return okStatus();
  } catch (const Poco::Exception& error) {
    Status status = sqliteError("store changes in", impl_->path, error);
    impl_->tables = {};  // a statement that failed half-way would keep the transaction open
    try {
      execute(session, "ROLLBACK");
    } catch (const Poco::Exception&) {
      // SQLite has rolled back by itself after a full disk or an I/O error.
    }
    return status;
  }
}

}  // namespace vcc
