// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/sweep_records.h"
#include "store/fault_plan.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

const std::string kStray = "vcp-01234567-000000000000000000aa";
constexpr std::int64_t kHour = 3600000;

/// A cloud that can be listed, with one node, and what the sweep is told.
struct SweepRig : EngineRig {
  std::string vcid;

  explicit SweepRig(bool may_delete = false) {
    driver->facts.can_list = true;
    driver->facts.settle_ms = 2000;
    options.sweep = {.interval_s = 3600, .grace_s = 2 * 3600, .may_delete = may_delete};
    restart();
    vcid = newVc();
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(runUntil([&] { return count(State::kRunning) == 1; }));
  }

  void plant(const std::string& name = kStray) { driver->cloud[name] = {.id = "i-" + name, .address = "10.0.0.99"}; }
  bool isThere(const std::string& name = kStray) const { return driver->cloud.contains(name); }

  std::vector<Stray> strays() const {
    std::vector<Stray> all;
    store->read([&](const ReadTx& tx) {
      tx.strays().scan([&](const Stray& stray) {
        all.push_back(stray);
        return true;
      });
    });
    return all;
  }
  std::vector<SweepPlace> places() const {
    std::vector<SweepPlace> all;
    store->read([&](const ReadTx& tx) {
      tx.sweepPlaces().scan([&](const SweepPlace& place) {
        all.push_back(place);
        return true;
      });
    });
    return all;
  }
  /// Asks for a sweep and waits for it. False when no list was tried.
  bool sweep() {
    const std::int64_t asked = clock.wallMs();
    decider->sweepNow();
    return runUntil(
        [&] {
          const auto all = places();
          return !all.empty() && std::ranges::all_of(all, [&](const SweepPlace& p) { return p.tried_at >= asked; });
        },
        20000);
  }
  /// Time in long steps.
  void pass(std::int64_t ms) {
    const std::int64_t end = clock.monoMs() + ms;
    while (clock.monoMs() < end) {
      const std::int64_t pause = std::min(decider->pump(), end - clock.monoMs());
      clock.advance(std::clamp<std::int64_t>(pause, 1, 60000));
    }
    decider->pump();
  }
};

}  // namespace

TEST_CASE("an object that no record knows is reported once, and left alone") {
  SweepRig rig;
  REQUIRE(rig.places().size() == 1);
  rig.plant();
  REQUIRE(rig.sweep());
  REQUIRE(rig.strays().size() == 1);
  CHECK(rig.strays()[0].name == kStray);
  CHECK(rig.strays()[0].cloud_id == "i-" + kStray);
  CHECK(rig.strays()[0].address == "10.0.0.99");
  CHECK(rig.log.count("SWEEP_FOUND_UNKNOWN") == 1);
  CHECK(rig.events("cloud object " + kStray).size() == 1);
  rig.pass(10 * kHour);
  CHECK(rig.strays()[0].sweeps >= 9);
  CHECK(rig.log.count("SWEEP_FOUND_UNKNOWN") == 1);
  CHECK(rig.isThere());
  CHECK(rig.count(State::kRunning) == 1);
}

TEST_CASE("what goes by itself is forgotten, with an event") {
  SweepRig rig;
  rig.plant();
  REQUIRE(rig.sweep());
  rig.driver->cloud.erase(kStray);
  rig.pass(10000);
  REQUIRE(rig.sweep());
  CHECK(rig.strays().empty());
  CHECK(rig.events("cloud object " + kStray).back().find("unknown > gone") != std::string::npos);
}

TEST_CASE("an incomplete or failed list reports what it shows, and proves nothing else") {
  SweepRig rig(true);
  rig.plant();
  REQUIRE(rig.sweep());
  rig.pass(10000);
  rig.driver->list_cut = 0;  // nothing of it
  REQUIRE(rig.sweep());
  CHECK(rig.strays().size() == 1);
  CHECK(rig.places()[0].fault.text.find("everything") != std::string::npos);
  rig.driver->list_cut = 100;
  rig.pass(30 * kHour);
  CHECK(rig.strays()[0].sweeps == 1);
  CHECK(rig.isThere());

  rig.driver->list_cut.reset();
  rig.driver->list_error = unavailable("the cloud is down");
  REQUIRE(rig.sweep());
  CHECK(rig.places()[0].fault.text == "the cloud is down");
  rig.pass(30 * kHour);
  CHECK(rig.isThere());
  CHECK(rig.log.count("SWEEP_INCOMPLETE") > 2);
  CHECK(rig.log.count("SWEEP_INCOMPLETE") < 30);  // ever less often
  rig.driver->list_error = okStatus();
  REQUIRE(rig.sweep());
  CHECK(rig.places()[0].fault.text.empty());
}

TEST_CASE("with sweep_delete it goes: after two sweeps and the grace time, by an op of its own, proven") {
  SweepRig rig(true);
  rig.plant();
  REQUIRE(rig.sweep());
  rig.pass(1000);
  REQUIRE(rig.sweep());
  CHECK(rig.strays()[0].sweeps == 2);
  rig.pass(kHour);
  CHECK(rig.isThere());
  std::string op;
  rig.driver->script = [&](const std::string& call, const CallContext& context, const MachineRef& ref) {
    if (call == "destroy") {
      CHECK(ref.name == kStray);
      // The intent is on disk before the request leaves.
      REQUIRE(rig.strays().size() == 1);
      CHECK(rig.strays()[0].op_id == context.op_id);
      op = context.op_id;
    }
    return FakeDriver::Fate{};
  };
  REQUIRE(rig.runUntil([&] { return rig.strays().empty(); }, 3 * kHour));
  CHECK_FALSE(op.empty());
  CHECK_FALSE(rig.isThere());
  CHECK(rig.driver->cloud.size() == 1);
  CHECK(rig.log.count("SWEEP_DELETED") == 1);
  const auto events = rig.events("cloud object " + kStray);
  REQUIRE(events.size() == 3);
  CHECK(events[1].find("unknown > deleting") != std::string::npos);
  CHECK(events[2].find("deleting > gone") != std::string::npos);
}

TEST_CASE("being unknown survives a restart, and so does a deletion: a crash at any flush") {
  for (std::size_t flush = 1; flush <= 12; ++flush) {
    for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
      CAPTURE(flush);
      SweepRig rig(true);
      rig.plant();
      REQUIRE(rig.sweep());
      const std::int64_t found = rig.strays()[0].first_seen_at;
      rig.crash();
      CHECK(rig.strays()[0].first_seen_at == found);
      rig.clock.advance(2 * kHour);
      rig.faults->crashAtFlush(flush, point);
      rig.runUntil([&] { return rig.strays().empty(); }, 400000);
      rig.crash();
      REQUIRE(rig.runUntil([&] { return rig.strays().empty(); }, 3 * kHour));
      CHECK_FALSE(rig.isThere());
      CHECK(rig.driver->cloud.size() == 1);
      CHECK(rig.count(State::kRunning) == 1);
    }
  }
}

TEST_CASE("an object of another controller is never touched, whatever the driver lists") {
  SweepRig rig(true);
  const std::string theirs = "vcp-76543210-000000000000000000aa";
  rig.plant(theirs);
  rig.plant("web-server");
  rig.pass(50 * kHour);
  CHECK(rig.strays().size() == 2);
  CHECK(rig.isThere(theirs));
  CHECK(rig.isThere("web-server"));
  for (const Stray& stray : rig.strays()) {
    const Status refused = askStrayDeletion(*rig.store, rig.options.vcc_id, stray.stray_id, stray.name, "admin");
    CHECK(refused.code() == Code::kFailedPrecondition);
  }
}

TEST_CASE("a machine whose create is in doubt is never swept") {
  SweepRig rig(true);
  bool lost = true;
  rig.driver->facts.idempotency = Idempotency::kLookup;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create" && lost) fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
    return fate;
  };
  rig.driver->blind_looks = 1000;  // and the looks do not show it either
  REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "db", unitCci("db", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.driver->cloud.size() == 2; }, 20000));
  REQUIRE(rig.sweep());
  CHECK(rig.strays().empty());
  CHECK(rig.log.count("SWEEP_FOUND_UNKNOWN") == 0);
}

TEST_CASE("an item of a create that is still open is no stray, although nothing has its name") {
  SweepRig rig;
  Observation seen;
  seen.found = true;
  seen.cloud_id = "i-777";
  seen.create_op = "0000000000000000000000000000000f";
  seen.create_index = 3;
  const auto unknown = [&] {
    std::size_t count = 0;
    rig.store->read([&](const ReadTx& tx) { count = unknownOf(tx, "fake", {seen}).size(); });
    return count;
  };
  CHECK(unknown() == 1);
  REQUIRE(rig.store->transact([&](Tx& tx) { return tx.ops().put({.op_id = seen.create_op, .vcid = rig.vcid}); }).ok());
  CHECK(unknown() == 0);
  Machine machine = rig.machines()[0];
  REQUIRE(rig.store
              ->transact([&](Tx& tx) {
                tx.ops().erase(seen.create_op);
                machine.create_op = seen.create_op;
                machine.item_index = 3;
                return tx.machines().put(machine);
              })
              .ok());
  CHECK(unknown() == 0);
  seen.create_index = 4;
  CHECK(unknown() == 1);
  seen.cloud_id = rig.machines()[0].cloud_id;
  CHECK(unknown() == 0);
}

TEST_CASE("a name that leads to another object stops the deletion") {
  SweepRig rig;
  rig.plant();
  REQUIRE(rig.sweep());
  rig.driver->cloud[kStray].id = "i-somebody-else";
  const std::string id = rig.strays()[0].stray_id;
  REQUIRE(askStrayDeletion(*rig.store, rig.options.vcc_id, id, kStray, "admin").ok());
  rig.decider->visitStray(id);
  REQUIRE(rig.runUntil([&] { return rig.strays()[0].want_by.empty(); }, 10000));
  CHECK(rig.strays()[0].fault.text.find("does not lead to it") != std::string::npos);
  CHECK(rig.isThere());
}

TEST_CASE("an administrator deletes one by id and name") {
  SweepRig rig;
  rig.plant();
  REQUIRE(rig.sweep());
  const std::string id = rig.strays()[0].stray_id;
  CHECK(askStrayDeletion(*rig.store, rig.options.vcc_id, "nosuch", kStray, "admin").code() == Code::kNotFound);
  CHECK(askStrayDeletion(*rig.store, rig.options.vcc_id, id, "other", "admin").code() == Code::kInvalidArgument);
  REQUIRE(askStrayDeletion(*rig.store, rig.options.vcc_id, id, kStray, "admin").ok());
  int refusals = 2;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "destroy" && refusals-- > 0) {
      fate.apply = false;
      fate.error = unavailable("not now");
    }
    return fate;
  };
  rig.decider->visitStray(id);
  REQUIRE(rig.runUntil([&] { return rig.strays().empty(); }, 200000));
  CHECK_FALSE(rig.isThere());
}

TEST_CASE("a machine that a purge left is left on purpose, until an administrator asks") {
  SweepRig rig(true);
  REQUIRE(rig.commands->purgeVc(rig.vcid, PurgeMode::kKeepCloud, "administrator").ok());
  REQUIRE(rig.strays().size() == 1);
  const Stray left = rig.strays()[0];
  CHECK(left.left.find("node 1 of unit web of UnitGroup g") != std::string::npos);
  REQUIRE(rig.places().size() == 1);
  rig.pass(60 * kHour);
  REQUIRE(rig.strays().size() == 1);
  CHECK(rig.strays()[0].sweeps > 10);
  CHECK(rig.driver->cloud.size() == 1);
  CHECK(rig.log.count("SWEEP_FOUND_UNKNOWN") == 0);

  REQUIRE(askStrayDeletion(*rig.store, rig.options.vcc_id, left.stray_id, left.name, "admin").ok());
  rig.decider->visitStray(left.stray_id);
  REQUIRE(rig.runUntil([&] { return rig.strays().empty(); }, 200000));
  CHECK(rig.driver->cloud.empty());
  REQUIRE(rig.runUntil([&] { return rig.places().empty(); }, 2 * kHour));
}

TEST_CASE("a store that cannot write deletes nothing") {
  SweepRig rig(true);
  rig.plant();
  REQUIRE(rig.sweep());
  rig.pass(1000);
  rig.clock.advance(3 * kHour);
  rig.faults->failAlways(unavailable("the disk is full"));
  rig.pass(kHour);
  CHECK(rig.isThere());
  rig.faults->failAlways(okStatus());
  REQUIRE(rig.runUntil([&] { return !rig.isThere(); }, 20 * kHour));
}

TEST_CASE("a driver that cannot list is never asked to, and leaves no place") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  rig.decider->sweepNow();
  rig.runUntil([] { return false; }, 5 * kHour);
  rig.store->read([&](const ReadTx& tx) { CHECK(tx.sweepPlaces().size() == 0); });
  CHECK(rig.driver->list_calls == 0);
}

TEST_CASE("a driver that has learnt to list is swept for the machines it had") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  rig.driver->facts.can_list = true;
  rig.driver->cloud[kStray] = {.id = "i-s", .address = "10.0.0.98"};
  rig.crash();
  REQUIRE(rig.runUntil([&] { return rig.log.count("SWEEP_FOUND_UNKNOWN") == 1; }, 2 * kHour));
}

TEST_CASE("sweep_interval_s 0: only on request") {
  SweepRig rig;
  rig.options.sweep.interval_s = 0;
  rig.options.quiet_poll_ms = 100 * kHour;  // settled machines are looked after by lists too
  rig.restart();
  rig.plant();
  const int before = rig.driver->list_calls;
  rig.pass(20 * kHour);
  CHECK(rig.driver->list_calls == before);
  REQUIRE(rig.sweep());
  CHECK(rig.strays().size() == 1);
}
