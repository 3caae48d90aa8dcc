// SPDX-License-Identifier: Apache-2.0
// The verbs of units and nodes on a cloud whose machines have no hosts: goals, power, stop and start.
#include "verb_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr Verb kVerbs[] = {Verb::kSuspend, Verb::kResume, Verb::kPowerOff, Verb::kPowerOn, Verb::kStop, Verb::kStart};

}  // namespace

TEST_CASE("the goal table, cell by cell: what is refused changes nothing, what applies ends where it should") {
  for (const Goal goal : {Goal::kRunning, Goal::kSuspended, Goal::kPowerOff, Goal::kStopped}) {
    for (const Verb verb : kVerbs) {
      CAPTURE(goalName(goal));
      CAPTURE(verbName(verb));
      VerbRig rig;
      rig.goTo(goal);
      const Node before = rig.first();
      const auto expected = applyVerb(verb, goal, false);
      const Status asked = rig.ask(verb);
      if (!expected.ok()) {
        CHECK(asked.code() == Code::kFailedPrecondition);
        CHECK(asked.message().starts_with(rig.vcid + ":web:| Conflict: node 1: " + std::string(verbName(verb))));
      } else {
        CHECK(asked.ok());
      }
      const bool changes = expected.ok() && expected->changes;
      CHECK(rig.first().goal_seq == before.goal_seq + (changes ? 1 : 0));
      CHECK(rig.first().state == (changes ? expected->transient : before.state));  // before anything was done
      if (!changes) continue;
      CHECK(rig.first().deadline > rig.clock.wallMs());
      REQUIRE(rig.reaches(settledState(expected->goal)));
      CHECK(rig.first().goal == expected->goal);
      CHECK(rig.openOps() == 0);
    }
  }
}

TEST_CASE("while a node is being deleted every verb is a conflict") {
  VerbRig rig;
  rig.boot();
  REQUIRE(rig.commands->deleteNode(rig.caller, rig.vcid, "web", rig.first().node_id).ok());
  for (const Verb verb : kVerbs) {
    CHECK(rig.ask(verb).code() == Code::kFailedPrecondition);
    CHECK(rig.askUnit(verb).code() == Code::kFailedPrecondition);
  }
  CHECK(rig.commands->watchUnit(rig.caller, rig.vcid, "web", false).code() == Code::kFailedPrecondition);
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  CHECK(rig.askUnit(Verb::kStop).ok());  // a unit without nodes: nothing to do
}

TEST_CASE("a unit's verb applies where it is legal") {
  VerbRig rig;
  rig.boot(3);
  REQUIRE(rig.ask(Verb::kPowerOff).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kPowerOff) == 1; }));
  REQUIRE(rig.askUnit(Verb::kSuspend).ok());  // not for the one that is off
  CHECK(rig.count(State::kSuspending) == 2);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kSuspended) == 2; }));
  CHECK(rig.count(State::kPowerOff) == 1);
  REQUIRE(rig.askUnit(Verb::kStop).ok());
  CHECK(rig.count(State::kStopping) == 3);
  REQUIRE(rig.reaches(State::kStopped));
  CHECK(rig.driver->cloud.empty());
  CHECK(rig.askUnit(Verb::kResume).code() == Code::kFailedPrecondition);
  REQUIRE(rig.askUnit(Verb::kStart).ok());
  REQUIRE(rig.reaches(State::kRunning));
  CHECK(rig.driver->cloud.size() == 3);
  CHECK(rig.askUnit(Verb::kStart).ok());  // no-op
}

TEST_CASE("stop takes the machine, keeps the node and its fixed address; start brings another machine there") {
  VerbRig rig;
  REQUIRE(
      rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1, "        ip_address_list: ['10.0.0.77']\n"))
          .ok());
  REQUIRE(rig.reaches(State::kRunning));
  const Machine before = rig.machines().front();
  const Node node = rig.first();
  rig.go(Verb::kStop, State::kStopped);
  CHECK(rig.driver->cloud.empty());
  CHECK(rig.machines().empty());
  CHECK(rig.first().node_id == node.node_id);
  CHECK(rig.first().container_started == 0);
  // Nobody else gets the address meanwhile.
  CHECK_FALSE(rig.commands->addNodes(rig.caller, rig.vcid, "web", {.count = 1, .addresses = {"10.0.0.77"}}).ok());
  rig.go(Verb::kStart, State::kRunning);
  CHECK(rig.machines().front().machine_id != before.machine_id);
  CHECK(rig.machines().front().address == "10.0.0.77");
  CHECK(rig.driver->cloud.size() == 1);
}

TEST_CASE("the last legal goal wins") {
  VerbRig rig;
  SUBCASE("power_off while booting, before anything was sent") {
    REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 2)).ok());
    REQUIRE(rig.askUnit(Verb::kPowerOff).ok());
    CHECK(rig.count(State::kShuttingDown) == 2);
    REQUIRE(rig.reaches(State::kPowerOff));
    CHECK(rig.power() == MachineState::kStopped);
    REQUIRE(rig.askUnit(Verb::kPowerOn).ok());
    REQUIRE(rig.reaches(State::kRunning));
    CHECK(rig.driver->cloud.size() == 2);
  }
  SUBCASE("suspend while the machine boots") {
    rig.driver->boots_as = MachineState::kProvisioning;
    REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1)).ok());
    rig.runUntil([&] { return rig.first().step == Step::kAddress; });
    REQUIRE(rig.ask(Verb::kSuspend).ok());
    rig.runUntil([] { return false; }, 10000);
    CHECK(rig.first().state == State::kSuspending);
    rig.driver->cloud.begin()->second.state = MachineState::kRunning;
    REQUIRE(rig.reaches(State::kSuspended));
    CHECK(rig.simulated_host.calls == std::vector<std::string>{"stop"});
  }
  SUBCASE("start while stopping: that machine goes, another one comes") {
    rig.boot();
    REQUIRE(rig.ask(Verb::kStop).ok());
    rig.runUntil([&] { return rig.called("destroy") == 1; });
    REQUIRE(rig.first().state == State::kStopping);
    REQUIRE(rig.ask(Verb::kStart).ok());
    REQUIRE(rig.reaches(State::kRunning));
    CHECK(rig.called("create") == 2);
    CHECK(rig.driver->cloud.size() == 1);
  }
  SUBCASE("stop and start before the cloud was asked: nothing happens") {
    rig.boot();
    REQUIRE(rig.ask(Verb::kStop).ok());
    REQUIRE(rig.ask(Verb::kStart).ok());
    REQUIRE(rig.reaches(State::kRunning));
    CHECK(rig.driver->calls == std::vector<std::string>{"create x1"});
  }
  SUBCASE("stop while booting, with a create that fails") {
    rig.driver->script = [](const std::string& call, const CallContext&, const MachineRef&) {
      return call == "create" ? refuse(Code::kPermissionDenied, "no") : FakeDriver::Fate{};
    };
    rig.driver->script = [&, script = rig.driver->script](const std::string& call, const CallContext& context,
                                                          const MachineRef& ref) {
      if (call == "create") CHECK(rig.ask(Verb::kStop).ok());
      return script(call, context, ref);
    };
    REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(rig.reaches(State::kStopped));
    CHECK(rig.machines().empty());
  }
  SUBCASE("power_on while it goes off: on again only when it is off") {
    rig.boot();
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
      FakeDriver::Fate fate;
      if (call == "power_off") {  // accepted, and slow
        fate.apply = false;
        rig.driver->cloud[ref.name].state = MachineState::kStopping;
      }
      return fate;
    };
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    rig.runUntil([&] { return rig.called("power_off") == 1; });
    REQUIRE(rig.ask(Verb::kPowerOn).ok());
    rig.runUntil([] { return false; }, 30000);
    CHECK(rig.called("power_on") == 0);
    rig.driver->cloud.begin()->second.state = MachineState::kStopped;
    REQUIRE(rig.reaches(State::kRunning));
    CHECK(rig.called("power_on") == 1);
    CHECK(rig.power() == MachineState::kRunning);
  }
}

TEST_CASE("a deletion overtakes every verb") {
  for (const Verb verb : {Verb::kSuspend, Verb::kPowerOff, Verb::kStop}) {
    for (const std::int64_t after_ms : {0, 1, 400}) {
      CAPTURE(verbName(verb));
      VerbRig rig;
      rig.boot(2);
      REQUIRE(rig.askUnit(verb).ok());
      rig.runUntil([] { return false; }, after_ms);
      REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
      CHECK(rig.count(State::kDeleting) == 2);
      REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
      CHECK(rig.driver->cloud.empty());
      CHECK(rig.openOps() == 0);
    }
  }
}

TEST_CASE("a machine that vanished behind our back") {
  VerbRig rig;
  rig.boot();
  rig.driver->cloud.clear();
  SUBCASE("power_off: ERROR that says so; start makes a new one") {
    REQUIRE(rig.ask(Verb::kPowerOff).ok());
    REQUIRE(rig.reaches(State::kError, 60000));
    CHECK(rig.first().fault.text.find("the cloud has no machine i-1 any more") != std::string::npos);
    rig.go(Verb::kStart, State::kRunning);
    CHECK(rig.driver->cloud.size() == 1);
    CHECK(rig.called("create") == 2);
  }
  SUBCASE("stop: it is as gone as it should be") { rig.go(Verb::kStop, State::kStopped); }
}

TEST_CASE("a stop that the cloud refuses ends in ERROR and goes on behind it") {
  VerbRig rig;
  rig.boot();
  bool refusing = true;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    return call == "destroy" && refusing ? refuse(Code::kPermissionDenied, "termination protection")
                                         : FakeDriver::Fate{};
  };
  REQUIRE(rig.ask(Verb::kStop).ok());
  REQUIRE(rig.reaches(State::kError));
  CHECK(rig.first().fault.text.find("did not become STOPPED within 900 s") != std::string::npos);
  CHECK(rig.first().fault.text.find("termination protection") != std::string::npos);
  refusing = false;
  REQUIRE(rig.runUntil([&] { return rig.driver->cloud.empty() && rig.machines().empty(); }));
  CHECK(rig.first().state == State::kError);
  rig.go(Verb::kStart, State::kRunning);
}

TEST_CASE("a boot whose failed machine cannot be given back still ends in time") {
  VerbRig rig;
  rig.driver->boots_as = MachineState::kFailed;
  rig.driver->boot_failure = Code::kResourceExhausted;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    return call == "destroy" ? refuse(Code::kUnavailable, "no") : FakeDriver::Fate{};
  };
  const std::int64_t began = rig.clock.monoMs();
  REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.reaches(State::kError));
  CHECK(rig.clock.monoMs() - began < 1'000'000);
}

TEST_CASE("the process dies at any flush of a verb's way, and the node gets there with one machine") {
  const std::vector<std::pair<Verb, State>> ways{{Verb::kPowerOff, State::kPowerOff}, {Verb::kPowerOn, State::kRunning},
                                                 {Verb::kSuspend, State::kSuspended}, {Verb::kResume, State::kRunning},
                                                 {Verb::kStop, State::kStopped},      {Verb::kStart, State::kRunning}};
  for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
    for (std::size_t nth = 1; nth <= 8; ++nth) {
      CAPTURE(nth);
      VerbRig rig;
      rig.boot(3);
      for (const auto& [verb, state] : ways) {
        CAPTURE(verbName(verb));
        REQUIRE(rig.askUnit(verb).ok());
        rig.faults->crashAtFlush(nth, point);
        rig.runUntil([&] { return rig.count(state) == 3; }, 20000);
        rig.crash();
        REQUIRE(rig.reaches(state));
        CHECK(rig.machines().size() == (state == State::kStopped ? 0 : 3));
        CHECK(rig.driver->cloud.size() == rig.machines().size());
        REQUIRE(rig.runUntil([&] { return rig.openOps() == 0; }));
        for (const auto& [name, machine] : rig.driver->cloud) {
          CHECK(machine.state == (state == State::kPowerOff ? MachineState::kStopped : MachineState::kRunning));
        }
      }
    }
  }
}

TEST_CASE("verbs, lost answers and crashes in any order end where the last goal says") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    SeededRandom dice(seed);
    const auto roll = [&dice](std::uint64_t sides) {
      std::uint8_t bytes[2] = {};
      dice.fill(bytes);
      return (std::uint64_t{bytes[0]} * 256 + bytes[1]) % sides;
    };
    VerbRig rig;
    rig.driver->facts.settle_ms = 5000;
    REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 3)).ok());
    int lost = 0;
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      if (lost > 0 && call != "create") {
        --lost;
        fate.apply = roll(2) == 0;
        fate.error = Status(Code::kUnavailable, "connection cut", Outcome::kUnknown);
      }
      return fate;
    };
    for (int turn = 0; turn < 8; ++turn) {
      const Verb verb = kVerbs[roll(6)];
      if (roll(3) == 0) {
        (void)rig.askUnit(verb);
      } else {
        const std::vector<Node> nodes = rig.nodes();
        (void)rig.commands->changeNode(rig.caller, rig.vcid, "web", nodes[roll(nodes.size())].node_id, verb);
      }
      if (roll(3) == 0) lost = static_cast<int>(roll(4));
      if (roll(4) == 0) {
        rig.faults->crashAtFlush(1 + roll(5), roll(2) == 0 ? CrashPoint::kBeforeSync : CrashPoint::kAfterSync);
        rig.runUntil([] { return false; }, 2000);
        rig.crash();
      }
      rig.runUntil([] { return false; }, static_cast<std::int64_t>(roll(4000)));
    }
    const bool all = rig.runUntil([&] {
      return std::ranges::all_of(rig.nodes(), [](const Node& n) { return n.settled(); }) && rig.openOps() == 0;
    });
    REQUIRE(all);
    std::size_t machines = 0;
    for (const Node& node : rig.nodes()) {
      CHECK(node.state == settledState(node.goal));
      if (!needsMachine(node.goal)) continue;
      ++machines;
      for (const Machine& machine : rig.machines()) {
        if (machine.node_id != node.node_id) continue;
        const auto& real = rig.driver->cloud.at(machine.name);
        CHECK(real.state == (node.goal == Goal::kPowerOff ? MachineState::kStopped : MachineState::kRunning));
      }
    }
    CHECK(rig.driver->cloud.size() == machines);
  }
}
