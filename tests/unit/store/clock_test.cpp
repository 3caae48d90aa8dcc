// SPDX-License-Identifier: Apache-2.0
// The times that records wait by, when the wall clock is set.
#include "unit/store/backends.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr std::int64_t kHourMs = 3'600'000;

Status fill(Tx& tx) {
  VCC_RETURN_IF_ERROR(tx.vcs().put({.vcid = "v", .vcno = 1, .name = "g", .created_at = tx.now()}));
  VCC_RETURN_IF_ERROR(tx.units().put({.unit_id = "u", .vcid = "v", .name = "web"}));
  Node node{.node_id = "n", .vcid = "v", .unit_id = "u", .node_no = 1};
  node.goal_at = tx.now();
  node.deadline = tx.now() + kHourMs;
  VCC_RETURN_IF_ERROR(tx.nodes().put(node));
  Op op{.op_id = "o", .vcid = "v"};
  op.items.push_back({.machine_id = "m", .next_at = tx.now() + 1000});
  return tx.ops().put(op);
}

struct Times {
  std::int64_t now = 0;
  std::int64_t goal_at = 0;
  std::int64_t deadline = 0;
  std::int64_t item = 0;
  std::int64_t made = 0;
  /// The distance of what waits to the present is what it was `passed_ms` after `fill`.
  bool keepDistance(std::int64_t passed_ms) const {
    return now - goal_at == passed_ms && deadline - now == kHourMs - passed_ms && item - now == 1000 - passed_ms;
  }
};

Times timesOf(const Store& store) {
  return look(store, [](const ReadTx& tx) {
    return Times{tx.now(), tx.nodes().find("n")->goal_at, tx.nodes().find("n")->deadline,
                 tx.ops().find("o")->items.front().next_at, tx.vcs().find("v")->created_at};
  });
}

}  // namespace

TEST_CASE_TEMPLATE("records keep their distance to the present when the wall clock is set", B, FaultMemoryBackend,
                   FaultSqliteBackend) {
  InlineExecutor writer;
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  REQUIRE(bench.store->transact(fill).ok());
  const std::int64_t made = bench.clock.wallMs();
  std::int64_t jump = 0;
  SUBCASE("forward") { jump = 48 * kHourMs; }
  SUBCASE("back") { jump = -48 * kHourMs; }
  bench.clock.jump(jump);
  bench.clock.advance(500);
  CHECK(timesOf(*bench.store).keepDistance(500));  // nobody sees one without the other
  REQUIRE(bench.store->transact([](Tx& tx) { return tx.users().put({.name = "a"}); }).ok());
  CHECK(timesOf(*bench.store).keepDistance(500));
  CHECK(bench.store->now() == bench.clock.wallMs());
  CHECK(timesOf(*bench.store).made == made);
  REQUIRE(bench.open().ok());
  CHECK(timesOf(*bench.store).keepDistance(500));
  CHECK(bench.store->now() == bench.clock.wallMs());
}

TEST_CASE_TEMPLATE("a flush that fails takes the move of times back, and the next one makes it", B, FaultMemoryBackend,
                   FaultSqliteBackend) {
  InlineExecutor writer;
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  REQUIRE(bench.store->transact(fill).ok());
  bench.clock.jump(kHourMs);
  bench.backend.plan->failFlush(1, unavailable("disk is full"));
  const auto put = [](Tx& tx) { return tx.users().put({.name = "a"}); };
  CHECK(bench.store->transact(put).code() == Code::kUnavailable);
  CHECK(timesOf(*bench.store).keepDistance(0));
  CHECK(bench.store->now() == bench.clock.wallMs() - kHourMs);
  REQUIRE(bench.store->transact(put).ok());
  CHECK(timesOf(*bench.store).keepDistance(0));
  CHECK(bench.store->now() == bench.clock.wallMs());
}

TEST_CASE_TEMPLATE("records that lie ahead, because the clock was put back while nothing ran, are moved to the present",
                   B, FaultMemoryBackend, FaultSqliteBackend) {
  InlineExecutor writer;
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  REQUIRE(bench.store->transact(fill).ok());
  bench.clock.jump(-48 * kHourMs);
  REQUIRE(bench.open().ok());
  CHECK(timesOf(*bench.store).keepDistance(0));
  REQUIRE(bench.store->transact([](Tx&) { return okStatus(); }).ok());
  CHECK(timesOf(*bench.store).keepDistance(0));
  CHECK(bench.store->now() == bench.clock.wallMs());
}
