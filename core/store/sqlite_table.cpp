// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_table.h"

#include <Poco/Data/AbstractBinding.h>
#include <Poco/Data/AbstractExtraction.h>
#include <Poco/Data/LOB.h>
#include <Poco/Data/Limit.h>
#include <fmt/format.h>

#include <utility>

namespace vcc {
namespace {

/// Binds the leading cells of a row to the placeholders of a statement.
class RowBinding final : public Poco::Data::AbstractBinding {
 public:
  RowBinding(const Row& row, std::size_t count) : row_(row), count_(count) {}
  std::size_t numOfColumnsHandled() const override { return count_; }
  std::size_t numOfRowsHandled() const override { return 1; }
  bool canBind() const override { return !bound_; }
  void bind(std::size_t pos) override {
    for (std::size_t i = 0; i < count_; ++i) {
      std::visit([&](const auto& cell) { getBinder()->bind(pos + i, cell, getDirection()); }, row_[i]);
    }
    bound_ = true;
  }
  void reset() override {
    bound_ = false;
    getBinder()->reset();
  }

 private:
  const Row& row_;
  std::size_t count_;
  bool bound_ = false;
};

/// Takes a result row. Texts arrive as blobs: Poco would end them at the first zero byte.
class RowExtraction final : public Poco::Data::AbstractExtraction {
 public:
  RowExtraction(Row& row, const std::vector<SqliteColumn>& columns) : row_(row), columns_(columns) {}
  std::size_t numOfColumnsHandled() const override { return columns_.size(); }
  std::size_t numOfRowsHandled() const override { return extracted_ ? 1 : 0; }
  std::size_t numOfRowsAllowed() const override { return 1; }
  bool canExtract() const override { return !extracted_; }
  void reset() override { extracted_ = false; }
  Poco::Data::AbstractPreparation::Ptr createPreparation(Poco::Data::AbstractPreparator::Ptr&, std::size_t) override {
    return {};  // SQLite prepares no results
  }
  std::size_t extract(std::size_t pos) override {
    row_.clear();
    auto extractor = getExtractor();
    for (const SqliteColumn& column : columns_) {
      if (column.kind == ColumnKind::kInt) {
        Poco::Int64 number = 0;
        extractor->extract(pos++, number);
        row_.emplace_back(std::int64_t{number});
      } else {
        Poco::Data::BLOB bytes;
        extractor->extract(pos++, bytes);
        row_.emplace_back(std::string(reinterpret_cast<const char*>(bytes.rawContent()), bytes.size()));
      }
    }
    extracted_ = true;
    return 1;
  }

 private:
  Row& row_;
  const std::vector<SqliteColumn>& columns_;
  bool extracted_ = false;
};

}  // namespace

SqliteTable::SqliteTable(Poco::Data::Session& session, std::string name, std::vector<SqliteColumn> columns,
                         std::size_t key_columns)
    : session_(session),
      name_(std::move(name)),
      columns_(std::move(columns)),
      key_columns_(key_columns),
      upsert_(session),
      erase_(session) {
  const std::size_t all = columns_.size();
  std::string places = "?";
  for (std::size_t i = 1; i < all; ++i) places += ", ?";
  std::string updates;
  for (const SqliteColumn& column : columns_) {
    updates += fmt::format(R"({}"{}" = excluded."{}")", updates.empty() ? "" : ", ", column.name, column.name);
  }
  const auto binding = [this](std::size_t count) -> Poco::Data::AbstractBinding::Ptr {
    return new RowBinding(bound_, count);
  };
  upsert_ << fmt::format(R"(INSERT INTO "{}" ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {})", name_,
                         list(all, "\"", "\"", ", "), places, list(key_columns_, "\"", "\"", ", "), updates),
      binding(all);
  erase_ << fmt::format(R"(DELETE FROM "{}" WHERE {})", name_, list(key_columns_, "\"", "\" = ?", " AND ")),
      binding(key_columns_);
}

void SqliteTable::readAll(const std::function<void(Row&&)>& visit) {
  std::string names;
  for (const SqliteColumn& column : columns_) {
    // With the table's name before it: SQLite takes an unknown name in quotes alone for a text.
    const std::string full = fmt::format(R"("{}"."{}")", name_, column.name);
    names += names.empty() ? "" : ", ";
    names += column.kind == ColumnKind::kText ? fmt::format("CAST({} AS BLOB)", full) : full;
  }
  Row row;
  Poco::Data::Statement select(session_);
  const Poco::Data::AbstractExtraction::Ptr extraction = new RowExtraction(row, columns_);
  select << fmt::format(R"(SELECT {} FROM "{}")", names, name_), extraction, Poco::Data::Keywords::limit(1);
  while (!select.done()) {
    if (select.execute() > 0) visit(std::exchange(row, {}));
  }
}

void SqliteTable::upsert(Row row) {
  bound_ = std::move(row);
  upsert_.execute();
}

void SqliteTable::erase(Row row) {
  bound_ = std::move(row);
  erase_.execute();
}

std::string SqliteTable::list(std::size_t count, const std::string& before, const std::string& after,
                              const std::string& separator) const {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += separator;
    out += before + columns_[i].name + after;
  }
  return out;
}

}  // namespace vcc
