// SPDX-License-Identifier: Apache-2.0
// Power changes whose answer is lost: what they may still do counts from when nobody waited for them any more.
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr std::int64_t kCallMs = 60'000;
constexpr std::int64_t kSettleMs = 30'000;

struct PowerRig : EngineRig {
  std::string vcid = newVc();
  std::int64_t off_ended_at = 0;
  std::int64_t on_began_at = 0;

  /// "off" takes a minute, and what becomes of it nobody hears; it has no effect yet.
  PowerRig() {
    driver->facts.settle_ms = kSettleMs;
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(runUntil([&] { return count(State::kRunning) == 1; }));
    driver->script = [this](const std::string& call, const CallContext&, const MachineRef&) {
      FakeDriver::Fate fate;
      if (call == "power_on" && on_began_at == 0) on_began_at = clock.monoMs();
      if (call != "power_off") return fate;
      clock.advance(kCallMs);
      off_ended_at = clock.monoMs();
      fate.apply = false;
      fate.error = Status(Code::kDeadlineExceeded, "no answer in time", Outcome::kUnknown);
      return fate;
    };
  }
  Status ask(Verb verb) { return commands->changeNode(caller, vcid, "web", nodes().front().node_id, verb); }
};

}  // namespace

TEST_CASE("the opposite of a power change without an answer waits until that has no effect any more") {
  PowerRig rig;
  REQUIRE(rig.ask(Verb::kPowerOff).ok());
  REQUIRE(rig.runUntil([&] { return rig.off_ended_at > 0; }));
  std::int64_t since = 0;
  SUBCASE("counted from the end of its call") {
    since = rig.off_ended_at;
    REQUIRE(rig.ask(Verb::kPowerOn).ok());
  }
  SUBCASE("counted from the death of the process that sent it") {
    rig.clock.advance(20'000);
    rig.crash();
    since = rig.clock.monoMs();
    REQUIRE(rig.ask(Verb::kPowerOn).ok());
  }
  REQUIRE(rig.runUntil([&] { return rig.on_began_at > 0 || rig.count(State::kRunning) == 1; }));
  CHECK(rig.clock.monoMs() - since >= kSettleMs);
}
