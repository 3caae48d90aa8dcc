// SPDX-License-Identifier: Apache-2.0
#include "engine/lifecycle.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("nodes go up and down on a cloud without hosts") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 25)).ok());
  CHECK(rig.count(State::kBooting) == 25);  // before anything was sent

  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 25; }));
  CHECK(rig.driver->cloud.size() == 25);
  CHECK(rig.openOps() == 0);
  CHECK(rig.driver->calls == std::vector<std::string>{"create x10", "create x10", "create x5"});  // batches
  for (const Node& node : rig.nodes()) {
    CHECK(node.settled());
    CHECK(node.step == Step::kNone);
    CHECK(node.boot_at > 0);
    CHECK(node.fault.text.empty());
  }

  const Node first = rig.nodes().front();
  REQUIRE(rig.commands->deleteNode(rig.caller, vcid, "web", first.node_id).ok());
  CHECK(rig.count(State::kDeleting) == 1);
  REQUIRE(rig.runUntil([&] { return rig.nodes().size() == 24; }));
  CHECK(rig.driver->cloud.size() == 24);

  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.driver->cloud.empty());
  CHECK(rig.machines().empty());
  CHECK(rig.openOps() == 0);
}

TEST_CASE("observations of many machines share calls") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  rig.driver->boots_as = MachineState::kProvisioning;
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 50)).ok());
  REQUIRE(rig.runUntil([&] { return rig.driver->observe_calls >= 10; }));
  for (auto& [name, machine] : rig.driver->cloud) machine.state = MachineState::kRunning;
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 50; }));
  CHECK(rig.driver->observe_calls < 20);  // 50 nodes, more than ten rounds
}

TEST_CASE("a look says which create made the machine, so that one of a batch is found without its id") {
  struct Watching final : FakeDriver {
    std::map<std::string, std::set<std::int64_t>> seen;  // by create_op
    std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) override {
      for (const MachineRef& ref : refs) seen[ref.create_op].insert(ref.create_index);
      return FakeDriver::observe(call, refs);
    }
  };
  EngineRig rig;
  const auto driver = std::make_shared<Watching>();
  rig.registry.replace(driver);
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 3)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  REQUIRE(driver->tokens.size() == 1);
  CHECK(driver->seen == decltype(driver->seen){{driver->tokens.front(), {0, 1, 2}}});
}

TEST_CASE("a unit survives its last node and can grow again; numbers are not used twice") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  REQUIRE(rig.commands->deleteNode(rig.caller, vcid, "web", rig.nodes().front().node_id).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  CHECK(rig.hasVc(vcid));
  REQUIRE(rig.commands->addNodes(rig.caller, vcid, "web", {.count = 1}).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.nodes().front().node_no == 2);
}

TEST_CASE("a delete overtakes a boot, and the create that was under way is given back") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  rig.driver->boots_as = MachineState::kProvisioning;
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 3)).ok());
  REQUIRE(rig.runUntil([&] { return rig.driver->cloud.size() == 3; }));
  REQUIRE(rig.commands->deleteUnit(rig.caller, vcid, "web", true).ok());
  CHECK(rig.count(State::kDeleting) == 3);
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  CHECK(rig.driver->cloud.empty());
}

TEST_CASE("deleting before anything was sent asks the cloud nothing") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 3)).ok());
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.driver->calls.empty());
}

TEST_CASE("a refused create ends in ERROR with the cloud's code, and can be deleted") {
  EngineRig rig;
  rig.driver->script = [](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create") {
      fate.apply = false;
      fate.error = Status(Code::kUnauthenticated, "the key is not known", Outcome::kNotApplied);
      fate.error.withProviderCode("InvalidClientTokenId");
    }
    return fate;
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 2)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 2; }, 5000));  // at once, not after the boot deadline
  CHECK(rig.nodes().front().fault.text.find("the key is not known [InvalidClientTokenId]") != std::string::npos);
  CHECK(rig.machines().empty());
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
}

TEST_CASE("throttled creates are tried again with growing pauses until they get through") {
  EngineRig rig;
  int refusals = 6;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create" && refusals > 0) {
      --refusals;
      fate.apply = false;
      fate.error = Status(Code::kUnavailable, "slow down", Outcome::kNotApplied);
      fate.error.withRetryAfter(3000);
    }
    return fate;
  };
  const std::string vcid = rig.newVc();
  const std::int64_t began = rig.clock.monoMs();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 2)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
  CHECK(rig.clock.monoMs() - began >= 9000);  // Retry-After was honoured three times
  CHECK(rig.driver->cloud.size() == 2);
}

TEST_CASE("a lost answer is resolved by looking; nothing is made twice") {
  EngineRig rig;
  int losses = 1;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    FakeDriver::Fate fate;
    if (call == "create" && ref.index == 0 && losses > 0) {
      --losses;
      fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
    }
    return fate;
  };
  SUBCASE("a cloud with tokens") {}
  SUBCASE("a cloud with names") { rig.driver->facts.idempotency = Idempotency::kName; }
  SUBCASE("a cloud without tokens") { rig.driver->facts.idempotency = Idempotency::kLookup; }
  SUBCASE("and the request never arrived") {
    rig.driver->facts.idempotency = Idempotency::kLookup;
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
      FakeDriver::Fate fate;
      if (call == "create" && ref.index == 0 && losses > 0) {
        --losses;
        fate.apply = false;
        fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
      }
      return fate;
    };
  }
  SUBCASE("and the driver said nothing at all") {
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
      FakeDriver::Fate fate;
      fate.silent = call == "create" && ref.index == 0 && losses-- > 0;
      return fate;
    };
  }
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 3)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  CHECK(rig.driver->cloud.size() == 3);
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.driver->cloud.empty());
}

TEST_CASE("a create of several steps goes on from its pending answers") {
  EngineRig rig;
  std::map<std::string, int> steps;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    FakeDriver::Fate fate;
    if (call == "create" && ++steps[ref.name] < 4) fate.pending_ms = 5000;
    return fate;
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 2)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
  CHECK(rig.driver->cloud.size() == 2);
  for (const std::string& token : rig.driver->tokens) CHECK(token == rig.driver->tokens.front());  // one op throughout
}

TEST_CASE("a destroy that fails is tried for ever and shows why") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  bool broken = true;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "destroy" && broken) {
      fate.apply = false;
      fate.error = Status(Code::kPermissionDenied, "not yours", Outcome::kNotApplied);
    }
    return fate;
  };
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  CHECK_FALSE(rig.runUntil([&] { return rig.nodes().empty(); }, 3'000'000));
  REQUIRE(rig.nodes().size() == 1);
  CHECK(rig.nodes().front().state == State::kDeleting);
  CHECK(rig.nodes().front().fault.text.find("not yours") != std::string::npos);
  broken = false;
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.driver->cloud.empty());
}

TEST_CASE("a machine that never gets ready ends in ERROR at its deadline and is given back") {
  EngineRig rig("cci_version: '1.0'\nfake:\n  default:\n    boot_deadline_s: 120\n");
  rig.driver->boots_as = MachineState::kProvisioning;
  const std::string vcid = rig.newVc();
  const std::int64_t began = rig.clock.monoMs();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));
  CHECK(rig.clock.monoMs() - began < 125000);
  const std::string text = rig.nodes().front().fault.text;
  CHECK_MESSAGE(text.find("step `address` did not end within 96 s, 80 % of boot_deadline_s of catalog entry "
                          "fake/default") != std::string::npos,
                text);
  CHECK_MESSAGE(text.find("last seen PROVISIONING; look at the machine in the cloud's console") != std::string::npos,
                text);
  REQUIRE(rig.runUntil([&] { return rig.driver->cloud.empty(); }));
  CHECK(rig.count(State::kError) == 1);  // and stays visible until DELETE
}

TEST_CASE("a driver that is not loaded is a condition: its nodes wait and go on later") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  FakeRegistry loaded(rig.driver);
  rig.registry.unload();
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kBooting) == 0; }, 60000));
  CHECK(rig.commands->addUnit(rig.caller, vcid, "two", unitCci("two", 1)).code() == Code::kUnavailable);
  rig.registry = loaded;
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
}

TEST_CASE("the process dies at any flush: nothing is lost, nothing leaks, nothing is made twice") {
  for (const Idempotency kind : {Idempotency::kToken, Idempotency::kLookup}) {
    for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
      for (std::size_t nth = 1; nth <= 30; ++nth) {
        CAPTURE(nth);
        EngineRig rig;
        rig.driver->facts.idempotency = kind;
        rig.driver->facts.max_batch = 2;
        const std::string vcid = rig.newVc();
        const auto running = [&] { return rig.count(State::kRunning) == 3; };
        REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 3)).ok());
        rig.faults->crashAtFlush(nth, point);
        rig.runUntil(running, 20000);
        rig.crash();
        REQUIRE(rig.runUntil(running));
        CHECK(rig.driver->cloud.size() == 3);
        REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
        rig.faults->crashAtFlush(nth, point);
        rig.runUntil([&] { return !rig.hasVc(vcid); }, 20000);
        rig.crash();
        REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
        CHECK(rig.driver->cloud.empty());
        CHECK(rig.machines().empty());
        CHECK(rig.openOps() == 0);
      }
    }
  }
}

TEST_CASE("a disk that is full loses no answer of the cloud") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 2)).ok());
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    if (call == "create") rig.faults->failAlways(unavailable("disk full"));
    return FakeDriver::Fate{};
  };
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }, 60000));
  CHECK(rig.commands->addUnit(rig.caller, vcid, "two", unitCci("two", 1)).code() == Code::kUnavailable);
  CHECK(rig.driver->cloud.size() == 2);
  rig.driver->script = {};
  rig.faults->failAlways(okStatus());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
  CHECK(rig.driver->cloud.size() == 2);
  CHECK(rig.driver->calls.size() == 1);  // the answer was kept: no second create
}

TEST_CASE("a delete that the cloud accepted and forgot is asked for again") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  int forgotten = 2;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "destroy" && forgotten > 0) {
      --forgotten;
      fate.apply = false;  // and DONE all the same
    }
    return fate;
  };
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }, 120000));
  CHECK(rig.driver->cloud.empty());
}

TEST_CASE("a refusal of a repeated request says nothing about the first one") {
  EngineRig rig;
  int sends = 0;
  const std::string vcid = rig.newVc();
  Code refusal = Code::kUnauthenticated;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call != "create") return fate;
    ++sends;
    if (sends == 1) fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
    if (sends == 2) {
      fate.apply = false;
      fate.error = Status(refusal, "refused", Outcome::kNotApplied);
    }
    return fate;
  };
  rig.driver->blind_looks = 1;  // so that the same request is sent again while its machine is there already
  SUBCASE("final: what the first one made is given back") {
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));
    REQUIRE(rig.runUntil([&] { return rig.machines().empty(); }));
    CHECK(rig.driver->cloud.empty());
  }
  SUBCASE("not now: it is resolved as before") {
    refusal = Code::kUnavailable;
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
    CHECK(rig.driver->cloud.size() == 1);
  }
  CHECK(sends >= 2);
}

TEST_CASE("a throttled later step does not throw away what the earlier ones made") {
  EngineRig rig;
  int steps = 0;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call != "create") return fate;
    ++steps;
    if (steps == 1) fate.pending_ms = 1000;
    if (steps >= 2 && steps <= 4) fate.error = Status(Code::kUnavailable, "slow down", Outcome::kNotApplied);
    return fate;
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.driver->cloud.size() == 1);
  CHECK(std::find(rig.driver->calls.begin(), rig.driver->calls.end(), "destroy x1") == rig.driver->calls.end());
  CHECK(rig.driver->tokens.front() == rig.driver->tokens.back());
}

TEST_CASE("a create that waits for long costs nothing after a restart") {
  EngineRig rig;
  bool ready = false;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create" && !ready) fate.pending_ms = 600000;
    return fate;
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  rig.runUntil([&] { return !rig.driver->calls.empty(); });
  rig.runUntil([] { return false; }, 5000);
  rig.crash();
  ready = true;
  const std::size_t flushes = rig.faults->flushes();
  rig.runUntil([] { return false; }, 300000);
  CHECK(rig.faults->flushes() - flushes < 20);
  CHECK(rig.driver->calls.size() == 1);  // the cloud's own pause still holds
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
}

TEST_CASE("parts of a machine are merged by kind and name, and go when the driver says so") {
  std::vector<Resource> known{{"nic", "a", "1"}, {"disk", "a", "2"}};
  mergeResources(known, {{"nic", "a", "3"}, {"ip", "b", "4"}, {"disk", "a", ""}, {"disk", "unknown", ""}});
  CHECK(known == std::vector<Resource>{{"nic", "a", "3"}, {"ip", "b", "4"}});
}

TEST_CASE("two engines on one store: the older one stops at its first commit") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.store
              ->transact([](Tx& tx) {
                Lease lease = *tx.leases().find("all");
                lease.fence += 1;
                return tx.leases().put(lease);
              })
              .ok());
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 60000));
  CHECK(rig.driver->calls.empty());
}
