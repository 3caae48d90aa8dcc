// SPDX-License-Identifier: Apache-2.0
// The wall clock is set while the engine waits for something, and while no process runs. Clouds know nothing of it.
#include "support/engine_rig.h"
#include "support/part_clouds.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct ClockRig : EngineRig {
  std::shared_ptr<TwoPartCloud> two = std::make_shared<TwoPartCloud>(clock);
  std::string vcid;
  ClockRig() {
    registry.replace(two);
    vcid = newVc();
  }
  void boot() { REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", 1)).ok()); }
  bool isUp() const { return count(State::kRunning) == 1; }
  void removeAll() {
    REQUIRE(commands->deleteVc(caller, vcid, true).ok());
    REQUIRE(runUntil([&] { return !hasVc(vcid); }));
    CHECK(two->parts.empty());
    CHECK(machines().empty());
  }
};

/// A cloud whose reads may miss a machine for `lookup_lag_ms`, and one look that did not find the node's.
struct LaggingRig : EngineRig {
  std::string vcid;
  LaggingRig() {
    driver->facts.lookup_lag_ms = 5000;
    driver->facts.idempotency = Idempotency::kLookup;
    vcid = newVc();
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(runUntil([&] { return count(State::kRunning) == 1; }));
    REQUIRE(commands->deleteVc(caller, vcid, true).ok());
    REQUIRE(runUntil([&] { return !machines().empty() && machines().front().absent_since > 0; }));
  }
  bool isKept() const { return machines().size() == 1; }
};

}  // namespace

TEST_CASE("a request in doubt is not repeated because the wall clock was put forward") {
  ClockRig rig;
  rig.two->lost_disk_answers = 1;
  rig.two->lost_shows_ms = 90'000;
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.two->disks_made == 1; }));
  SUBCASE("once") { rig.clock.jump(3'600'000); }
  SUBCASE("again and again") {
    for (int i = 0; i < 20; ++i) {
      rig.clock.jump(kDayMs);
      CHECK_FALSE(rig.runUntil([&] { return rig.isUp(); }, 2000));
    }
  }
  SUBCASE("while no process ran") {
    rig.clock.jump(600'000);  // that time counts for the deadline of the boot
    rig.crash();
  }
  REQUIRE(rig.runUntil([&] { return rig.isUp(); }));
  CHECK(rig.two->disks_made == 1);
  CHECK(rig.two->parts.size() == 2);
  rig.removeAll();
}

TEST_CASE("a machine is not taken for gone because the wall clock was put forward between two looks") {
  LaggingRig rig;
  const std::int64_t seen_at = rig.clock.monoMs();
  SUBCASE("of one process") {
    rig.clock.jump(3'600'000);
    rig.newVc();  // the store follows the clock with its next transaction
    rig.decider->wake({rig.nodes().front().node_id});
  }
  SUBCASE("of two processes") {
    rig.clock.jump(3'600'000);
    rig.crash();
  }
  CHECK_FALSE(rig.runUntil([&] { return !rig.isKept(); }, 4900 - (rig.clock.monoMs() - seen_at)));
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
}

TEST_CASE("a node boots in its time although the wall clock is put back") {
  ClockRig rig;
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.two->parts.size() == 1; }));
  SUBCASE("while the engine runs") { rig.clock.jump(-10 * kDayMs); }
  SUBCASE("while no process runs") {
    rig.clock.jump(-10 * kDayMs);
    rig.crash();
  }
  SUBCASE("and is put right again") {
    rig.clock.jump(-kDayMs);
    CHECK_FALSE(rig.runUntil([&] { return false; }, 300));
    rig.clock.jump(kDayMs);
  }
  REQUIRE(rig.runUntil([&] { return rig.isUp(); }, 60'000));
  rig.removeAll();
}

TEST_CASE("a boot does not fail for its deadline because the wall clock was put forward") {
  ClockRig rig;
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.two->parts.size() == 1; }));
  rig.clock.jump(kDayMs);
  REQUIRE(rig.runUntil([&] { return rig.isUp() || rig.count(State::kError) == 1; }, 60'000));
  CHECK(rig.isUp());
}
