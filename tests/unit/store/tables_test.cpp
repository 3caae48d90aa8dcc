// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "unit/store/backends.h"

using namespace vcc;
using namespace vcc::test;

#define BACKENDS MemoryBackend, SqliteBackend, FaultMemoryBackend

namespace {

std::vector<std::string> nodesOf(const ReadTx& tx, const std::string& unit_id) {
  std::vector<std::string> ids;
  tx.nodes().scan("unit_id", unit_id, [&](const Node& node) {
    ids.push_back(node.node_id);
    return true;
  });
  return ids;
}

}  // namespace

TEST_CASE_TEMPLATE("put, find, replace, erase", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const Status status = bench.store->transact([](Tx& tx) {
    VCC_RETURN_IF_ERROR(tx.users().put({.name = "ann", .role = UserRole::kSuper, .created_at = 7}));
    CHECK(tx.users().find("ann")->created_at == 7);
    CHECK(tx.users().find("bob") == nullptr);
    VCC_RETURN_IF_ERROR(tx.users().put({.name = "ann", .role = UserRole::kRegular, .created_at = 8}));
    CHECK(tx.users().find("ann")->created_at == 8);
    CHECK(tx.users().size() == 1);
    tx.users().erase("bob");
    CHECK(tx.users().size() == 1);
    return okStatus();
  });
  REQUIRE(status.ok());
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().find("ann")->created_at; }) == 8);
  REQUIRE(bench.store
              ->transact([](Tx& tx) {
                // The key lies in the record that goes.
                tx.users().erase(tx.users().find("ann")->name);
                return okStatus();
              })
              .ok());
  REQUIRE(bench.open().ok());
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().size(); }) == 0);
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().find("u")->name; }) == "web");
}

TEST_CASE_TEMPLATE("scans go in key order, through indexes that follow every change", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const auto put = [&](Node node) { return bench.store->transact([&](Tx& tx) { return tx.nodes().put(node); }).ok(); };
  REQUIRE(bench.store->transact([](Tx& tx) { return tx.units().put(makeUnit("w", "v", "other")); }).ok());
  for (const char* id : {"c", "a", "b"}) REQUIRE(put(makeNode(id, "u", id[0])));
  REQUIRE(put(makeNode("d", "w", 1)));
  const auto of = [&](const std::string& unit) {
    return look(*bench.store, [&](const ReadTx& tx) { return nodesOf(tx, unit); });
  };
  CHECK(of("u") == std::vector<std::string>{"a", "b", "c"});
  CHECK(of("w") == std::vector<std::string>{"d"});
  CHECK(of("none").empty());
  REQUIRE(put(makeNode("b", "w", 2)));  // moves
  REQUIRE(bench.store
              ->transact([](Tx& tx) {
                tx.nodes().erase("a");
                return okStatus();
              })
              .ok());
  CHECK(of("u") == std::vector<std::string>{"c"});
  CHECK(of("w") == std::vector<std::string>{"b", "d"});
  REQUIRE(bench.open().ok());
  CHECK(of("u") == std::vector<std::string>{"c"});
  CHECK(of("w") == std::vector<std::string>{"b", "d"});
  int seen = 0;
  bench.store->read([&](const ReadTx& tx) { tx.nodes().scan([&](const Node&) { return ++seen < 2; }); });
  CHECK(seen == 2);
}

TEST_CASE_TEMPLATE("a visit may change the table that it walks", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  std::vector<std::string> seen;
  const Status status = bench.store->transact([&](Tx& tx) {
    for (const char* id : {"a", "b", "c", "d"}) VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode(id, "u", id[0])));
    tx.nodes().scan("unit_id", "u", [&](const Node& node) {
      seen.push_back(node.node_id);
      if (node.node_id == "a") tx.nodes().erase("b");
      tx.nodes().erase(seen.back());
      return true;
    });
    return okStatus();
  });
  REQUIRE(status.ok());
  CHECK(seen == std::vector<std::string>{"a", "c", "d"});
  CHECK(countNodes(*bench.store) == 0);
}

TEST_CASE_TEMPLATE("an unknown index is a bug that is reported and changes nothing", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  const Status status = bench.store->transact([](Tx& tx) {
    VCC_RETURN_IF_ERROR(tx.users().put({.name = "ann"}));
    tx.nodes().scan("colour", "red", [](const Node&) { return true; });
    return okStatus();
  });
  CHECK(status.code() == Code::kInternal);
  CHECK(status.message().find("colour") != std::string::npos);
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().size(); }) == 0);
}

TEST_CASE_TEMPLATE("unique values are refused inside the transaction, which may go on", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const Status status = bench.store->transact([](Tx& tx) {
    const Status taken = tx.units().put(makeUnit("u2", "v", "web"));
    CHECK(taken.code() == Code::kAlreadyExists);
    CHECK(taken.message().find("'u'") != std::string::npos);
    CHECK(tx.units().put(makeUnit("u", "v", "web")).ok());  // itself
    VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode("n1", "u", 1)));
    CHECK(tx.nodes().put(makeNode("n2", "u", 1)).code() == Code::kAlreadyExists);
    VCC_RETURN_IF_ERROR(tx.machines().put({.machine_id = "m1", .name = "vcp-1"}));
    CHECK(tx.machines().put({.machine_id = "m2", .name = "vcp-1"}).code() == Code::kAlreadyExists);
    tx.machines().erase("m1");
    return tx.machines().put({.machine_id = "m2", .name = "vcp-1"});
  });
  CHECK_MESSAGE(status.ok(), status.toString());
  CHECK(countNodes(*bench.store) == 1);
}

TEST_CASE_TEMPLATE("two records may swap a unique value, in one transaction or across several", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  REQUIRE(bench.store->transact([](Tx& tx) { return tx.units().put(makeUnit("a", "v", "db")); }).ok());
  const auto swap = [](Tx& tx) {
    Unit u = *tx.units().find("u");
    Unit a = *tx.units().find("a");
    const std::string name = u.name;
    u.name = "between";
    VCC_RETURN_IF_ERROR(tx.units().put(u));
    u.name = std::exchange(a.name, name);
    VCC_RETURN_IF_ERROR(tx.units().put(a));
    return tx.units().put(u);
  };
  REQUIRE(bench.store->transact(swap).ok());
  CHECK(bench.store
            ->transact([&](Tx& tx) {
              VCC_RETURN_IF_ERROR(swap(tx));
              return aborted("taken back");
            })
            .code() == Code::kAborted);
  for (int i = 0; i < 2; ++i) {
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().find("u")->name; }) == "db");
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().find("a")->name; }) == "web");
    REQUIRE(bench.open().ok());
  }
}

TEST_CASE_TEMPLATE("a body that fails or throws leaves no trace", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const std::int64_t version = versionOf(*bench.store, "v");
  const auto change = [](Tx& tx) {
    VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode("n", "u", 1)));
    Unit unit = *tx.units().find("u");
    unit.name = "renamed";
    VCC_RETURN_IF_ERROR(tx.units().put(unit));
    tx.users().erase("ann");
    return tx.users().put({.name = "ann"});
  };
  CHECK(bench.store
            ->transact([&](Tx& tx) {
              VCC_RETURN_IF_ERROR(change(tx));
              return failedPrecondition("no");
            })
            .message() == "no");
  CHECK(bench.store
            ->transact([&](Tx& tx) -> Status {
              VCC_RETURN_IF_ERROR(change(tx));
              throw std::runtime_error("boom");
            })
            .code() == Code::kInternal);
  for (int i = 0; i < 2; ++i) {
    CHECK(countNodes(*bench.store) == 0);
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().find("u")->name; }) == "web");
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().size(); }) == 0);
    CHECK(versionOf(*bench.store, "v") == version);
    REQUIRE(bench.open().ok());
  }
  // The indexes came back too.
  CHECK(bench.store->transact([](Tx& tx) { return tx.units().put(makeUnit("u2", "v", "web")); }).code() ==
        Code::kAlreadyExists);
  CHECK(bench.store->transact([](Tx& tx) { return tx.units().put(makeUnit("u2", "v", "renamed")); }).ok());
}

TEST_CASE_TEMPLATE("children need their parents when the transaction ends", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  const auto run = [&](const Store::Body& body) { return bench.store->transact(body).code(); };
  CHECK(run([](Tx& tx) { return tx.units().put(makeUnit("x", "no-vc", "x")); }) == Code::kFailedPrecondition);
  CHECK(run([](Tx& tx) { return tx.nodes().put(makeNode("x", "no-unit", 1)); }) == Code::kFailedPrecondition);
  REQUIRE(run([](Tx& tx) { return tx.nodes().put(makeNode("n", "u", 1)); }) == Code::kOk);
  const auto eraser = [](bool node, bool unit, bool vc) {
    return [=](Tx& tx) {
      if (vc) tx.vcs().erase("v");
      if (unit) tx.units().erase("u");
      if (node) tx.nodes().erase("n");
      return okStatus();
    };
  };
  CHECK(run(eraser(false, true, false)) == Code::kFailedPrecondition);
  CHECK(run(eraser(true, false, true)) == Code::kFailedPrecondition);
  CHECK(countNodes(*bench.store) == 1);
  CHECK(run(eraser(true, true, true)) == Code::kOk);
  // In one transaction the order does not matter, child first included.
  CHECK(run([](Tx& tx) {
          VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode("a", "b", 1, "c")));
          VCC_RETURN_IF_ERROR(tx.units().put(makeUnit("b", "c", "x")));
          return tx.vcs().put(makeVc("c"));
        }) == Code::kOk);
  REQUIRE(bench.open().ok());
  CHECK(countNodes(*bench.store) == 1);
}

TEST_CASE_TEMPLATE("the version of a VC rises once per transaction that touches it", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  REQUIRE(bench.store->transact([](Tx& tx) { return tx.vcs().put(makeVc("other")); }).ok());
  // One sequence serves all VCs, so a step of one means: raised, and once.
  const std::int64_t other = versionOf(*bench.store, "other");
  std::int64_t last = other;
  CHECK(versionOf(*bench.store, "v") < other);
  const auto run = [&](const Store::Body& body) { REQUIRE(bench.store->transact(body).ok()); };
  run([](Tx& tx) {
    VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode("n1", "u", 1)));
    return tx.nodes().put(makeNode("n2", "u", 2));
  });
  CHECK(versionOf(*bench.store, "v") == ++last);
  run([](Tx& tx) { return tx.machines().put({.machine_id = "m", .vcid = "v", .name = "m"}); });
  CHECK(versionOf(*bench.store, "v") == ++last);
  run([](Tx& tx) {
    tx.nodes().erase("n1");
    return okStatus();
  });
  CHECK(versionOf(*bench.store, "v") == ++last);
  run([](Tx& tx) {  // a put of the VC itself, even of an old copy, counts as one
    Vc old = *tx.vcs().find("v");
    old.version = 0;
    VCC_RETURN_IF_ERROR(tx.units().put(makeUnit("u", "v", "web")));
    return tx.vcs().put(old);
  });
  CHECK(versionOf(*bench.store, "v") == ++last);
  run([](Tx& tx) { return tx.users().put({.name = "ann"}); });
  CHECK(versionOf(*bench.store, "v") == last);
  // An attachment shows in the VC of its node and in that of its disk.
  run([](Tx& tx) { return tx.attachments().put({.disk = "d", .node_id = "n2", .vcid = "v"}); });
  CHECK(versionOf(*bench.store, "v") == ++last);
  run([](Tx& tx) { return tx.attachments().put({.disk = "e", .node_id = "n", .vcid = "gone", .disk_vcid = "v"}); });
  CHECK(versionOf(*bench.store, "v") == ++last);
  run([](Tx& tx) {
    tx.attachments().erase("e");
    return okStatus();
  });
  CHECK(versionOf(*bench.store, "v") == ++last);
  CHECK(versionOf(*bench.store, "other") == other);
  REQUIRE(bench.open().ok());
  CHECK(versionOf(*bench.store, "v") == last);
  run([](Tx& tx) { return tx.vcs().put(makeVc("v")); });
  CHECK(versionOf(*bench.store, "v") == ++last);
}

TEST_CASE_TEMPLATE("a counter never says the same twice", B, BACKENDS) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  std::vector<std::int64_t> seen;
  const auto take = [&](const Status& end) {
    return bench.store->transact([&](Tx& tx) {
      seen.push_back(tx.nextCounter("vcno"));
      return end;
    });
  };
  REQUIRE(take(okStatus()).ok());
  REQUIRE_FALSE(take(aborted("no")).ok());
  REQUIRE(take(okStatus()).ok());
  REQUIRE(bench.open().ok());
  REQUIRE(take(okStatus()).ok());
  CHECK(seen == std::vector<std::int64_t>{1, 2, 3, 4});
  REQUIRE(bench.store
              ->transact([&](Tx& tx) {
                CHECK(tx.nextCounter("other") == 1);
                CHECK(tx.metas().size() == 0);
                return tx.metas().put({"vcc_id", "abc", 5});
              })
              .ok());
  CHECK(bench.store->transact([](Tx& tx) {
                     return tx.metas().put({"counter:vcno", "", 0});
                   })
            .code() == Code::kInvalidArgument);
  REQUIRE(bench.open().ok());
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.metas().find("vcc_id")->number; }) == 5);
}

TEST_CASE_TEMPLATE("only the newest events are kept, in order", B, BACKENDS) {
  Bench<B> bench;
  bench.options.events_keep = 10;
  REQUIRE(bench.open().ok());
  for (int i = 0; i < 25; ++i) {
    REQUIRE(bench.store
                ->transact([](Tx& tx) {
                  for (int k = 0; k < 2; ++k) {
                    VCC_RETURN_IF_ERROR(tx.events().put({.seq = tx.nextCounter("event"), .object = "vc"}));
                  }
                  return okStatus();
                })
                .ok());
  }
  for (int i = 0; i < 2; ++i) {
    std::vector<std::int64_t> seqs;
    bench.store->read([&](const ReadTx& tx) {
      tx.events().scan([&](const Event& event) {
        seqs.push_back(event.seq);
        return true;
      });
    });
    CHECK(seqs == std::vector<std::int64_t>{41, 42, 43, 44, 45, 46, 47, 48, 49, 50});
    for (const std::int64_t after : {0, 40, 47, 49, 50, 99}) {
      std::vector<std::int64_t> later;
      bench.store->read([&](const ReadTx& tx) {
        tx.events().scanAfter(numberKey(after), [&](const Event& event) {
          later.push_back(event.seq);
          return event.seq != 49;
        });
      });
      CAPTURE(after);
      CHECK(later.size() == static_cast<std::size_t>(after <= 40  ? 9
                                                     : after < 49 ? 49 - after
                                                                  : 50 - std::min<std::int64_t>(after, 50)));
      CHECK((later.empty() || later.front() == std::max<std::int64_t>(after, 40) + 1));
    }
    REQUIRE(bench.open().ok());
  }
}

TEST_CASE("the memory store of the factory works and forgets") {
  FakeClock clock(1234);
  InlineExecutor writer;
  NullLogger log;
  const auto store = makeMemoryStore(clock, writer, log);
  REQUIRE(seed(*store).ok());
  CHECK(store->now() == 1234);
  CHECK(look(*store, [](const ReadTx& tx) { return tx.now(); }) == 1234);
  CHECK(store->transact([](Tx& tx) { return tx.now() == 1234 ? okStatus() : internalError("time"); }).ok());
  CHECK(look(*store, [](const ReadTx& tx) { return tx.units().size(); }) == 1);
  CHECK(store->health().ok());
}
