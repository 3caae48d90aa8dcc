// SPDX-License-Identifier: Apache-2.0
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/Session.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>

#include "base/executor.h"
#include "store/open_store.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Counts lines by id.
class CountingLogger final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view, std::initializer_list<LogField>) override {
    ++lines[std::string(id)];
  }
  std::map<std::string, int> lines;
};

}  // namespace

TEST_CASE("a data folder of step 1 opens with everything in it") {
  const TempDir dir;
  std::filesystem::copy_file(std::string(VCC_SOURCE_DIR) + "/tests/fixtures/data/step-1/vcc.db",
                             dir.file(kDatabaseName));
  const FakeClock clock;
  PosixFileSystem files;
  InlineExecutor writer;
  CountingLogger log;
  const auto store = openStore(dir.path(), files, clock, writer, log);
  REQUIRE_MESSAGE(store.ok(), store.status().toString());
  CHECK(log.lines["STORE_ROW_DAMAGED"] == 0);

  std::map<std::string, int> nodes_of;
  (*store)->read([&](const ReadTx& tx) {
    CHECK(tx.vcs().size() == 2);
    CHECK(tx.users().size() == 2);
    CHECK(tx.tokens().size() == 2);
    CHECK(tx.addresses().size() == 1);
    CHECK(tx.requests().size() == 3);  // one for each unit
    CHECK(tx.metas().find("evaluation") != nullptr);
    tx.nodes().scan([&](const Node& node) {
      const Unit* unit = tx.units().find(node.unit_id);
      REQUIRE(unit != nullptr);
      ++nodes_of[unit->name];
      const Machine* machine = tx.machines().find(node.machine_id);
      REQUIRE(machine != nullptr);
      CHECK(machine->cloud_id.starts_with("mock-"));
      const bool booting = unit->name == "booting";
      CHECK(node.state == (booting ? State::kBooting : State::kRunning));
      CHECK(node.settled() != booting);
      CHECK(node.step == (booting ? Step::kAddress : Step::kNone));
      if (unit->name == "fixed") CHECK(machine->address == "10.250.7.1");
      CHECK(machine->create_size == (unit->name == "web" ? 3 : unit->name == "fixed" ? 1 : 2));
      const Request* request = tx.requests().find(machine->request_id);
      REQUIRE(request != nullptr);
      CHECK(request->text.find("\"unit_name\":\"" + unit->name + "\"") != std::string::npos);
      CHECK(request->text.ends_with(R"(,"catalog_entry":null})"));
      CHECK(machine->doubt_at == 0);  // every create was answered
      return true;
    });
  });
  CHECK(nodes_of == std::map<std::string, int>{{"web", 3}, {"fixed", 1}, {"booting", 2}});

  // And it goes on from there: counters are not used twice.
  CHECK((*store)
            ->transact([](Tx& tx) -> Status {
              CHECK(tx.nextCounter("vcno") == 3);
              Vc vc;
              vc.vcid = "00000000000000000000000000000001";
              vc.name = "new";
              return tx.vcs().put(vc);
            })
            .ok());
}

TEST_CASE("an op of step 1 that was sent, or was not, is carried over to its machines") {
  const TempDir dir;
  const std::string path = dir.file(kDatabaseName);
  std::filesystem::copy_file(std::string(VCC_SOURCE_DIR) + "/tests/fixtures/data/step-1/vcc.db", path);
  const FakeClock clock;
  PosixFileSystem files;
  InlineExecutor writer;
  CountingLogger log;
  {
    Poco::Data::SQLite::Connector::registerConnector();
    Poco::Data::Session session("SQLite", path);
    const auto run = [&](const std::string& sql) { session << sql, Poco::Data::Keywords::now; };
    for (const char* unit : {"web", "booting"}) {
      const std::string machines =
          fmt::format("\"unit_id\" = (SELECT \"unit_id\" FROM \"unit\" WHERE \"name\" = '{}')", unit);
      const std::int64_t sent_at = std::string(unit) == "web" ? 700 : 0;
      run(
          fmt::format("INSERT INTO \"op\" SELECT \"create_op\", 'create', \"vcid\", \"instance\", \"scope\", \"spec\", "
                      "json_group_array(json_array(\"machine_id\", 'open', '0')), {0} > 0, {0}, {0}, 0, 0, 1, 1 "
                      "FROM \"machine\" WHERE {1}",
                      sent_at, machines));
      run(fmt::format("UPDATE \"machine\" SET \"open_op\" = \"create_op\" WHERE {}", machines));
    }
  }
  const auto store = openStore(dir.path(), files, clock, writer, log);
  REQUIRE_MESSAGE(store.ok(), store.status().toString());
  CHECK(log.lines["STORE_ROW_DAMAGED"] == 0);
  (*store)->read([&](const ReadTx& tx) {
    CHECK(tx.ops().size() == 2);
    tx.machines().scan([&](const Machine& machine) {
      const std::string unit = tx.units().find(machine.unit_id)->name;
      CHECK(machine.doubt_at == (unit == "web" ? 700 : 0));
      CHECK(machine.doubt_parts == (unit == "web" ? 1 : 0));
      CHECK(machine.create_size == (unit == "web" ? 3 : unit == "fixed" ? 1 : 0));
      return true;
    });
  });
}

TEST_CASE("a data folder of step 5 opens with its disks and with nodes in every settled state") {
  const TempDir dir;
  std::filesystem::copy_file(std::string(VCC_SOURCE_DIR) + "/tests/fixtures/data/step-5/vcc.db",
                             dir.file(kDatabaseName));
  const FakeClock clock;
  PosixFileSystem files;
  InlineExecutor writer;
  CountingLogger log;
  const auto store = openStore(dir.path(), files, clock, writer, log);
  REQUIRE_MESSAGE(store.ok(), store.status().toString());
  CHECK(log.lines["STORE_ROW_DAMAGED"] == 0);
  (*store)->read([&](const ReadTx& tx) {
    std::map<std::string, std::map<State, int>> states;
    tx.nodes().scan([&](const Node& node) {
      const Unit* unit = tx.units().find(node.unit_id);
      REQUIRE(unit != nullptr);
      ++states[unit->name][node.state];
      CHECK(node.settled() == (unit->name != "booting"));
      const Machine* machine = tx.machines().find(node.machine_id);
      CHECK((machine == nullptr) == (node.state == State::kStopped));
      if (machine) CHECK(machine->kind == unit->kind);
      return true;
    });
    using States = std::map<State, int>;
    CHECK(states["ebs"] == States{{State::kRunning, 2}});
    CHECK(states["held"] == States{{State::kRunning, 1}});
    CHECK(states["booting"] == States{{State::kBooting, 2}});
    CHECK(states["web"] ==
          States{{State::kRunning, 1}, {State::kSuspended, 1}, {State::kPowerOff, 1}, {State::kStopped, 1}});
    CHECK(tx.attachments().size() == 1);
    CHECK(tx.sweepPlaces().size() >= 1);
    tx.attachments().scan([&](const Attachment& tie) {
      CHECK(tie.state == AttachState::kAttached);
      CHECK(tx.nodes().find(tie.disk) != nullptr);
      CHECK(tx.machines().find(tie.machine_id) != nullptr);
      return true;
    });
  });
}

TEST_CASE("a data folder of step 6 opens with nodes that are watched, are not, and were going off") {
  const TempDir dir;
  std::filesystem::copy_file(std::string(VCC_SOURCE_DIR) + "/tests/fixtures/data/step-6/vcc.db",
                             dir.file(kDatabaseName));
  const FakeClock clock;
  PosixFileSystem files;
  InlineExecutor writer;
  CountingLogger log;
  const auto store = openStore(dir.path(), files, clock, writer, log);
  REQUIRE_MESSAGE(store.ok(), store.status().toString());
  CHECK(log.lines["STORE_ROW_DAMAGED"] == 0);
  std::map<State, int> states;
  int unwatched = 0;
  (*store)->read([&](const ReadTx& tx) {
    tx.nodes().scan([&](const Node& node) {
      ++states[node.state];
      unwatched += node.watch_mode ? 0 : 1;
      CHECK(node.settled() == (node.state != State::kShuttingDown));
      return true;
    });
  });
  CHECK(states == std::map<State, int>{{State::kRunning, 3}, {State::kPowerOff, 1}, {State::kShuttingDown, 1}});
  CHECK(unwatched == 2);
}
