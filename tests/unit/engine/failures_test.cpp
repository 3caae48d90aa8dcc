// SPDX-License-Identifier: Apache-2.0
// What becomes of a boot when the cloud says no: late, halfway, or slowly.
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct BootRig : EngineRig {
  std::string vcid = newVc();
  std::vector<std::int64_t> creates_at;  ///< first calls, one for each machine
  std::set<std::string> seen_names;

  void boot(int nodes = 1) { REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", nodes)).ok()); }
  bool isNew(const MachineRef& ref) {
    if (!seen_names.insert(ref.name).second) return false;
    creates_at.push_back(clock.monoMs());
    return true;
  }
  std::string fault() const { return nodes().front().fault.text; }
};

}  // namespace

TEST_CASE("a machine that fails after its create was accepted is judged by its class") {
  BootRig rig;
  rig.driver->boots_as = MachineState::kFailed;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    if (call == "create") rig.isNew(ref);
    return FakeDriver::Fate{};
  };
  SUBCASE("no capacity: given back, and another one later, with growing pauses") {
    rig.driver->boot_failure = Code::kResourceExhausted;
    rig.boot();
    REQUIRE(rig.runUntil([&] { return rig.creates_at.size() == 3; }));
    rig.driver->boots_as = MachineState::kRunning;
    CHECK(rig.creates_at[1] - rig.creates_at[0] >= 15000);
    CHECK(rig.creates_at[2] - rig.creates_at[1] >= 30000);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
    CHECK(rig.creates_at.size() == 4);
    CHECK(rig.driver->cloud.size() == 1);
    CHECK(rig.nodes().front().create_attempts == 0);
  }
  SUBCASE("refused for good: ERROR at once, and given back") {
    rig.driver->boot_failure = Code::kPermissionDenied;
    rig.boot();
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 10000));
    CHECK(rig.creates_at.size() == 1);
    REQUIRE(rig.runUntil([&] { return rig.driver->cloud.empty(); }));
  }
  SUBCASE("no class: as before, the boot ends") {
    rig.boot();
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 10000));
    CHECK(rig.fault().find("reports the machine as failed") != std::string::npos);
  }
}

TEST_CASE("a spoilt machine is worth one more try") {
  BootRig rig;
  int spoilt = 0;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    FakeDriver::Fate fate;
    if (call != "create") return fate;
    rig.isNew(ref);
    if (spoilt-- > 0) {
      fate.apply = false;
      fate.error = Status(Code::kDataLoss, "the disk copy failed", Outcome::kNotApplied);
    }
    return fate;
  };
  SUBCASE("and the other one is good") {
    spoilt = 1;
    rig.boot();
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
    CHECK(rig.creates_at.size() == 2);
  }
  SUBCASE("but not of two") {
    spoilt = 100;
    rig.boot();
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 200000));
    CHECK(rig.creates_at.size() == 2);
    CHECK(rig.fault().find("the disk copy failed") != std::string::npos);
  }
}

TEST_CASE("a create that fails after its first part is tried again with growing pauses") {
  BootRig rig;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    FakeDriver::Fate fate;
    if (call != "create") return fate;
    if (rig.isNew(ref)) {
      fate.pending_ms = 500;
    } else {
      fate.error = Status(Code::kResourceExhausted, "no disks left", Outcome::kNotApplied);
    }
    return fate;
  };
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));  // at the boot deadline
  REQUIRE(rig.creates_at.size() >= 4);
  CHECK(rig.creates_at.size() <= 10);
  CHECK(rig.creates_at[3] - rig.creates_at[2] >= 60000);
  CHECK(rig.fault().find("no disks left") != std::string::npos);
  REQUIRE(rig.runUntil([&] { return rig.driver->cloud.empty(); }));
}

TEST_CASE("a pending step shows what it waits for, and is asked ever less often when it names no pause") {
  BootRig rig;
  bool ready = false;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create" && !ready) {
      fate.pending_ms = 0;
      fate.reason = "disk 113: 40 % copied";
    }
    return fate;
  };
  rig.boot();
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 60000));
  CHECK(rig.driver->calls.size() >= 12);
  CHECK(rig.driver->calls.size() <= 20);
  CHECK(rig.nodes().front().progress == "disk 113: 40 % copied");
  CHECK(rig.fault().empty());
  SUBCASE("until it is done") {
    ready = true;
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 6000));
    CHECK(rig.nodes().front().progress.empty());
  }
  SUBCASE("or the deadline comes") {
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));
    CHECK(rig.fault().find("disk 113: 40 % copied") != std::string::npos);
    CHECK(rig.nodes().front().progress.empty());
  }
}

TEST_CASE("the address that a driver reports is the one that was asked for") {
  EngineRig rig;
  rig.driver->script = [&](const std::string&, const CallContext&, const MachineRef& ref) {
    rig.driver->cloud[ref.name] = {.id = "i-1", .address = "10.0.0.77"};
    return FakeDriver::Fate{};
  };
  const std::string vcid = rig.newVc();
  const auto boot = [&] {
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1, "        ip_address_list: ['10.0.0.5']\n"))
                .ok());
  };
  SUBCASE("an existing server at another address is not touched") {
    rig.driver->facts.existence = Existence::kAsserted;
    rig.driver->facts.simulated_hosts = false;
    boot();
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 10000));
    CHECK(rig.nodes().front().fault.text.find("10.0.0.77") != std::string::npos);
    CHECK(rig.host.calls.empty());
  }
  SUBCASE("a machine of ours goes on, and the fault is shown") {
    rig.driver->boots_as = MachineState::kProvisioning;
    rig.driver->facts.simulated_hosts = false;
    rig.host.failure["inspect"] = unavailable("still booting");
    boot();
    REQUIRE(rig.runUntil([&] { return !rig.nodes().front().fault.text.empty(); }, 10000));
    CHECK(rig.count(State::kBooting) == 1);
  }
}

TEST_CASE("existing servers are looked at too") {
  EngineRig rig;
  rig.driver->facts.existence = Existence::kAsserted;
  rig.driver->script = [&](const std::string&, const CallContext&, const MachineRef& ref) {
    rig.driver->cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
    return FakeDriver::Fate{};
  };
  REQUIRE(rig.commands
              ->addUnit(rig.caller, rig.newVc(), "web", unitCci("web", 1, "        ip_address_list: ['10.0.0.5']\n"))
              .ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.driver->observe_calls > 0);
}

TEST_CASE("looks that fail at a machine that is given back for a node in ERROR are repeated with pauses") {
  EngineRig rig("cci_version: '1.0'\nfake:\n  default:\n    boot_deadline_s: 60\n");
  rig.driver->boots_as = MachineState::kProvisioning;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));
  rig.driver->look_error = Status(Code::kUnauthenticated, "the grant was purged", Outcome::kNotApplied);
  const int before = rig.driver->observe_calls;
  CHECK_FALSE(rig.runUntil([&] { return rig.machines().empty(); }, 300'000));
  CHECK(rig.driver->observe_calls - before > 1);
  CHECK(rig.driver->observe_calls - before < 20);
  rig.driver->look_error = okStatus();
  REQUIRE(rig.runUntil([&] { return rig.machines().empty(); }));
  CHECK(rig.count(State::kError) == 1);
}
