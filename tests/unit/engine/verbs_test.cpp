// SPDX-License-Identifier: Apache-2.0
// The verbs of units and nodes on a cloud whose machines have no hosts: goals, power, stop and start.
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr Verb kVerbs[] = {Verb::kSuspend, Verb::kResume, Verb::kPowerOff, Verb::kPowerOn, Verb::kStop, Verb::kStart};

struct VerbRig : EngineRig {
  std::string vcid = newVc();

  void boot(int nodes = 1) {
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", nodes)).ok());
    REQUIRE(runUntil([&] { return count(State::kRunning) == static_cast<std::size_t>(nodes); }));
  }
  Node first() const { return nodes().front(); }
  Status ask(Verb verb) { return commands->changeNode(caller, vcid, "web", first().node_id, verb); }
  Status askUnit(Verb verb) { return commands->changeUnit(caller, vcid, "web", verb); }
  bool reaches(State state, std::int64_t limit_ms = 2'000'000) {
    return runUntil([&] { return count(state) == nodes().size() && first().settled(); }, limit_ms);
  }
  /// Asks, and requires it to get there.
  void go(Verb verb, State state) {
    const Status asked = ask(verb);
    REQUIRE_MESSAGE(asked.ok(), asked.toString());
    REQUIRE(reaches(state));
  }
  void goTo(Goal goal) {
    boot();
    if (goal == Goal::kSuspended) go(Verb::kSuspend, State::kSuspended);
    if (goal == Goal::kPowerOff) go(Verb::kPowerOff, State::kPowerOff);
    if (goal == Goal::kStopped) go(Verb::kStop, State::kStopped);
  }
  std::size_t called(const std::string& call) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(driver->calls, [&](const std::string& made) { return made.starts_with(call + " "); }));
  }
  MachineState power() const { return driver->cloud.begin()->second.state; }
};

FakeDriver::Fate refuse(Code code, const std::string& text) {
  FakeDriver::Fate fate;
  fate.apply = false;
  fate.error = Status(code, text, Outcome::kNotApplied);
  return fate;
}

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
