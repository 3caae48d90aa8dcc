// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <algorithm>

namespace vcc {

namespace {

/// A cloud may go on saying "running" for a moment after it accepted a delete.
constexpr std::int64_t kAcceptedDeleteShowsMs = 10000;

Action wait(std::int64_t at) { return {.kind = ActionKind::kWait, .at = at}; }
Action advance(Step step) { return {.kind = ActionKind::kAdvance, .step = step}; }
Action act(ActionKind kind) { return {.kind = kind}; }

/// The next point read of the machine, or the wait until it is due.
Action observeWhenDue(const Snapshot& s, std::int64_t now) {
  const std::int64_t due = s.machine->observed_at + observeIntervalMs(now - s.node.step_at);
  return now >= due ? act(ActionKind::kObserve) : wait(due);
}

bool tokenStillKnown(const Snapshot& s, std::int64_t now) {
  return s.profile.idempotent_token && now - s.op->first_sent_at < s.profile.token_ttl_ms;
}

/// An open op: resolve what is unknown, then send what is due.
Action planOp(const Snapshot& s, std::int64_t now) {
  const Op& op = *s.op;
  const OpItem& item = op.items[s.item];
  // A destroy is harmless to repeat; an existing server has no cloud that could hold a second one.
  const bool resolve = op.unresolved && op.verb == OpVerb::kCreate && !s.profile.asserted;
  if (resolve) {
    const bool looked = s.machine->observed_at > op.sent_at;
    if (!looked) return observeWhenDue(s, now);
    const bool absent = s.machine->absent_since > 0;
    if (absent && !tokenStillKnown(s, now)) {
      const std::int64_t certain_at = op.sent_at + s.profile.call_deadline_ms + s.profile.lookup_lag_ms;
      if (now < certain_at) return wait(certain_at);
      if (s.machine->observed_at < certain_at) return act(ActionKind::kObserve);
    }
    // Found: goes on where it was. Absent: the same request under the same token.
  }
  const std::int64_t due = std::max(item.next_at, op.next_at);
  return now >= due ? act(ActionKind::kSendOp) : wait(due);
}

/// A create whose machine is no longer wanted: nothing may be left in doubt before it is given back.
Action planCancelledCreate(const Snapshot& s, std::int64_t now) {
  const Op& op = *s.op;
  if (op.first_sent_at == 0) return act(ActionKind::kForgetMachine);
  if (!op.unresolved || s.profile.asserted) return act(ActionKind::kMakeDestroyOp);
  if (s.machine->observed_at <= op.sent_at) return observeWhenDue(s, now);
  if (s.machine->absent_since == 0) return act(ActionKind::kMakeDestroyOp);  // it is there
  const std::int64_t certain_at = op.sent_at + s.profile.call_deadline_ms + s.profile.lookup_lag_ms;
  if (now < certain_at) return wait(certain_at);
  return s.machine->observed_at < certain_at ? act(ActionKind::kObserve) : act(ActionKind::kForgetMachine);
}

/// An existing server is released, not destroyed: our container goes, the server stays.
Action planRelease(const Snapshot& s, std::int64_t now) {
  if (s.node.container_spec_hash.empty()) return act(ActionKind::kForgetMachine);  // no container was ever asked for
  if (s.node.step != Step::kRelease) return advance(Step::kRelease);
  const bool hopeless = s.node.attempts > 0 && now - s.node.step_at >= s.profile.release_timeout_ms;
  return act(hopeless ? ActionKind::kAbandonHost : ActionKind::kReleaseHost);
}

/// Takes the machine away, whatever brought it.
Action planGone(const Snapshot& s, std::int64_t now) {
  const Machine& machine = *s.machine;
  if (s.profile.asserted) return planRelease(s, now);
  if (s.op && s.op->verb == OpVerb::kCreate) return planCancelledCreate(s, now);
  if (s.op && s.op->verb == OpVerb::kDestroy) return planOp(s, now);
  if (s.node.step != Step::kVerify) return act(ActionKind::kMakeDestroyOp);
  if (provenGone(machine, s.profile)) return act(ActionKind::kForgetMachine);
  if (machine.absent_since == 0) {
    // A delete that the cloud accepted and then failed, or a part that appeared late: asked for again.
    const bool leaving = machine.observed == MachineState::kTerminating || machine.observed == MachineState::kGone;
    const bool still_there = !leaving && machine.observed_at >= s.node.step_at + kAcceptedDeleteShowsMs;
    return still_there ? act(ActionKind::kMakeDestroyOp) : observeWhenDue(s, now);
  }
  const std::int64_t due = std::max(machine.observed_at + 200, machine.absent_since + s.profile.lookup_lag_ms);
  return now >= due ? act(ActionKind::kObserve) : wait(due);
}

Action planBoot(const Snapshot& s, std::int64_t now) {
  if (!s.machine) return act(ActionKind::kMakeMachine);
  if (s.op) return planOp(s, now);
  switch (s.node.step) {
    case Step::kNone:
    case Step::kCreate:
      return advance(Step::kAddress);
    case Step::kAddress:
      if (s.machine->observed == MachineState::kFailed || provenGone(*s.machine, s.profile)) {
        return act(ActionKind::kGiveUp);
      }
      if (s.profile.asserted || (s.machine->observed == MachineState::kRunning && !s.machine->address.empty())) {
        return s.profile.simulated_hosts ? act(ActionKind::kSettle) : advance(Step::kSsh);
      }
      return observeWhenDue(s, now);
    case Step::kSsh:
    case Step::kPrepare:
      return act(ActionKind::kInspectHost);
    case Step::kImage:
      return act(ActionKind::kPullImage);
    case Step::kContainer:
      return act(ActionKind::kRunContainer);
    case Step::kReady:
      return s.profile.ready_port == 0 ? act(ActionKind::kSettle) : act(ActionKind::kProbeReady);
    case Step::kRelease:
    case Step::kDestroy:
    case Step::kVerify:
      return advance(Step::kAddress);
  }
  return act(ActionKind::kNone);
}

}  // namespace

Action plan(const Snapshot& s, std::int64_t now) {
  const Node& node = s.node;
  if (node.goal == Goal::kGone && !s.machine) return act(ActionKind::kForgetNode);
  if (s.machine && (node.goal == Goal::kGone || s.machine->want_destroy)) {
    return node.next_at > now ? wait(node.next_at) : planGone(s, now);
  }
  if (node.settled()) return act(ActionKind::kNone);
  if (node.deadline > 0 && now >= node.deadline) return act(ActionKind::kGiveUp);
  if (node.next_at > now) return wait(node.deadline > 0 ? std::min(node.next_at, node.deadline) : node.next_at);
  Action action = planBoot(s, now);
  if (action.kind == ActionKind::kWait && node.deadline > 0) action.at = std::min(action.at, node.deadline);
  return action;
}

std::int64_t observeIntervalMs(std::int64_t step_age_ms) {
  if (step_age_ms < 30000) return 500;
  if (step_age_ms < 180000) return 2000;
  return 5000;
}

bool provenGone(const Machine& machine, const Profile& profile) {
  if (machine.observed == MachineState::kGone) return true;
  return machine.absent_since > 0 && machine.observed_at > machine.absent_since &&
         machine.observed_at - machine.absent_since >= profile.lookup_lag_ms;
}

}  // namespace vcc
