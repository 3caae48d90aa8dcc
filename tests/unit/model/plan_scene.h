// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include "model/doubt.h"
#include "model/plan.h"
#include "model/power.h"

namespace vcc::test {

inline constexpr std::int64_t kPlanNow = 1'000'000;

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

}  // namespace vcc::test
