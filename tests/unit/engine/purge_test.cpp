// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "support/engine_rig.h"
#include "support/held_executor.h"

using namespace vcc;
using namespace vcc::test;

namespace {

bool hasNothing(const EngineRig& rig) {
  bool nothing = false;
  rig.store->read([&](const ReadTx& tx) {
    nothing = tx.vcs().size() + tx.units().size() + tx.nodes().size() + tx.machines().size() + tx.ops().size() +
                  tx.requests().size() + tx.addresses().size() + tx.grants().size() ==
              0;
  });
  return nothing;
}

std::string runningVc(EngineRig& rig, int nodes, const std::string& more = "") {
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", nodes, more)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == static_cast<std::size_t>(nodes); }));
  return vcid;
}

Result<PurgeReport> purge(EngineRig& rig, const std::string& vcid, PurgeMode mode) {
  return rig.commands->purgeVc(vcid, mode, "root");
}

}  // namespace

TEST_CASE("a look at what a purge would take away changes nothing") {
  EngineRig rig;
  const std::string vcid = runningVc(rig, 2);
  const auto events = rig.events();
  const auto report = purge(rig, vcid, PurgeMode::kLook);
  REQUIRE(report.ok());
  CHECK(report->name == "g");
  CHECK(report->owner == "nobody");
  CHECK(report->units == 1);
  CHECK(report->nodes == 2);
  REQUIRE(report->objects.size() == 2);
  for (const KnownObject& object : report->objects) {
    CHECK(object.unit == "web");
    CHECK(object.provider == "fake");
    CHECK(object.certain);
    CHECK(rig.driver->cloud.at(object.machine.name).id == object.machine.cloud_id);
    CHECK(rig.driver->cloud.at(object.machine.name).address == object.machine.address);
  }
  CHECK(rig.events() == events);
  CHECK(rig.count(State::kRunning) == 2);
  CHECK(rig.log.count("ADMIN_PURGED") == 0);
  CHECK(purge(rig, "ffffffffffffffffffffffffffffffff", PurgeMode::kLook).status().code() == Code::kNotFound);
  CHECK(purge(rig, "ffffffffffffffffffffffffffffffff", PurgeMode::kKeepCloud).status().code() == Code::kNotFound);
}

TEST_CASE("a purge without options is a forced deletion") {
  EngineRig rig;
  const std::string vcid = runningVc(rig, 3);
  const auto report = purge(rig, vcid, PurgeMode::kDelete);
  REQUIRE(report.ok());
  CHECK(report->objects.size() == 3);
  CHECK(rig.count(State::kDeleting) == 3);
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.driver->cloud.empty());
  CHECK(hasNothing(rig));
  CHECK(rig.log.count("PURGE_LEFT_OBJECT") == 0);
}

TEST_CASE("keeping the cloud drops every record at once, and says what is left") {
  EngineRig rig;
  rig.driver->facts.needs_address = true;
  rig.driver->facts.secret_keys = {"key"};
  const std::string vcid = runningVc(rig, 2, "        key: hunter2\n");
  rig.registry.unload();
  const auto report = purge(rig, vcid, PurgeMode::kKeepCloud);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  REQUIRE(report->objects.size() == 2);
  CHECK(hasNothing(rig));
  CHECK(rig.driver->cloud.size() == 2);
  CHECK(rig.log.count("PURGE_LEFT_OBJECT") == 2);
  const std::string id = report->objects.front().machine.cloud_id;
  const auto events = rig.events("machine of node 1 of unit web");
  REQUIRE(events.size() == 1);
  CHECK(events.front().find("> left in the cloud (fake default: machine vcp-") != std::string::npos);
  CHECK(events.front().find("id " + id) != std::string::npos);
  CHECK(rig.events().back() == "vc g: DELETING > gone (it has no unit left)");
  CHECK_FALSE(rig.runUntil([] { return false; }, 200000));  // nobody misses them
  CHECK(rig.driver->cloud.size() == 2);
}

TEST_CASE("a unit in deletion, an empty one and one that was never sent are purged too") {
  EngineRig rig;
  const std::string vcid = runningVc(rig, 1);
  rig.driver->script = [](const std::string&, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    fate.apply = false;
    fate.error = Status(Code::kUnauthenticated, "no", Outcome::kNotApplied);
    return fate;
  };
  REQUIRE(rig.commands->deleteUnit(rig.caller, vcid, "web", true).ok());
  CHECK_FALSE(rig.runUntil([&] { return rig.nodes().empty(); }, 100000));
  CHECK(rig.openOps() == 1);
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "new", unitCci("new", 2)).ok());
  const auto report = purge(rig, vcid, PurgeMode::kKeepCloud);
  REQUIRE(report.ok());
  CHECK(report->nodes == 3);
  REQUIRE(report->objects.size() == 1);
  CHECK(report->objects.front().unit == "web");
  CHECK(hasNothing(rig));
  const std::string empty = rig.newVc();
  REQUIRE(purge(rig, empty, PurgeMode::kKeepCloud).ok());
  CHECK(hasNothing(rig));
}

TEST_CASE("a call in flight for machines that were purged meanwhile harms nothing, and what it made is told") {
  EngineRig rig;
  std::deque<Job> held;
  rig.makes_executor = [&](const std::string&, std::size_t) { return std::make_unique<HeldExecutor>(held); };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 2)).ok());
  REQUIRE(rig.runUntil([&] { return !held.empty(); }));
  const auto report = purge(rig, vcid, PurgeMode::kKeepCloud);
  REQUIRE(report.ok());
  REQUIRE(report->objects.size() == 2);
  CHECK_FALSE(report->objects.front().certain);
  CHECK(rig.events("machine of node 1 of unit web").front().find("> may appear in the cloud") != std::string::npos);
  CHECK(hasNothing(rig));
  const Job call = std::move(held.front());
  held.pop_front();
  call();
  CHECK_FALSE(rig.runUntil([] { return false; }, 100000));
  CHECK(rig.driver->cloud.size() == 2);
  CHECK(rig.log.count("PURGED_MACHINE_APPEARED") == 2);
  CHECK(held.empty());
  CHECK(hasNothing(rig));
}

TEST_CASE("a machine that the cloud has promised and not shown yet is named") {
  EngineRig rig;
  rig.driver->script = [](const std::string&, const CallContext&, const MachineRef&) {
    return FakeDriver::Fate{.apply = false, .error = {}, .pending_ms = 600000, .reason = "in the queue"};
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().front().progress == "in the queue"; }));
  const auto report = purge(rig, vcid, PurgeMode::kKeepCloud);
  REQUIRE(report.ok());
  REQUIRE(report->objects.size() == 1);
  CHECK_FALSE(report->objects.front().certain);
}

TEST_CASE("a look and a destroy in flight survive the purge of their machines") {
  for (const bool destroy : {false, true}) {
    CAPTURE(destroy);
    EngineRig rig;
    std::deque<Job> held;
    bool holding = false;
    class Gate final : public Executor {
     public:
      Gate(std::deque<Job>& held, bool& holding) : held_(held), holding_(holding) {}
      void submit(Job job) override { holding_ ? held_.push_back(std::move(job)) : job(); }

     private:
      std::deque<Job>& held_;
      bool& holding_;
    };
    rig.makes_executor = [&](const std::string&, std::size_t) { return std::make_unique<Gate>(held, holding); };
    if (!destroy) rig.driver->boots_as = MachineState::kProvisioning;
    const std::string vcid = rig.newVc();
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 2)).ok());
    REQUIRE(rig.runUntil([&] { return rig.driver->cloud.size() == 2; }));
    if (destroy) {
      REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
      REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
    }
    holding = true;
    REQUIRE(rig.runUntil([&] { return !held.empty(); }));
    REQUIRE(purge(rig, vcid, PurgeMode::kKeepCloud).ok());
    holding = false;
    while (!held.empty()) {
      const Job job = std::move(held.front());
      held.pop_front();
      job();
    }
    CHECK_FALSE(rig.runUntil([] { return false; }, 100000));
    CHECK(hasNothing(rig));
    CHECK(rig.log.count("PURGED_MACHINE_APPEARED") == 0);
    CHECK(rig.log.count("ENGINE_COMMIT_FAILED") == 0);
  }
}

TEST_CASE("a purge is whole or not at all, wherever the process dies") {
  for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
    EngineRig rig;
    const std::string vcid = runningVc(rig, 3);
    rig.faults->crashAtFlush(1, point);
    const bool told = purge(rig, vcid, PurgeMode::kKeepCloud).ok();
    CHECK_FALSE(told);
    rig.crash();
    const bool done = point == CrashPoint::kAfterSync;
    CHECK(rig.hasVc(vcid) != done);
    CHECK(hasNothing(rig) == done);
    CHECK(rig.events("machine of node 1 of unit web").size() == (done ? 1 : 0));
    if (!done) {
      CHECK(rig.count(State::kRunning) == 3);
      REQUIRE(purge(rig, vcid, PurgeMode::kKeepCloud).ok());
    }
    CHECK(hasNothing(rig));
    CHECK(rig.driver->cloud.size() == 3);
  }
}

TEST_CASE("whenever a purge comes, no record stays behind and everything left in the cloud was named") {
  for (int moment = 0; moment < 120; ++moment) {
    CAPTURE(moment);
    std::deque<Job> held;
    EngineRig rig;
    rig.makes_executor = [&](const std::string&, std::size_t) { return std::make_unique<HeldExecutor>(held); };
    rig.driver->facts.max_batch = 2;
    int calls = 0;
    rig.driver->script = [&](const std::string&, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      ++calls;
      if (calls % 4 == 1) fate.pending_ms = 500;  // under way: the next step shows what it made
      if (calls % 5 == 0) fate.silent = true;
      if (calls % 7 == 0) {
        fate.apply = false;
        fate.error = Status(Code::kUnavailable, "slow down", Outcome::kNotApplied);
      }
      return fate;
    };
    const std::string vcid = rig.newVc();
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 3)).ok());
    const auto step = [&] {
      rig.decider->pump();
      if (!held.empty()) {
        const Job job = std::move(held.front());
        held.pop_front();
        job();
      }
      rig.clock.advance(250);
    };
    for (int i = 0; i < moment; ++i) {
      if (i == 60) REQUIRE(rig.commands->deleteUnit(rig.caller, vcid, "web", true).ok());
      step();
    }
    const auto report = purge(rig, vcid, PurgeMode::kKeepCloud);
    REQUIRE_MESSAGE(report.ok(), report.status().toString());
    for (int i = 0; i < 60; ++i) step();
    CHECK(hasNothing(rig));
    CHECK(rig.log.count("ENGINE_COMMIT_FAILED") == 0);
    for (const auto& [name, machine] : rig.driver->cloud) {
      CAPTURE(name);
      CHECK(std::ranges::any_of(report->objects, [&](const KnownObject& each) { return each.machine.name == name; }));
    }
  }
}
