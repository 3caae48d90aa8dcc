// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/engine_rig.h"

namespace vcc::test {

/// A UnitGroup on a cloud whose machines have no hosts, for the verbs of its unit and nodes.
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

inline FakeDriver::Fate refuse(Code code, const std::string& text) {
  FakeDriver::Fate fate;
  fate.apply = false;
  fate.error = Status(code, text, Outcome::kNotApplied);
  return fate;
}

}  // namespace vcc::test
