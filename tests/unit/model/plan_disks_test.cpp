// SPDX-License-Identifier: Apache-2.0
// What is to be done next where disks hang on machines.
#include "plan_scene.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("a machine that runs waits for its disks, a disk for nothing") {
  Scene s;
  s.withMachine();
  s.machine.observed = MachineState::kRunning;
  s.machine.observed_at = kPlanNow;
  s.machine.address = "10.0.0.1";
  s.node.step = Step::kAddress;
  s.ties.incomplete = true;
  CHECK(s.next().kind == ActionKind::kAdvance);
  CHECK(s.next().step == Step::kAttach);
  s.node.step = Step::kAttach;
  CHECK(s.next().kind == ActionKind::kAttachDisks);
  s.ties.incomplete = false;
  CHECK(s.next().step == Step::kSsh);
  s.profile.simulated_hosts = true;
  CHECK(s.next().kind == ActionKind::kSettle);

  s.node.step = Step::kAddress;
  s.machine.address.clear();
  CHECK(s.next().kind != ActionKind::kSettle);
  s.profile.disk = true;
  CHECK(s.next().kind == ActionKind::kSettle);
}

TEST_CASE("a machine that must be off for its disks goes off, gets them, and is switched on again") {
  Scene s;
  s.withMachine();
  s.profile.can_power = s.profile.attach_off = true;
  s.machine.observed_at = kPlanNow;
  s.machine.address = "10.0.0.1";
  s.node.step = Step::kAddress;
  s.ties.incomplete = true;
  for (const MachineState state : {MachineState::kRunning, MachineState::kStopped}) {
    s.machine.observed = state;
    CHECK(s.next().kind == ActionKind::kAdvance);
    CHECK(s.next().step == Step::kAttach);
  }
  s.machine.observed = MachineState::kRunning;
  s.node.step = Step::kAttach;
  CHECK(s.next().kind == ActionKind::kMakePowerOff);
  CHECK(isPowerWanted(OpVerb::kPowerOff, s.node, s.machine));
  REQUIRE(powerStep(OpVerb::kPowerOff, s.node) == Step::kDiskOff);

  s.node.step = Step::kDiskOff;
  CHECK(isPowerWanted(OpVerb::kPowerOff, s.node, s.machine));
  CHECK_FALSE(isPowerWanted(OpVerb::kPowerOn, s.node, s.machine));
  SUBCASE("asked, and not answered yet") {
    s.withOp(OpVerb::kPowerOff, 0);
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("accepted, and not to be seen yet") {
    CHECK(s.next().kind == ActionKind::kWait);
    s.machine.observed_at = kPlanNow + 61000;
    CHECK(s.next(kPlanNow + 61000).kind == ActionKind::kMakePowerOff);  // it is not to be seen at all
  }
  SUBCASE("lost") {
    s.machine.observed = MachineState::kFailed;
    CHECK(s.next().kind == ActionKind::kGiveUp);
  }
  SUBCASE("off: the disks, then on") {
    s.machine.observed = MachineState::kStopped;
    CHECK(s.next().step == Step::kAttach);
    s.node.step = Step::kAttach;
    CHECK(s.next().kind == ActionKind::kAttachDisks);
    s.ties.incomplete = false;
    CHECK(s.next().kind == ActionKind::kMakePowerOn);
    CHECK(isPowerWanted(OpVerb::kPowerOn, s.node, s.machine));
    s.node.step = powerStep(OpVerb::kPowerOn, s.node);
    s.machine.observed = MachineState::kRunning;
    CHECK(s.next().step == Step::kSsh);
  }
  SUBCASE("the user switched it off meanwhile, and on again: it gets its disks before it goes on") {
    s.node.step = Step::kPowerOff;
    s.machine.observed = MachineState::kStopped;
    CHECK(s.next().step == Step::kAttach);
    s.ties.incomplete = false;
    CHECK(s.next().kind == ActionKind::kMakePowerOn);
  }
}

TEST_CASE("a machine that is gone is forgotten when no disk can hang on it any more") {
  Scene s;
  s.withMachine().gone();
  s.machine.create_size = 1;
  s.machine.want_destroy = true;
  s.machine.observed = MachineState::kGone;
  s.node.step = Step::kVerify;
  s.ties.held = true;
  CHECK(s.next().kind == ActionKind::kReleaseDisks);
  s.node.next_at = kPlanNow + 500;  // a look at the disks that failed is repeated later
  CHECK(s.next().kind == ActionKind::kWait);
  s.node.next_at = 0;
  s.ties.held = false;
  CHECK(s.next().kind == ActionKind::kForgetMachine);
}

TEST_CASE("a disk in use does not go, one whose node is going waits for it") {
  Scene s;
  s.withMachine().gone();
  s.profile.disk = s.profile.simulated_hosts = true;
  s.machine.create_size = 1;
  s.machine.observed = MachineState::kRunning;
  s.ties.use = DiskTies::Use::kInUse;
  CHECK(s.next().kind == ActionKind::kKeepDisk);
  s.ties.use = DiskTies::Use::kLeaving;
  CHECK(s.next().kind == ActionKind::kWait);
  s.ties.use = DiskTies::Use::kFree;
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
  // Nothing can hang on a disk that was never ready, nor on one that is being taken away already.
  s.ties.use = DiskTies::Use::kInUse;
  s.machine.want_destroy = true;
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
  s.machine.want_destroy = false;
  s.machine.observed = MachineState::kProvisioning;
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
}
