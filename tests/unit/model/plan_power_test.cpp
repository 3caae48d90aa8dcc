// SPDX-License-Identifier: Apache-2.0
// What is to be done next on the way to SUSPENDED, POWER_OFF and STOPPED, and back.
#include "plan_scene.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("to SUSPENDED: a container that runs is stopped at once, else the way up leads to it") {
  Scene s;
  s.withMachine();
  s.node.goal = Goal::kSuspended;
  s.node.state = State::kSuspending;
  SUBCASE("it runs") {
    s.node.container_started = 1;
    s.machine.observed = MachineState::kRunning;
    CHECK(s.next().step == Step::kSuspend);
    s.node.step = Step::kSuspend;
    CHECK(s.next().kind == ActionKind::kStopContainer);
  }
  SUBCASE("its machine is not known to run") {
    s.node.container_started = 1;
    s.machine.observed = MachineState::kStopped;
    CHECK(s.next().step == Step::kAddress);
  }
  SUBCASE("still booting") {
    CHECK(s.next().step == Step::kAddress);
    s.node.step = Step::kContainer;
    CHECK(s.next().kind == ActionKind::kRunContainer);
    s.node.step = Step::kReady;
    CHECK(s.next().step == Step::kSuspend);
  }
  SUBCASE("no machine yet") {
    s.has_machine = false;
    CHECK(s.next().kind == ActionKind::kMakeMachine);
  }
  SUBCASE("a machine without a host is stopped through its simulated one, and resumed so") {
    s.profile.simulated_hosts = true;
    s.node.step = Step::kAddress;
    s.machine.observed = MachineState::kRunning;
    s.machine.observed_at = kPlanNow;
    s.machine.address = "10.0.0.1";
    CHECK(s.next().step == Step::kSuspend);
    s.node.goal = Goal::kRunning;
    s.node.state = State::kResuming;
    CHECK(s.next().step == Step::kContainer);
  }
  SUBCASE("not any more") {
    s.node.goal = Goal::kRunning;
    s.node.step = Step::kSuspend;
    CHECK(s.next().step == Step::kAddress);
  }
}

TEST_CASE("to POWER_OFF: asked for, and then it must show") {
  Scene s;
  s.withMachine();
  s.profile.can_power = true;
  s.node.goal = Goal::kPowerOff;
  CHECK(s.next().kind == ActionKind::kMakePowerOff);
  s.node.step = Step::kPowerOff;
  s.machine.observed = MachineState::kStopped;  // by an older look
  CHECK(s.next().kind == ActionKind::kObserve);
  s.machine.observed_at = kPlanNow;
  CHECK(s.next().kind == ActionKind::kSettle);
  s.machine.observed = MachineState::kStopping;
  CHECK(s.next().kind == ActionKind::kWait);
  SUBCASE("what goes on running is asked again") {
    s.machine.observed = MachineState::kRunning;
    CHECK(s.next().kind == ActionKind::kWait);
    s.machine.observed_at = s.node.step_at + 60000;
    CHECK(s.next(s.machine.observed_at).kind == ActionKind::kMakePowerOff);
  }
  SUBCASE("what is gone is given up") {
    s.machine.observed = MachineState::kGone;
    CHECK(s.next().kind == ActionKind::kGiveUp);
  }
  SUBCASE("a machine that was just switched on must first show that") {
    s.node.step = Step::kPowerOn;
    s.machine.observed = MachineState::kStopped;
    CHECK(s.next().kind == ActionKind::kWait);
    s.machine.observed = MachineState::kProvisioning;
    CHECK(s.next().kind == ActionKind::kMakePowerOff);
  }
}

TEST_CASE("back from POWER_OFF: switched on when it is off, and not before that has shown") {
  Scene s;
  s.withMachine();
  s.profile.can_power = true;
  s.node.state = State::kBooting;
  s.node.step = Step::kAddress;
  s.machine.observed = MachineState::kStopped;
  s.machine.observed_at = kPlanNow;
  CHECK(s.next().kind == ActionKind::kMakePowerOn);
  s.profile.can_power = false;
  CHECK(s.next().kind == ActionKind::kWait);
  s.profile.can_power = true;
  s.node.step = Step::kPowerOn;  // accepted: the cloud may go on showing it off for a moment
  CHECK(s.next().kind == ActionKind::kWait);
  s.machine.observed_at = s.node.step_at + 60000;
  CHECK(s.next(s.machine.observed_at).kind == ActionKind::kMakePowerOn);
  s.node.step = Step::kPowerOff;  // the goal came back while it was going off
  s.machine.observed_at = kPlanNow;
  s.machine.observed = MachineState::kRunning;
  CHECK(s.next().kind == ActionKind::kWait);
  s.machine.observed = MachineState::kStopping;
  CHECK(s.next().kind == ActionKind::kWait);
  s.machine.observed = MachineState::kStopped;
  CHECK(s.next().kind == ActionKind::kMakePowerOn);
}

TEST_CASE("a power op without an answer is repeated only after a look") {
  Scene s;
  s.withOp(OpVerb::kPowerOff, kPlanNow - 5000);
  s.machine.create_size = 1;
  s.node.goal = Goal::kPowerOff;
  s.machine.observed = MachineState::kRunning;
  s.machine.observed_at = kPlanNow - 6000;
  CHECK(s.next().kind == ActionKind::kObserve);
  s.machine.observed_at = kPlanNow;
  CHECK(s.next().kind == ActionKind::kSendOp);
  s.machine.observed = MachineState::kStopping;
  CHECK(s.next().kind == ActionKind::kCloseOp);
  SUBCASE("the opposite is not asked for before it is certain") {
    s.machine.observed = MachineState::kRunning;
    s.node.goal = Goal::kRunning;
    s.node.state = State::kBooting;
    CHECK(s.next().kind == ActionKind::kWait);
    s.machine.observed_at = s.op.sent_at + 125000;
    CHECK(s.next(s.machine.observed_at).kind == ActionKind::kMakePowerOn);
    s.op.items[0].state = ItemState::kPending;  // accepted: carried to its end
    CHECK(s.next(s.machine.observed_at).kind == ActionKind::kSendOp);
    s.op.items[0].state = ItemState::kOpen;
    s.op.sent_at = 0;  // never sent
    CHECK(s.next().kind == ActionKind::kMakePowerOn);
  }
  SUBCASE("a node that has settled meanwhile: a look ends it") {
    s.node.reached_seq = s.node.goal_seq;
    s.machine.observed = MachineState::kRunning;
    CHECK(s.next().kind == ActionKind::kCloseOp);
    s.machine.observed_at = s.op.sent_at;
    CHECK(s.next().kind == ActionKind::kObserve);
  }
}

TEST_CASE("to STOPPED: as if deleted, but the node stays, and it may give up") {
  Scene s;
  s.node.goal = Goal::kStopped;
  CHECK(s.next().kind == ActionKind::kSettle);
  s.withMachine();
  s.machine.create_size = 1;
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
  CHECK(s.next(s.node.deadline).kind == ActionKind::kGiveUp);
  s.node.step = Step::kVerify;
  s.machine.observed = MachineState::kGone;
  CHECK(s.next().kind == ActionKind::kForgetMachine);
  s.node.goal = Goal::kRunning;  // wanted again: that machine is on its way out all the same
  s.machine.want_destroy = true;
  CHECK(s.next().kind == ActionKind::kForgetMachine);
  CHECK(s.next(s.node.deadline).kind == ActionKind::kGiveUp);
  s.profile.asserted = true;
  s.machine.want_destroy = false;
  s.node.goal = Goal::kStopped;
  s.node.container_spec_hash = "h";
  s.node.step = Step::kRelease;
  s.node.step_at = kPlanNow - 400000;
  s.node.attempts = 1;
  CHECK(s.next().kind == ActionKind::kReleaseHost);  // never abandoned: its record stays
}

TEST_CASE("how long each goal may take") {
  for (const Goal goal : {Goal::kRunning, Goal::kSuspended, Goal::kPowerOff, Goal::kStopped}) {
    for (const bool was_up : {false, true}) {
      CHECK(goalLimitMs(goal, was_up, 960000) > 0);
      CHECK(goalLimitMs(goal, was_up, 960000) < 1000000);  // the SDK's patience
    }
  }
  CHECK(goalLimitMs(Goal::kRunning, true, 5000) == 5000);
  CHECK(goalLimitMs(Goal::kSuspended, false, 5000) == 5000);
  CHECK(goalLimitMs(Goal::kGone, true, 960000) == 0);
}

TEST_CASE("a machine that was asked to go off before the processing was cleared is looked at for a while") {
  Scene s;
  s.withMachine();
  s.node.reached_seq = 1;
  s.node.step = Step::kPowerOff;
  s.machine.observed = MachineState::kRunning;
  s.machine.observed_at = kPlanNow;
  REQUIRE(s.next().kind == ActionKind::kWait);
  CHECK(s.next(s.next().at).kind == ActionKind::kObserve);
  s.node.next_at = kPlanNow + 5000;  // the cloud did not answer
  CHECK(s.next(kPlanNow + 4999).kind == ActionKind::kWait);
  REQUIRE(s.next(s.node.step_at + kPowerOffMs).kind == ActionKind::kAdvance);
  CHECK(s.next(s.node.step_at + kPowerOffMs).step == Step::kNone);
}
