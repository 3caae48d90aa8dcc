// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/log.h"
#include "store/fault_journal.h"
#include "store/memory_journal.h"
#include "store/mirror_store.h"
#include "store/open_store.h"
#include "store/sqlite_journal.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

/// The disks that the store tests run over. Each offers `journal()`, a new journal on the same disk, so that opening
/// a second store is a restart.
namespace vcc::test {

struct MemoryBackend {
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  Result<std::unique_ptr<Journal>> journal(Logger&) {
    return std::unique_ptr<Journal>(std::make_unique<MemoryJournal>(disk));
  }
};

struct SqliteBackend {
  TempDir dir;
  std::string path() const { return dir.file(kDatabaseName); }
  Result<std::unique_ptr<Journal>> journal(Logger& log) {
    PosixFileSystem files;
    if (!files.exists(path())) VCC_RETURN_IF_ERROR(files.writeAtomic(path(), "", 0600));
    VCC_ASSIGN_OR_RETURN(auto opened, SqliteJournal::open(path(), log));
    return std::unique_ptr<Journal>(std::move(opened));
  }
};

/// Any of the others, with faults.
template <typename Inner>
struct FaultBackend : Inner {
  std::shared_ptr<FaultPlan> plan = std::make_shared<FaultPlan>();
  Result<std::unique_ptr<Journal>> journal(Logger& log) {
    VCC_ASSIGN_OR_RETURN(auto inner, Inner::journal(log));
    return std::unique_ptr<Journal>(std::make_unique<FaultJournal>(std::move(inner), plan));
  }
};

using FaultMemoryBackend = FaultBackend<MemoryBackend>;
using FaultSqliteBackend = FaultBackend<SqliteBackend>;

/// A store that can be opened again, whatever lies below.
struct AnyBench {
  std::unique_ptr<MirrorStore> store;
  virtual ~AnyBench() = default;
  virtual Status open() = 0;
};

/// A store on a backend, with what it needs around it.
template <typename Backend>
struct Bench final : AnyBench {
  Backend backend;
  FakeClock clock;
  NullLogger quiet;
  Logger* log = &quiet;
  InlineExecutor inline_writer;
  Executor* writer = &inline_writer;
  StoreOptions options;

  Status open() override {
    store.reset();
    VCC_ASSIGN_OR_RETURN(auto journal, backend.journal(*log));
    VCC_ASSIGN_OR_RETURN(store, MirrorStore::open(std::move(journal), clock, *writer, *log, options));
    return okStatus();
  }
  Bench() = default;
  explicit Bench(Executor& other) : writer(&other) {}
  ~Bench() override { store.reset(); }  // before what it borrows
};

inline Vc makeVc(const std::string& vcid) { return {.vcid = vcid, .vcno = 1, .name = "name-" + vcid}; }
inline Unit makeUnit(const std::string& id, const std::string& vcid, const std::string& name) {
  return {.unit_id = id, .vcid = vcid, .name = name};
}
inline Node makeNode(const std::string& id, const std::string& unit_id, std::int64_t no,
                     const std::string& vcid = "v") {
  return {.node_id = id, .vcid = vcid, .unit_id = unit_id, .node_no = no};
}

/// A VC "v" with a unit "u".
inline Status seed(Store& store) {
  return store.transact([](Tx& tx) {
    VCC_RETURN_IF_ERROR(tx.vcs().put(makeVc("v")));
    return tx.units().put(makeUnit("u", "v", "web"));
  });
}

/// `get(ReadTx)` of the store as it is now.
template <typename Get>
auto look(const Store& store, Get get) {
  decltype(get(std::declval<const ReadTx&>())) out{};
  store.read([&](const ReadTx& tx) { out = get(tx); });
  return out;
}

inline std::size_t countNodes(const Store& store) {
  return look(store, [](const ReadTx& tx) { return tx.nodes().size(); });
}
inline std::int64_t versionOf(const Store& store, const std::string& vcid) {
  return look(store, [&](const ReadTx& tx) { return tx.vcs().find(vcid)->version; });
}

}  // namespace vcc::test
