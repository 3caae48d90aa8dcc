// SPDX-License-Identifier: Apache-2.0
// Calls that change what is waited for or watched, and no machine.
#include "verb_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("watch and unwatch change the mode and nothing else") {
  VerbRig rig;
  rig.boot(2);
  CHECK(rig.first().watch_mode);
  REQUIRE(rig.commands->watchNode(rig.caller, rig.vcid, "web", rig.first().node_id, false).ok());
  CHECK_FALSE(rig.first().watch_mode);
  CHECK(rig.nodes().back().watch_mode);
  CHECK(rig.count(State::kRunning) == 2);
  REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", false).ok());
  CHECK_FALSE(rig.nodes().back().watch_mode);
  REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", true).ok());
  CHECK(rig.first().watch_mode);
  CHECK(rig.commands->watchNode(rig.caller, rig.vcid, "web", "nobody", true).code() == Code::kNotFound);
  Caller other{.principal = {.user = "somebody", .token_head = "s.other"}};
  CHECK(rig.commands->watchUnit(other, rig.vcid, "web", false).code() == Code::kPermissionDenied);
  CHECK(rig.commands->changeUnit(other, rig.vcid, "web", Verb::kStop).code() == Code::kPermissionDenied);
  CHECK(rig.commands->clearProcessing(other, rig.vcid, "web").code() == Code::kPermissionDenied);
}

TEST_CASE("clear_processing accepts what was seen last, and resolves what is open behind it") {
  VerbRig rig;
  SUBCASE("power that is refused: RUNNING, as it is") {
    rig.boot();
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      return call == "power_off" ? refuse(Code::kPermissionDenied, "no") : FakeDriver::Fate{};
    };
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    rig.runUntil([&] { return rig.called("power_off") > 0; });
    REQUIRE(rig.openOps() == 1);
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    CHECK(rig.first().state == State::kRunning);
    CHECK(rig.first().goal == Goal::kRunning);
    CHECK(rig.first().settled());
    REQUIRE(rig.runUntil([&] { return rig.openOps() == 0; }));
    CHECK(rig.called("power_off") == 1);
  }
  SUBCASE("power whose answer was lost and that comes through: POWER_OFF, as the cloud says") {
    bool watched = true;
    SUBCASE("watched") {}
    SUBCASE("not watched") { watched = false; }
    rig.boot();
    REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", watched).ok());
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      fate.apply = call != "power_off";
      if (!fate.apply) fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
      return fate;
    };
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    rig.runUntil([&] { return rig.called("power_off") > 0; });
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    CHECK(rig.first().state == State::kRunning);
    rig.runUntil([] { return false; }, 10000);
    rig.crash();
    rig.driver->cloud.begin()->second.state = MachineState::kStopping;
    rig.runUntil([] { return false; }, 60000);
    CHECK(rig.first().state == State::kRunning);
    rig.driver->cloud.begin()->second.state = MachineState::kStopped;
    REQUIRE(rig.runUntil([&] { return rig.first().state == State::kPowerOff; }, 10000));
    CHECK(rig.first().goal == Goal::kPowerOff);
    CHECK(rig.first().settled());
    CHECK(rig.openOps() == 0);
    CHECK(std::ranges::none_of(rig.events(), [](const std::string& e) { return e.find("HOST_ERROR") != e.npos; }));
    rig.driver->script = {};
    rig.go(Verb::kPowerOn, State::kRunning);
  }
  SUBCASE(
      "power that was accepted and never shows: RUNNING, and after ten minutes a machine that is off is a failure") {
    rig.boot();
    rig.driver->script = [](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      fate.apply = call != "power_off";
      return fate;
    };
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    rig.runUntil([&] { return rig.first().step == Step::kPowerOff && rig.openOps() == 0; });
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    CHECK(rig.first().state == State::kRunning);
    rig.driver->look_error = unavailable("the cloud is away");
    const std::int64_t before = rig.driver->observe_calls;
    rig.runUntil([] { return false; }, 30000);
    CHECK(rig.driver->observe_calls - before < 60);
    rig.driver->look_error = okStatus();
    REQUIRE(rig.runUntil([&] { return rig.first().step == Step::kNone; }, 700000));
    CHECK(rig.first().state == State::kRunning);
    rig.driver->cloud.begin()->second.state = MachineState::kStopped;
    REQUIRE(rig.runUntil([&] { return rig.first().state == State::kHostError; }));
  }
  SUBCASE("a container that does not start: SUSPENDED") {
    rig.goTo(Goal::kSuspended);
    rig.simulated_host.failure["run"] = unavailable("no");
    REQUIRE(rig.ask(Verb::kResume).ok());
    rig.runUntil([] { return false; }, 5000);
    REQUIRE(rig.commands->clearProcessing(rig.vcid, "web", "administrator").ok());
    CHECK(rig.first().state == State::kSuspended);
    rig.simulated_host.failure.clear();
    rig.go(Verb::kResume, State::kRunning);
  }
  SUBCASE("a machine that does not come up: ERROR, and it is given back") {
    rig.driver->boots_as = MachineState::kProvisioning;
    REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1)).ok());
    rig.runUntil([] { return false; }, 5000);
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    CHECK(rig.first().state == State::kError);
    CHECK(rig.first().fault.text.find("processing cleared by nobody on the way to RUNNING, at step `address`") == 0);
    REQUIRE(rig.runUntil([&] { return rig.driver->cloud.empty() && rig.machines().empty(); }));
  }
  SUBCASE("a stop under way: STOPPED, and the machine still goes") {
    rig.boot();
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      return call == "destroy" && rig.first().state == State::kStopping ? refuse(Code::kUnavailable, "no")
                                                                        : FakeDriver::Fate{};
    };
    REQUIRE(rig.ask(Verb::kStop).ok());
    rig.runUntil([&] { return rig.called("destroy") > 0; });
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    CHECK(rig.first().state == State::kStopped);
    REQUIRE(rig.runUntil([&] { return rig.driver->cloud.empty() && rig.machines().empty(); }));
    rig.go(Verb::kStart, State::kRunning);
  }
  SUBCASE("settled and deleted nodes are left alone") {
    rig.boot(2);
    const Node before = rig.first();
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    CHECK(rig.first().goal_seq == before.goal_seq);
    REQUIRE(rig.commands->deleteNode(rig.caller, rig.vcid, "web", before.node_id).ok());
    REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
    REQUIRE(rig.runUntil([&] { return rig.nodes().size() == 1; }));
    CHECK(rig.commands->clearProcessing(rig.caller, rig.vcid, "no").code() == Code::kNotFound);
    CHECK(rig.commands->clearProcessing("0", "web", "administrator").code() == Code::kNotFound);
  }
}
