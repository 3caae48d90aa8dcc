// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <doctest/doctest.h>

#include "model/doubt.h"
#include "model/power.h"

using namespace vcc;

namespace {

constexpr std::int64_t kPlanNow = 1'000'000;

/// A node of a cloud with tokens, on its way up since `kPlanNow - 1000`.
struct Scene {
  Node node;
  Machine machine;
  Op op;
  Profile profile;
  Mates mates;
  DiskTies ties;
  bool has_machine = false;
  bool has_op = false;

  Scene() {
    node.goal_seq = 1;
    node.goal_at = kPlanNow - 1000;
    node.step_at = kPlanNow - 1000;
    node.deadline = kPlanNow + 900000;
    op.items = {{.machine_id = "m"}};
    profile.idempotent_token = true;
    profile.token_ttl_ms = 3600000;
    profile.lookup_lag_ms = 5000;
  }
  Scene& withMachine() {
    has_machine = true;
    node.machine_id = "m";
    return *this;
  }
  Scene& withOp(OpVerb verb, std::int64_t sent_at) {
    withMachine();
    has_op = true;
    op.verb = verb;
    op.first_sent_at = op.sent_at = sent_at;
    op.attempt = sent_at > 0 ? 1 : 0;
    machine.create_size = sent_at > 0 ? 1 : 0;
    return *this;
  }
  Scene& inDoubt() {
    machine.doubt_at = op.sent_at;
    return *this;
  }
  std::int64_t certainAt() const { return vcc::certainAt(machine, profile); }
  Scene& gone() {
    node.goal = Goal::kGone;
    node.goal_seq = 2;
    node.state = State::kDeleting;
    return *this;
  }
  Action next(std::int64_t now = kPlanNow) const {
    return plan({node, has_machine ? &machine : nullptr, has_op ? &op : nullptr, 0, profile, mates, ties}, now);
  }
};

}  // namespace

TEST_CASE("a node without a machine asks for one") { CHECK(Scene().next().kind == ActionKind::kMakeMachine); }

TEST_CASE("the next machine waits out the pause after the last one") {
  Scene s;
  s.node.create_at = kPlanNow + 4000;
  REQUIRE(s.next().kind == ActionKind::kWait);
  CHECK(s.next().at == kPlanNow + 4000);
  CHECK(s.next(kPlanNow + 4000).kind == ActionKind::kMakeMachine);
}

TEST_CASE("a settled node is left alone") {
  Scene s;
  s.node.reached_seq = 1;
  CHECK(s.next().kind == ActionKind::kNone);
}

TEST_CASE("nothing happens before next_at, and the deadline is never slept through") {
  Scene s;
  s.node.next_at = kPlanNow + 5000;
  CHECK(s.next().kind == ActionKind::kWait);
  CHECK(s.next().at == kPlanNow + 5000);
  s.node.deadline = kPlanNow + 2000;
  CHECK(s.next().at == kPlanNow + 2000);
  CHECK(s.next(kPlanNow + 2000).kind == ActionKind::kGiveUp);
}

TEST_CASE("an op that was never sent is sent; one that waits is waited for") {
  Scene s;
  s.withOp(OpVerb::kCreate, 0);
  CHECK(s.next().kind == ActionKind::kSendOp);
  s.op.items[0].next_at = kPlanNow + 300;
  CHECK(s.next().kind == ActionKind::kWait);
  CHECK(s.next().at == kPlanNow + 300);
}

TEST_CASE("a create in doubt is looked at before anything is sent again") {
  Scene s;
  s.withOp(OpVerb::kCreate, kPlanNow - 10000).inDoubt();
  CHECK(s.next().kind == ActionKind::kObserve);

  SUBCASE("the look showed more than was known: the create goes on with it") {
    s.machine.observed_at = kPlanNow;
    s.machine.cloud_id = "i-1";
    lookAtDoubt(s.machine, kPlanNow, s.profile);
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("absent, token still known: the same request again") {
    s.machine.observed_at = s.machine.absent_since = kPlanNow;
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("no token: not before it is certain, and then looked at once more") {
    s.profile.idempotent_token = false;
    s.machine.observed_at = kPlanNow;
    SUBCASE("absent") { s.machine.absent_since = kPlanNow; }
    SUBCASE("found, with nothing that was not known before") {
      s.machine.cloud_id = "server";
      s.machine.doubt_parts = 1;
    }
    REQUIRE(s.next().kind == ActionKind::kWait);
    CHECK(s.next().at == s.op.sent_at + 120000 + 5000);
    CHECK(s.next(s.certainAt()).kind == ActionKind::kObserve);
    const std::int64_t certain = s.certainAt();
    s.machine.observed_at = certain;
    lookAtDoubt(s.machine, certain, s.profile);
    CHECK(s.next(certain).kind == ActionKind::kSendOp);
  }
  SUBCASE("absent, token expired: as without a token") {
    s.profile.token_ttl_ms = 5000;
    s.machine.observed_at = s.machine.absent_since = kPlanNow;
    CHECK(s.next().kind == ActionKind::kWait);
  }
  SUBCASE("the driver knows how long a request may take") {
    s.profile.idempotent_token = false;
    s.profile.settle_ms = 7000;
    s.machine.observed_at = s.machine.absent_since = kPlanNow - 1000;
    CHECK(s.next().at == s.op.sent_at + 7000 + 5000);
  }
  SUBCASE("the pause that the driver asked for holds also after a look") {
    s.machine.observed_at = s.machine.absent_since = kPlanNow;
    s.op.items[0].next_at = kPlanNow + 3000;
    CHECK(s.next().at == kPlanNow + 3000);
  }
  SUBCASE("an existing server is asked like any other") {
    s.profile.asserted = true;
    CHECK(s.next().kind == ActionKind::kObserve);
  }
}

TEST_CASE("the way up") {
  Scene s;
  s.withMachine();
  s.node.step = Step::kAddress;
  SUBCASE("running without an address is not enough") {
    s.machine.observed = MachineState::kRunning;
    s.machine.observed_at = kPlanNow - 10000;
    CHECK(s.next().kind == ActionKind::kObserve);
    s.machine.observed_at = kPlanNow;
    CHECK(s.next().kind == ActionKind::kWait);
  }
  SUBCASE("running with an address goes on to ssh; simulated hosts are ready") {
    s.machine.observed = MachineState::kRunning;
    s.machine.address = "10.0.0.1";
    CHECK(s.next().kind == ActionKind::kObserve);  // what was seen before this step began proves nothing
    s.machine.observed_at = kPlanNow;
    CHECK(s.next().kind == ActionKind::kAdvance);
    CHECK(s.next().step == Step::kSsh);
    s.profile.simulated_hosts = true;
    CHECK(s.next().kind == ActionKind::kSettle);
  }
  SUBCASE("a machine that failed or vanished is given up") {
    s.machine.observed = MachineState::kFailed;
    s.machine.observed_at = kPlanNow;
    CHECK(s.next().kind == ActionKind::kGiveUp);
    s.machine.observed = MachineState::kProvisioning;
    s.machine.absent_since = kPlanNow - 6000;
    s.machine.observed_at = kPlanNow;
    CHECK(s.next().kind == ActionKind::kGiveUp);
  }
  SUBCASE("a machine that is being taken away is given up, once the reads do not lag any more") {
    s.machine.observed = MachineState::kTerminating;
    s.machine.observed_at = s.node.step_at + 4000;
    CHECK(s.next(s.machine.observed_at).kind == ActionKind::kWait);
    s.machine.observed_at = s.node.step_at + 5001;
    CHECK(s.next(s.machine.observed_at).kind == ActionKind::kGiveUp);
  }
  SUBCASE("each step on the host has its action") {
    const std::pair<Step, ActionKind> steps[] = {{Step::kSsh, ActionKind::kInspectHost},
                                                 {Step::kImage, ActionKind::kPrepareHost},
                                                 {Step::kContainer, ActionKind::kRunContainer},
                                                 {Step::kReady, ActionKind::kProbeReady}};
    for (const auto& [step, kind] : steps) {
      s.node.step = step;
      CHECK(s.next().kind == kind);
    }
    s.profile.ready_port = 0;
    CHECK(s.next().kind == ActionKind::kSettle);
  }
}

TEST_CASE("the way down of a cloud machine") {
  Scene s;
  s.gone();
  CHECK(s.next().kind == ActionKind::kForgetNode);
  s.withMachine();
  s.machine.create_size = 1;
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);

  SUBCASE("a create that was never sent is simply forgotten") {
    s.withOp(OpVerb::kCreate, 0);
    CHECK(s.next().kind == ActionKind::kForgetMachine);
  }
  SUBCASE("a create in doubt is given back at once, but not forgotten before it is certain") {
    s.withOp(OpVerb::kCreate, kPlanNow - 10000).inDoubt();
    CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
    s.has_op = false;
    s.node.step = Step::kVerify;
    s.machine.absent_since = kPlanNow - 6000;
    s.machine.observed_at = kPlanNow;
    REQUIRE(provenGone(s.machine, s.profile));
    REQUIRE(s.next().kind == ActionKind::kWait);
    CHECK(s.next().at == s.certainAt());
    CHECK(s.next(s.certainAt()).kind == ActionKind::kObserve);
    const std::int64_t certain = s.certainAt();
    s.machine.observed_at = certain;
    lookAtDoubt(s.machine, certain, s.profile);
    CHECK(s.next(certain).kind == ActionKind::kForgetMachine);
  }
  SUBCASE("in doubt and of a final state in the cloud: a lost part may still come") {
    s.withOp(OpVerb::kCreate, kPlanNow - 10000).inDoubt();
    s.has_op = false;
    s.node.step = Step::kVerify;
    s.machine.observed = MachineState::kGone;
    s.machine.observed_at = kPlanNow;
    CHECK(s.next().kind == ActionKind::kWait);
  }
  SUBCASE("a machine that left its op before the first send is forgotten") {
    s.machine.create_size = 0;
    s.has_op = false;
    CHECK(s.next().kind == ActionKind::kForgetMachine);
  }
  SUBCASE("a destroy in doubt is sent again") {
    s.withOp(OpVerb::kDestroy, kPlanNow - 10000);
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("accepted is not gone: two empty looks, list lag apart, are") {
    s.node.step = Step::kVerify;
    s.machine.observed = MachineState::kTerminating;
    CHECK(s.next().kind == ActionKind::kObserve);
    s.machine.observed_at = s.machine.absent_since = kPlanNow;
    REQUIRE(s.next().kind == ActionKind::kWait);
    CHECK(s.next().at == kPlanNow + 5000);
    CHECK(s.next(kPlanNow + 5000).kind == ActionKind::kObserve);
    s.machine.observed_at = kPlanNow + 5000;
    CHECK(s.next(kPlanNow + 5000).kind == ActionKind::kForgetMachine);
  }
  SUBCASE("a delete that does not end is asked for again, ever less often") {
    s.node.step = Step::kVerify;
    s.node.goal_at = kPlanNow - 61000;
    s.node.step_at = kPlanNow - 60000;
    s.machine.observed = MachineState::kTerminating;
    s.machine.observed_at = kPlanNow - 1;
    CHECK(s.next(kPlanNow).kind != ActionKind::kMakeDestroyOp);
    s.machine.observed_at = kPlanNow;
    CHECK(s.next(kPlanNow).kind == ActionKind::kMakeDestroyOp);
    s.node.goal_at = kPlanNow - 200000;  // the second time after 140 s
    CHECK(s.next(kPlanNow).kind != ActionKind::kMakeDestroyOp);
  }
  SUBCASE("a final state of the cloud is gone") {
    s.node.step = Step::kVerify;
    s.machine.observed = MachineState::kGone;
    CHECK(s.next().kind == ActionKind::kForgetMachine);
  }
}

TEST_CASE("members of a batch share their request until its answer is known") {
  Scene s;
  s.withOp(OpVerb::kCreate, kPlanNow - 10000).inDoubt();
  s.machine.create_size = 2;
  s.machine.observed_at = s.machine.absent_since = kPlanNow - 1000;
  s.mates.wanted = true;

  SUBCASE("wanted: sent when the others may be sent too") {
    CHECK(s.next().kind == ActionKind::kSendOp);
    s.mates.due = kPlanNow + 700;
    CHECK(s.next().at == kPlanNow + 700);
    s.mates.blocked = true;
    CHECK(s.next().kind == ActionKind::kWait);
    s.machine.cloud_id = "i-1";  // seen by now
    s.machine.doubt_at = 0;
    CHECK(s.next().kind == ActionKind::kWait);  // the repeat must be like the first request
    s.op.items[0].state = ItemState::kPending;  // answered: it goes its own way
    CHECK(s.next().kind == ActionKind::kSendOp);
    s.op.items[0].state = ItemState::kOpen;  // or nothing can be repeated
    s.profile.idempotent_token = false;
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("not wanted: no destroy while the others may make it again") {
    s.gone();
    CHECK(s.next().kind == ActionKind::kWait);  // a passenger of the next call
    s.machine.doubt_at = 0;
    CHECK(s.next().kind == ActionKind::kWait);
    s.machine.cloud_id = "i-1";
    CHECK(s.next().kind == ActionKind::kWait);
    s.mates = {};
    CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
    s.mates.wanted = true;
    s.op.items[0].state = ItemState::kPending;
    CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
  }
  SUBCASE("nobody wants any of them: certainty comes from looking") {
    s.gone();
    s.mates = {};
    REQUIRE(s.next().kind == ActionKind::kWait);
    CHECK(s.next().at == s.certainAt());
    CHECK(s.next(s.certainAt()).kind == ActionKind::kObserve);
    s.machine.doubt_at = 0;
    CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
  }
  SUBCASE("who the mates are") {
    Op op;
    op.first_sent_at = kPlanNow - 10000;
    op.items = {{.machine_id = "a"},
                {.machine_id = "b", .state = ItemState::kPending},
                {.machine_id = "c"},
                {.machine_id = "d"}};
    Node node;
    Machine unknown;
    unknown.create_size = 4;
    Machine known = unknown;
    known.cloud_id = "i";
    const auto mates = [&] {
      return matesOf(op, 0, {{&node, &unknown}, {&node, &known}, {&node, &unknown}, {}}, s.profile, kPlanNow);
    };
    CHECK(mates().wanted);
    CHECK_FALSE(mates().blocked);
    unknown.doubt_at = kPlanNow - 5000;
    CHECK(mates().blocked);  // not looked at yet
    unknown.observed_at = kPlanNow;
    CHECK_FALSE(mates().blocked);
    op.items[2].next_at = kPlanNow + 1;
    op.items[1].next_at = kPlanNow + 2;  // not a mate
    CHECK(mates().due == kPlanNow + 1);
    node.goal = Goal::kGone;
    CHECK_FALSE(mates().wanted);
    op.items[2].state = ItemState::kDone;
    CHECK(mates().due == 0);
  }
}

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

TEST_CASE("the way down of an existing server") {
  Scene s;
  s.gone().withMachine();
  s.profile.asserted = true;
  CHECK(s.next().kind == ActionKind::kForgetMachine);  // no container was ever asked for
  s.node.container_spec_hash = "h";
  CHECK(s.next().kind == ActionKind::kAdvance);
  CHECK(s.next().step == Step::kRelease);
  s.node.step = Step::kRelease;
  s.node.step_at = kPlanNow - 400000;
  CHECK(s.next().kind == ActionKind::kReleaseHost);
  s.node.attempts = 1;
  CHECK(s.next().kind == ActionKind::kAbandonHost);
}

TEST_CASE("a machine that is not wanted is given back although the node rests in ERROR") {
  Scene s;
  s.withMachine();
  s.node.reached_seq = 1;
  s.node.state = State::kError;
  CHECK(s.next().kind == ActionKind::kNone);
  s.machine.want_destroy = true;
  s.machine.create_size = 1;
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
}

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
  s.machine.observed_at = kNow;
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
    s.machine.observed_at = kNow + 61000;
    CHECK(s.next(kNow + 61000).kind == ActionKind::kMakePowerOff);  // it is not to be seen at all
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
