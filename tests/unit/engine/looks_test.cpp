// SPDX-License-Identifier: Apache-2.0
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// One settled node.
struct Settled : EngineRig {
  std::string vcid = newVc();
  Settled() {
    REQUIRE(commands->addUnit(caller, vcid, "u", unitCci("u", 1)).ok());
    REQUIRE(runUntil([&] { return count(State::kRunning) == 1; }));
    runUntil([] { return false; }, 60000);
  }
  Node node() const { return nodes().front(); }
  /// Looks asked of the cloud by one hint.
  int hint() {
    const int before = driver->observe_calls;
    decider->lookAt({node().node_id});
    runUntil([] { return false; }, 60000);
    return driver->observe_calls - before;
  }
};

}  // namespace

TEST_CASE("a hint makes a settled node's machine be looked at, once") {
  Settled rig;
  rig.driver->cloud.begin()->second.address = "10.0.0.77";
  CHECK(rig.hint() == 1);
  CHECK(rig.machines().front().address == "10.0.0.77");
}

TEST_CASE("whatever a look after a hint finds, the node stays what it is") {
  Settled rig;
  rig.driver->cloud.begin()->second.state = MachineState::kStopped;
  CHECK(rig.hint() == 1);
  CHECK(rig.machines().front().observed == MachineState::kStopped);
  CHECK(rig.node().state == State::kRunning);
  CHECK(rig.node().fault.text.empty());
  rig.driver->cloud.clear();
  CHECK(rig.hint() == 1);
  CHECK(rig.node().state == State::kRunning);
  CHECK(rig.machines().size() == 1);
}

TEST_CASE("a look after a hint that sees nothing is not tried again and leaves no fault") {
  Settled rig;
  rig.driver->look_error = unavailable("the cloud is down");
  CHECK(rig.hint() == 1);
  CHECK(rig.node().fault.text.empty());
  CHECK(rig.node().next_at == 0);
}

TEST_CASE("hints for nodes that are not there, or busy, hurt nobody") {
  EngineRig rig;
  rig.decider->lookAt({"nothing"});
  CHECK_FALSE(rig.runUntil([] { return false; }, 10000));
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "u", unitCci("u", 2)).ok());
  for (const Node& node : rig.nodes()) rig.decider->lookAt({node.node_id});
  CHECK(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
}
