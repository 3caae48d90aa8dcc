// SPDX-License-Identifier: Apache-2.0
// Creates whose answer is lost, on clouds with several requests a machine and with one request for several machines.
#include "support/engine_rig.h"
#include "support/part_clouds.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct TwoPartRig : EngineRig {
  std::shared_ptr<TwoPartCloud> two = std::make_shared<TwoPartCloud>(clock);
  std::string vcid;
  TwoPartRig() {
    registry.replace(two);
    vcid = newVc();
  }
  void boot(int nodes = 1) { REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", nodes)).ok()); }
  void removeAll() {
    REQUIRE(commands->deleteVc(caller, vcid, true).ok());
    REQUIRE(runUntil([&] { return !hasVc(vcid); }));
    CHECK(two->parts.empty());
    CHECK(machines().empty());
    CHECK(openOps() == 0);
  }
};

struct BatchRig : EngineRig {
  std::shared_ptr<BatchCloud> batch = std::make_shared<BatchCloud>();
  std::string vcid;
  BatchRig() {
    registry.replace(batch);
    vcid = newVc();
  }
  void boot(int nodes) { REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", nodes)).ok()); }
  void removeFirst() { REQUIRE(commands->deleteNode(caller, vcid, "web", nodes().front().node_id).ok()); }
  bool settledWith(std::size_t count) const { return nodes().size() == count && this->count(State::kRunning) == count; }
  void removeAll() {
    REQUIRE(commands->deleteVc(caller, vcid, true).ok());
    REQUIRE(runUntil([&] { return !hasVc(vcid); }));
    CHECK(batch->alive() == 0);
    CHECK(machines().empty());
    CHECK(openOps() == 0);
  }
};

/// Holds jobs back until it dies, like a pool whose jobs take long: they end then, and it waits for them.
class DawdlingExecutor final : public Executor {
 public:
  ~DawdlingExecutor() override {
    for (const Job& job : jobs_) job();
  }
  void submit(Job job) override { jobs_.push_back(std::move(job)); }

 private:
  std::vector<Job> jobs_;
};

}  // namespace

TEST_CASE("the lost second request of a create is not repeated because the first one's part is found") {
  TwoPartRig rig;
  rig.two->lost_disk_answers = 1;
  SUBCASE("its disk shows late") { rig.two->lost_shows_ms = 90000; }
  SUBCASE("its disk shows at once") {}
  SUBCASE("it never took effect") { rig.two->lost_disk_is_made = false; }
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.two->disks_made == 1);
  CHECK(rig.two->parts.size() == 2);
  rig.removeAll();
}

TEST_CASE("a machine that is deleted in doubt is given back at once, and what comes late as well") {
  TwoPartRig rig;
  rig.two->lost_disk_answers = 1;
  rig.two->lost_shows_ms = 60000;
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.two->disks_made == 1; }));
  const std::int64_t began = rig.clock.monoMs();
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return rig.two->parts.size() == 1; }, 5000));  // the server goes
  CHECK(rig.two->parts.front().kind == "disk");
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
  CHECK(rig.two->parts.empty());
  CHECK(rig.clock.monoMs() - began < 180000);
}

TEST_CASE(
    "a machine that is deleted in doubt is gone as soon as what the lost answer told of has been seen and is gone") {
  TwoPartRig rig;
  rig.two->lost_disk_answers = 1;
  rig.two->losing = [&] { REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok()); };
  rig.boot();
  const std::int64_t began = rig.clock.monoMs();
  REQUIRE(rig.runUntil([&] { return rig.two->disks_made == 1 && !rig.hasVc(rig.vcid); }));
  CHECK(rig.two->parts.empty());
  CHECK(rig.clock.monoMs() - began < 20'000);
}

TEST_CASE("a driver that knows how long a request may take shortens the wait") {
  TwoPartRig rig;
  rig.two->facts.settle_ms = 10000;
  rig.two->lost_disk_answers = 1;
  rig.two->lost_disk_is_made = false;
  rig.boot();
  const std::int64_t began = rig.clock.monoMs();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.clock.monoMs() - began > 11000);
  CHECK(rig.clock.monoMs() - began < 20000);
}

TEST_CASE("what nobody wants before the first send does not get into the request, and the rest is numbered anew") {
  BatchRig rig;
  std::vector<Machine> sent;
  rig.boot(3);
  // The deletion arrives between the record of the op and its first send.
  rig.faults->crashAtFlush(2, CrashPoint::kBeforeSync);
  rig.runUntil([] { return false; }, 1000);
  rig.crash();
  REQUIRE(rig.machines().size() == 3);
  REQUIRE(rig.batch->calls.empty());
  rig.removeFirst();
  REQUIRE(rig.runUntil([&] { return rig.settledWith(2); }));
  CHECK(rig.batch->calls == std::vector<std::string>{"create x2"});
  CHECK(rig.batch->alive() == 2);
  std::set<std::int64_t> indexes;
  for (const Machine& machine : rig.machines()) {
    CHECK(machine.create_size == 2);
    indexes.insert(machine.item_index);
  }
  CHECK(indexes == std::set<std::int64_t>{0, 1});
  rig.removeAll();
}

TEST_CASE("a member of a batch that is deleted in doubt travels along and is given back") {
  BatchRig rig;
  rig.batch->lost_answers = 1;
  SUBCASE("the request took effect") { rig.batch->lost_is_made = true; }
  SUBCASE("it took effect, but does not show yet") {
    rig.batch->lost_is_made = true;
    rig.batch->blind_looks = 5;
  }
  SUBCASE("it did not") {}
  SUBCASE("the token is forgotten meanwhile") { rig.batch->facts.token_ttl_ms = 1; }
  rig.boot(3);
  REQUIRE(rig.runUntil([&] { return !rig.batch->calls.empty(); }));
  rig.removeFirst();
  REQUIRE(rig.runUntil([&] { return rig.settledWith(2); }));
  CHECK(rig.batch->alive() == 2);
  CHECK(rig.batch->unlike == 0);
  rig.removeAll();
}

TEST_CASE("when nobody wants a batch in doubt any more, nothing is sent again and nothing is left") {
  BatchRig rig;
  rig.batch->lost_answers = 1;
  SUBCASE("the request took effect") { rig.batch->lost_is_made = true; }
  SUBCASE("it did not") {}
  rig.boot(3);
  REQUIRE(rig.runUntil([&] { return !rig.batch->calls.empty(); }));
  rig.removeAll();
  CHECK(std::count(rig.batch->calls.begin(), rig.batch->calls.end(), "create x3") == 1);
}

TEST_CASE("the process dies at any flush of a batch, one member is deleted, and no machine is left over") {
  for (const Idempotency kind : {Idempotency::kToken, Idempotency::kLookup}) {
    for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
      for (std::size_t nth = 1; nth <= 12; ++nth) {
        CAPTURE(nth);
        BatchRig rig;
        rig.batch->facts.idempotency = kind;
        rig.batch->facts.max_batch = 2;
        rig.boot(3);
        rig.faults->crashAtFlush(nth, point);
        rig.runUntil([&] { return rig.settledWith(3); }, 20000);
        rig.crash();
        rig.removeFirst();
        REQUIRE(rig.runUntil([&] { return rig.settledWith(2); }));
        CHECK(rig.batch->alive() == 2);
        rig.removeAll();
      }
    }
  }
}

TEST_CASE("the process dies at any flush of a create of two requests: one server, one disk") {
  for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
    for (std::size_t nth = 1; nth <= 16; ++nth) {
      CAPTURE(nth);
      TwoPartRig rig;
      rig.boot(2);
      rig.faults->crashAtFlush(nth, point);
      rig.runUntil([&] { return rig.count(State::kRunning) == 2; }, 20000);
      rig.crash();
      REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
      CHECK(rig.two->parts.size() == 4);
      REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
      rig.faults->crashAtFlush(nth, point);
      rig.runUntil([&] { return !rig.hasVc(rig.vcid); }, 20000);
      rig.crash();
      REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
      CHECK(rig.two->parts.empty());
    }
  }
}

TEST_CASE("lost answers, blind looks, deletions and crashes in any order leave as many machines as nodes") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    SeededRandom dice(seed);
    const auto roll = [&dice](std::uint64_t sides) {
      std::uint8_t bytes[2] = {};
      dice.fill(bytes);
      return (std::uint64_t{bytes[0]} * 256 + bytes[1]) % sides;
    };
    BatchRig rig;
    rig.batch->facts.idempotency = roll(2) == 0 ? Idempotency::kToken : Idempotency::kLookup;
    rig.batch->facts.max_batch = static_cast<std::uint32_t>(1 + roll(4));
    rig.batch->facts.lookup_lag_ms = 20000;  // no look is blind for longer
    if (roll(4) == 0) rig.batch->facts.token_ttl_ms = 1000;
    rig.boot(4);
    std::size_t wanted = 4;
    for (int turn = 0; turn < 6; ++turn) {
      switch (roll(5)) {
        case 0:
          rig.batch->lost_answers = static_cast<int>(roll(3));
          rig.batch->lost_is_made = roll(2) == 0;
          break;
        case 1:
          rig.batch->blind_looks = static_cast<int>(roll(3));
          break;
        case 2:
          if (rig.nodes().front().goal != Goal::kGone) {
            rig.removeFirst();
            --wanted;
          }
          break;
        case 3:
          rig.faults->crashAtFlush(1 + roll(4), roll(2) == 0 ? CrashPoint::kBeforeSync : CrashPoint::kAfterSync);
          rig.runUntil([] { return false; }, 2000);
          rig.crash();
          break;
        default:
          if (wanted < 8 && rig.commands->addNodes(rig.caller, rig.vcid, "web", {.count = 2}).ok()) wanted += 2;
      }
      rig.runUntil([] { return false; }, static_cast<std::int64_t>(roll(3000)));
      if (rig.nodes().empty()) break;
    }
    REQUIRE(rig.runUntil([&] { return rig.settledWith(wanted); }));
    CHECK(rig.batch->alive() == wanted);
    if (rig.batch->facts.idempotency == Idempotency::kToken) CHECK(rig.batch->unlike == 0);
    rig.removeAll();
  }
}

TEST_CASE("an answer that arrives while the controller stops is recorded: a planned stop leaves no doubt") {
  EngineRig rig;
  rig.makes_executor = [](const std::string&, std::size_t) { return std::make_unique<DawdlingExecutor>(); };
  rig.crash();
  REQUIRE(rig.commands->addUnit(rig.caller, rig.newVc(), "web", unitCci("web", 2)).ok());
  rig.runUntil([] { return false; }, 1000);
  REQUIRE(rig.machines().size() == 2);
  CHECK(rig.machines().front().doubt_at > 0);  // a call is under way
  rig.decider->stop();
  for (const Machine& machine : rig.machines()) {
    CHECK(machine.doubt_at == 0);
    CHECK_FALSE(machine.cloud_id.empty());
  }
  rig.makes_executor = {};
  rig.crash();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }, 5000));
  CHECK(rig.driver->calls == std::vector<std::string>{"create x2"});
}

TEST_CASE("who takes the lease from a controller that may still be in a call waits for the end of that, too") {
  TwoPartRig rig;
  rig.two->lost_disk_answers = 1;
  rig.two->lost_shows_ms = 200'000;  // 120 s of the call, and most of the time that it may settle in
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.two->disks_made == 1; }));
  rig.options.predecessor_ms = kMutationDeadlineMs;
  rig.crash();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.two->disks_made == 1);
  rig.removeAll();
}
