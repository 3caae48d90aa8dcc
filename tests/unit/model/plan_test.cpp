// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <doctest/doctest.h>

using namespace vcc;

namespace {

constexpr std::int64_t kNow = 1'000'000;

/// A node of a cloud with tokens, on its way up since `kNow - 1000`.
struct Scene {
  Node node;
  Machine machine;
  Op op;
  Profile profile;
  bool has_machine = false;
  bool has_op = false;

  Scene() {
    node.goal_seq = 1;
    node.goal_at = kNow - 1000;
    node.step_at = kNow - 1000;
    node.deadline = kNow + 900000;
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
    return *this;
  }
  Scene& gone() {
    node.goal = Goal::kGone;
    node.goal_seq = 2;
    node.state = State::kDeleting;
    return *this;
  }
  Action next(std::int64_t now = kNow) const {
    return plan({node, has_machine ? &machine : nullptr, has_op ? &op : nullptr, 0, profile}, now);
  }
};

}  // namespace

TEST_CASE("a node without a machine asks for one") { CHECK(Scene().next().kind == ActionKind::kMakeMachine); }

TEST_CASE("a settled node is left alone") {
  Scene s;
  s.node.reached_seq = 1;
  CHECK(s.next().kind == ActionKind::kNone);
}

TEST_CASE("nothing happens before next_at, and the deadline is never slept through") {
  Scene s;
  s.node.next_at = kNow + 5000;
  CHECK(s.next().kind == ActionKind::kWait);
  CHECK(s.next().at == kNow + 5000);
  s.node.deadline = kNow + 2000;
  CHECK(s.next().at == kNow + 2000);
  CHECK(s.next(kNow + 2000).kind == ActionKind::kGiveUp);
}

TEST_CASE("an op that was never sent is sent; one that waits is waited for") {
  Scene s;
  s.withOp(OpVerb::kCreate, 0);
  CHECK(s.next().kind == ActionKind::kSendOp);
  s.op.items[0].next_at = kNow + 300;
  CHECK(s.next().kind == ActionKind::kWait);
  CHECK(s.next().at == kNow + 300);
}

TEST_CASE("an unresolved create is looked at before anything is sent again") {
  Scene s;
  s.withOp(OpVerb::kCreate, kNow - 10000);
  s.op.unresolved = true;
  CHECK(s.next().kind == ActionKind::kObserve);

  SUBCASE("found: the create goes on with the id that the look brought") {
    s.machine.observed_at = kNow;
    s.machine.cloud_id = "i-1";
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("absent, token still known: the same request again") {
    s.machine.observed_at = s.machine.absent_since = kNow;
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("absent, no token: not before list lag and the longest call have passed, and then looked at once more") {
    s.profile.idempotent_token = false;
    s.machine.observed_at = s.machine.absent_since = kNow;
    const std::int64_t certain = s.op.sent_at + s.profile.call_deadline_ms + s.profile.lookup_lag_ms;
    REQUIRE(s.next().kind == ActionKind::kWait);
    CHECK(s.next().at == certain);
    CHECK(s.next(certain).kind == ActionKind::kObserve);
    s.machine.observed_at = certain;
    CHECK(s.next(certain).kind == ActionKind::kSendOp);
  }
  SUBCASE("absent, token expired: as without a token") {
    s.profile.token_ttl_ms = 5000;
    s.machine.observed_at = s.machine.absent_since = kNow;
    CHECK(s.next().kind == ActionKind::kWait);
  }
  SUBCASE("an existing server has no cloud to ask") {
    s.profile.asserted = true;
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
}

TEST_CASE("the way up") {
  Scene s;
  s.withMachine();
  s.node.step = Step::kAddress;
  SUBCASE("running without an address is not enough") {
    s.machine.observed = MachineState::kRunning;
    s.machine.observed_at = kNow - 10000;
    CHECK(s.next().kind == ActionKind::kObserve);
    s.machine.observed_at = kNow;
    CHECK(s.next().kind == ActionKind::kWait);
  }
  SUBCASE("running with an address goes on to ssh; simulated hosts are ready") {
    s.machine.observed = MachineState::kRunning;
    s.machine.address = "10.0.0.1";
    CHECK(s.next().kind == ActionKind::kAdvance);
    CHECK(s.next().step == Step::kSsh);
    s.profile.simulated_hosts = true;
    CHECK(s.next().kind == ActionKind::kSettle);
  }
  SUBCASE("a machine that failed or vanished is given up") {
    s.machine.observed = MachineState::kFailed;
    CHECK(s.next().kind == ActionKind::kGiveUp);
    s.machine.observed = MachineState::kProvisioning;
    s.machine.absent_since = kNow - 6000;
    s.machine.observed_at = kNow;
    CHECK(s.next().kind == ActionKind::kGiveUp);
  }
  SUBCASE("each step on the host has its action") {
    const std::pair<Step, ActionKind> steps[] = {{Step::kSsh, ActionKind::kInspectHost},
                                                 {Step::kImage, ActionKind::kPullImage},
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
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);

  SUBCASE("a create that was never sent is simply forgotten") {
    s.withOp(OpVerb::kCreate, 0);
    CHECK(s.next().kind == ActionKind::kForgetMachine);
  }
  SUBCASE("a create in doubt is resolved before it is destroyed") {
    s.withOp(OpVerb::kCreate, kNow - 10000);
    s.op.unresolved = true;
    CHECK(s.next().kind == ActionKind::kObserve);
    s.machine.observed_at = kNow;
    CHECK(s.next().kind == ActionKind::kMakeDestroyOp);  // found
    s.machine.absent_since = kNow;
    REQUIRE(s.next().kind == ActionKind::kWait);  // absent now proves nothing: the create may still land
    const std::int64_t certain = s.next().at;
    CHECK(s.next(certain).kind == ActionKind::kObserve);
    s.machine.observed_at = certain;
    CHECK(s.next(certain).kind == ActionKind::kForgetMachine);
  }
  SUBCASE("a destroy in doubt is sent again") {
    s.withOp(OpVerb::kDestroy, kNow - 10000);
    s.op.unresolved = true;
    CHECK(s.next().kind == ActionKind::kSendOp);
  }
  SUBCASE("accepted is not gone: two empty looks, list lag apart, are") {
    s.node.step = Step::kVerify;
    s.machine.observed = MachineState::kTerminating;
    CHECK(s.next().kind == ActionKind::kObserve);
    s.machine.observed_at = s.machine.absent_since = kNow;
    REQUIRE(s.next().kind == ActionKind::kWait);
    CHECK(s.next().at == kNow + 5000);
    CHECK(s.next(kNow + 5000).kind == ActionKind::kObserve);
    s.machine.observed_at = kNow + 5000;
    CHECK(s.next(kNow + 5000).kind == ActionKind::kForgetMachine);
  }
  SUBCASE("a final state of the cloud is gone") {
    s.node.step = Step::kVerify;
    s.machine.observed = MachineState::kGone;
    CHECK(s.next().kind == ActionKind::kForgetMachine);
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
  s.node.step_at = kNow - 400000;
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
  CHECK(s.next().kind == ActionKind::kMakeDestroyOp);
}
