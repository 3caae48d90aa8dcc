// SPDX-License-Identifier: Apache-2.0
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/Session.h>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "store/migrations.h"
#include "unit/store/backends.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Runs SQL on the file as an outsider would.
void runSql(const std::string& path, const std::string& sql) {
  Poco::Data::SQLite::Connector::registerConnector();
  Poco::Data::Session session("SQLite", path);
  session << sql, Poco::Data::Keywords::now;
}

std::string askSql(const std::string& path, const std::string& sql) {
  Poco::Data::SQLite::Connector::registerConnector();
  Poco::Data::Session session("SQLite", path);
  std::string answer;
  session << sql, Poco::Data::Keywords::into(answer), Poco::Data::Keywords::now;
  return answer;
}

/// Remembers ids and fields.
class ListLogger final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view, std::initializer_list<LogField> fields) override {
    std::map<std::string, std::string> line{{"id", std::string(id)}};
    for (const LogField& field : fields) line[std::string(field.key)] = field.value;
    lines.push_back(std::move(line));
  }
  std::vector<std::map<std::string, std::string>> lines;
};

unsigned modeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777U;
}

std::uint64_t sizeOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

TEST_CASE("the factory makes a private file and opens it again") {
  const TempDir dir;
  const mode_t umask_before = umask(0);
  PosixFileSystem files;
  const FakeClock clock;
  InlineExecutor writer;
  NullLogger log;
  {
    auto store = openStore(dir.path(), files, clock, writer, log);
    REQUIRE_MESSAGE(store.ok(), store.status().toString());
    REQUIRE(seed(**store).ok());
    for (const char* name : {"vcc.db", "vcc.db-wal", "vcc.db-shm"}) CHECK(modeOf(dir.file(name)) == 0600);
    CHECK(askSql(dir.file("vcc.db"), "PRAGMA journal_mode") == "wal");
  }
  umask(umask_before);
  const auto again = openStore(dir.path(), files, clock, writer, log);
  REQUIRE(again.ok());
  CHECK(versionOf(**again, "v") == 1);
  const auto missing = openStore(dir.file("none"), files, clock, writer, log);
  CHECK_FALSE(missing.ok());
  CHECK(missing.status().message().find(dir.file("none")) != std::string::npos);
}

TEST_CASE("the database itself keeps the rules") {
  Bench<SqliteBackend> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const std::string path = bench.backend.path();
  CHECK(askSql(path, "SELECT name FROM vc") == "name-v");
  CHECK_THROWS(runSql(path,
                      "INSERT INTO unit SELECT 'u2', vcid, name, kind, provider, instance, network, cci, spec, "
                      "last_node_no, deleting, created_at, fault_at, fault_text FROM unit"));
  CHECK_THROWS(runSql(path, "UPDATE unit SET created_at = 'soon'"));
  CHECK_THROWS(runSql(path, "UPDATE unit SET name = NULL"));
  CHECK_THROWS(runSql(path, "PRAGMA foreign_keys = ON; DELETE FROM vc"));
}

TEST_CASE("a newer schema is refused and nothing is touched") {
  Bench<SqliteBackend> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  bench.store.reset();
  const std::string path = bench.backend.path();
  runSql(path, "UPDATE schema_version SET version = 999");
  PosixFileSystem files;
  const std::string before = *files.read(path, 10U << 20U);
  const Status status = bench.open();
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK(status.message().find("999") != std::string::npos);
  CHECK(status.message().find(path) != std::string::npos);
  CHECK(*files.read(path, 10U << 20U) == before);
  CHECK(askSql(path, "SELECT name FROM unit") == "web");
}

TEST_CASE("a file of another program or of noise is refused and kept") {
  PosixFileSystem files;
  SUBCASE("another program") {
    Bench<SqliteBackend> bench;
    runSql(bench.backend.path(), "CREATE TABLE recipes (name TEXT)");
    CHECK(bench.open().code() == Code::kFailedPrecondition);
    CHECK(askSql(bench.backend.path(), "SELECT group_concat(name) FROM sqlite_master") == "recipes");
  }
  SUBCASE("noise") {
    Bench<SqliteBackend> bench;
    const std::string noise(5000, '#');
    REQUIRE(files.writeAtomic(bench.backend.path(), noise, 0600).ok());
    const Status status = bench.open();
    CHECK_FALSE(status.ok());
    CHECK(status.message().find(bench.backend.path()) != std::string::npos);
    CHECK(*files.read(bench.backend.path(), 10000) == noise);
  }
}

TEST_CASE("an interrupted first start is finished by the next") {
  Bench<SqliteBackend> bench;
  runSql(bench.backend.path(), "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT");
  runSql(bench.backend.path(), "DROP TABLE schema_version");
  REQUIRE(bench.open().ok());
  CHECK(askSql(bench.backend.path(), "SELECT version FROM schema_version") == std::to_string(migrationSteps().size()));
  REQUIRE(bench.open().ok());
  CHECK(askSql(bench.backend.path(), "SELECT count(*) FROM schema_version") == "1");
}

TEST_CASE("damaged rows are reported, left aside and stay untouched, and the rest goes on") {
  ListLogger log;
  Bench<SqliteBackend> bench;
  bench.log = &log;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  REQUIRE(bench.store
              ->transact([](Tx& tx) {
                VCC_RETURN_IF_ERROR(tx.units().put(makeUnit("ok", "v", "fine")));
                VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode("n", "u", 1)));
                VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode("n2", "ok", 1)));
                return tx.machines().put({.machine_id = "m", .vcid = "v", .name = "m"});
              })
              .ok());
  bench.store.reset();
  const std::string path = bench.backend.path();
  runSql(path, "UPDATE unit SET kind = 'cubic' WHERE unit_id = 'u'");
  runSql(path, "UPDATE machine SET resources = '[[\"nic\"', want_destroy = 7");
  REQUIRE(bench.open().ok());

  REQUIRE(log.lines.size() == 2);
  CHECK(log.lines[0]["id"] == "STORE_ROW_DAMAGED");
  CHECK(log.lines[0]["table"] == "unit");
  CHECK(log.lines[0]["key"] == "u");
  CHECK(log.lines[0]["cause"].find("kind") != std::string::npos);
  CHECK(log.lines[1]["table"] == "machine");
  CHECK(log.lines[1]["cause"].find("resources, want_destroy") != std::string::npos);

  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().size(); }) == 1);
  CHECK(countNodes(*bench.store) == 2);
  const auto run = [&](const Store::Body& body) { return bench.store->transact(body); };
  // Its place is held: taking it would make a flush fail for everybody.
  const Status same_key = run([](Tx& tx) { return tx.units().put(makeUnit("u", "v", "another")); });
  CHECK(same_key.code() == Code::kAlreadyExists);
  CHECK(same_key.message().find("could not be read") != std::string::npos);
  CHECK(run([](Tx& tx) { return tx.units().put(makeUnit("new", "v", "web")); }).code() == Code::kAlreadyExists);
  CHECK(run([](Tx& tx) {
          tx.units().erase("u");
          tx.nodes().erase("n2");
          tx.units().erase("ok");
          tx.vcs().erase("v");
          return okStatus();
        }).code() == Code::kFailedPrecondition);
  // Its nodes can still be worked on.
  CHECK(run([](Tx& tx) {
          Node node = *tx.nodes().find("n");
          node.goal = Goal::kGone;
          return tx.nodes().put(node);
        }).ok());
  CHECK(run([](Tx& tx) {
          tx.nodes().erase("n");
          return okStatus();
        }).ok());
  bench.store.reset();
  CHECK(askSql(path, "SELECT kind || name FROM unit WHERE unit_id = 'u'") == "cubicweb");
  CHECK(askSql(path, "SELECT resources || want_destroy FROM machine") == "[[\"nic\"7");
}

TEST_CASE("a full disk: nothing changes, the cause is told, and it heals") {
  // The limit on file size is a refusal by the kernel, also for root. SIGXFSZ would end the process.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  Bench<SqliteBackend> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const std::string path = bench.backend.path();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit tight = before;
  tight.rlim_cur = std::max<rlim_t>(sizeOf(path + "-wal"), sizeOf(path)) + 20000;
  const auto put = [&](const std::string& id, std::size_t bytes) {
    return bench.store->transact([&](Tx& tx) {
      Unit unit = makeUnit(id, "v", id);
      unit.cci.assign(bytes, 'x');
      return tx.units().put(unit);
    });
  };
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const Status big = put("big", 500000);
  const Status health = bench.store->health();
  const std::size_t units = look(*bench.store, [](const ReadTx& tx) { return tx.units().size(); });
  const Status again = put("big", 500000);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_handler);

  CHECK(big.code() == Code::kUnavailable);
  CHECK(big.message().find(path) != std::string::npos);
  CHECK(health.code() == Code::kUnavailable);
  CHECK(units == 1);
  CHECK(again.code() == Code::kUnavailable);
  CHECK(put("big", 500000).ok());
  CHECK(bench.store->health().ok());
  REQUIRE(bench.open().ok());
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().size(); }) == 2);
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().find("big")->cci.size(); }) == 500000);
  CHECK(askSql(path, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("a thousand nodes and machines are stored and read back") {
  Bench<SqliteBackend> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  REQUIRE(bench.store
              ->transact([](Tx& tx) {
                for (int i = 0; i < 1000; ++i) {
                  const std::string id = std::to_string(i);
                  VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode(id, "u", i)));
                  VCC_RETURN_IF_ERROR(
                      tx.machines().put({.machine_id = id, .node_id = id, .unit_id = "u", .vcid = "v", .name = id}));
                }
                return okStatus();
              })
              .ok());
  REQUIRE(bench.open().ok());
  CHECK(countNodes(*bench.store) == 1000);
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.machines().find("999")->name; }) == "999");
}
