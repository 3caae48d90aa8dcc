// SPDX-License-Identifier: Apache-2.0
// Switching machines off and on, and clouds that refuse it.
#include "verb_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("power keeps machine and address; both dates begin anew") {
  VerbRig rig;
  rig.boot();
  const Machine before = rig.machines().front();
  const Node up = rig.first();
  rig.go(Verb::kPowerOff, State::kPowerOff);
  CHECK(rig.power() == MachineState::kStopped);
  CHECK(rig.machines().front().machine_id == before.machine_id);
  rig.go(Verb::kPowerOn, State::kRunning);
  CHECK(rig.power() == MachineState::kRunning);
  const Machine after = rig.machines().front();
  CHECK(after.machine_id == before.machine_id);
  CHECK(after.cloud_id == before.cloud_id);
  CHECK(after.address == before.address);
  CHECK(rig.first().boot_at > up.boot_at);
  CHECK(rig.first().container_started > up.container_started);
  CHECK(rig.driver->calls == std::vector<std::string>{"create x1", "power_off x1", "power_on x1"});
}

TEST_CASE("power ops of one account go together") {
  VerbRig rig;
  rig.boot(25);
  rig.driver->calls.clear();
  REQUIRE(rig.askUnit(Verb::kPowerOff).ok());
  REQUIRE(rig.reaches(State::kPowerOff));
  CHECK(rig.driver->calls == std::vector<std::string>{"power_off x10", "power_off x10", "power_off x5"});
}

TEST_CASE("a provider without a power switch refuses, and says what else there is") {
  VerbRig rig;
  rig.driver->facts.can_power = false;
  rig.boot();
  for (const Verb verb : {Verb::kPowerOff, Verb::kPowerOn}) {
    const Status asked = rig.ask(verb);
    CHECK(asked.code() == Code::kFailedPrecondition);
    CHECK(asked.message().find("provider fake cannot switch machines off and on") != std::string::npos);
    CHECK(rig.askUnit(verb).code() == Code::kFailedPrecondition);
  }
  CHECK(rig.first().goal_seq == 1);
}

TEST_CASE("power that the cloud refuses") {
  VerbRig rig;
  rig.boot();
  SUBCASE("not now: again later") {
    int refusals = 3;
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      return call == "power_off" && refusals-- > 0 ? refuse(Code::kUnavailable, "busy") : FakeDriver::Fate{};
    };
    rig.go(Verb::kPowerOff, State::kPowerOff);
    CHECK(rig.called("power_off") == 4);
    CHECK(rig.first().fault.text.empty());
  }
  SUBCASE("never for this machine: ERROR at once, with its words; it is kept") {
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      return call == "power_off" ? refuse(Code::kUnimplemented, "a one-time spot machine cannot be stopped")
                                 : FakeDriver::Fate{};
    };
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    REQUIRE(rig.reaches(State::kError, 5000));
    CHECK(rig.first().fault.text.find("switching the machine off failed: a one-time spot machine") == 0);
    CHECK(rig.driver->cloud.size() == 1);
    CHECK(rig.openOps() == 0);
    rig.go(Verb::kPowerOn, State::kRunning);  // tried again from ERROR: it is there, and on
    CHECK(rig.called("create") == 1);
  }
  SUBCASE("for as long as it may take: ERROR with step, cause and remedy; nothing is destroyed") {
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      return call == "power_off" ? refuse(Code::kPermissionDenied, "not allowed to stop") : FakeDriver::Fate{};
    };
    const std::int64_t began = rig.clock.monoMs();
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    REQUIRE(rig.reaches(State::kError));
    CHECK(rig.clock.monoMs() - began < 1'000'000);
    CHECK(rig.first().fault.text.find("did not become POWER_OFF within 600 s") != std::string::npos);
    CHECK(rig.first().fault.text.find("step `power_off`") != std::string::npos);
    CHECK(rig.first().fault.text.find("not allowed to stop") != std::string::npos);
    CHECK(rig.driver->cloud.size() == 1);
    REQUIRE(rig.runUntil([&] { return rig.openOps() == 0; }));  // resolved behind it
    rig.driver->script = {};
    rig.go(Verb::kStart, State::kRunning);
  }
  SUBCASE("accepted, but it never goes off: asked again, then ERROR") {
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      fate.apply = call != "power_off";
      return fate;
    };
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    REQUIRE(rig.reaches(State::kError));
    CHECK(rig.called("power_off") >= 5);
    CHECK(rig.first().fault.text.find("last seen RUNNING") != std::string::npos);
  }
  SUBCASE("the answer is lost: a look decides whether it is asked again") {
    int lost = 1;
    bool applied = false;
    SUBCASE("it took effect") { applied = true; }
    SUBCASE("it did not") {}
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      if (call == "power_off" && lost-- > 0) {
        fate.apply = applied;
        fate.error = Status(Code::kUnavailable, "connection cut", Outcome::kUnknown);
      }
      return fate;
    };
    rig.go(Verb::kPowerOff, State::kPowerOff);
    CHECK(rig.called("power_off") == (applied ? 1 : 2));
  }
  SUBCASE("in several steps") {
    int pending = 3;
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      if (call == "power_off" && pending-- > 0) {
        fate.apply = false;
        fate.pending_ms = 500;
        fate.reason = "it shuts down";
      }
      return fate;
    };
    rig.go(Verb::kPowerOff, State::kPowerOff);
    CHECK(rig.called("power_off") == 4);
  }
}

TEST_CASE("one machine's trouble with its power does not hold the others of its batch") {
  VerbRig rig;
  rig.boot(3);
  const std::string bad = rig.machines().front().name;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    return call == "power_off" && ref.name == bad ? refuse(Code::kInternal, "spoilt") : FakeDriver::Fate{};
  };
  REQUIRE(rig.askUnit(Verb::kPowerOff).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kPowerOff) == 2; }, 10000));
  rig.driver->script = {};
  REQUIRE(rig.reaches(State::kPowerOff));
}

TEST_CASE("a machine that fails when it is switched on is kept for its disk, and a retry replaces it") {
  VerbRig rig;
  rig.boot();
  rig.go(Verb::kPowerOff, State::kPowerOff);
  rig.driver->boot_failure = Code::kResourceExhausted;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
    FakeDriver::Fate fate;
    if (call == "power_on") {
      fate.apply = false;
      rig.driver->cloud[ref.name].state = MachineState::kFailed;
    }
    return fate;
  };
  REQUIRE(rig.ask(Verb::kPowerOn).ok());
  REQUIRE(rig.reaches(State::kError, 60000));
  rig.runUntil([] { return false; }, 60000);
  CHECK(rig.driver->cloud.size() == 1);
  CHECK(rig.called("destroy") == 0);
  rig.go(Verb::kStart, State::kRunning);
  CHECK(rig.called("destroy") == 1);
  CHECK(rig.driver->cloud.size() == 1);
}
