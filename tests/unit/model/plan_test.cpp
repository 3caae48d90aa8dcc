// SPDX-License-Identifier: Apache-2.0
#include "plan_scene.h"

using namespace vcc;
using namespace vcc::test;

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
