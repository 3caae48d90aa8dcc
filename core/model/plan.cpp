// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <algorithm>

#include "model/doubt.h"

namespace vcc {

namespace {

/// A cloud may go on saying "running" for a moment after it accepted a delete.
constexpr std::int64_t kAcceptedDeleteShowsMs = 10000;
/// Pauses before a delete that does not end is asked for again.
constexpr std::int64_t kShortestLeavingMs = 60000;
constexpr std::int64_t kLongestLeavingMs = 600000;
/// Pause while other members of a batch are looked at; each has its own visits.
constexpr std::int64_t kMatesPollMs = 500;

Action wait(std::int64_t at) { return {.kind = ActionKind::kWait, .at = at}; }
Action advance(Step step) { return {.kind = ActionKind::kAdvance, .step = step}; }
Action act(ActionKind kind) { return {.kind = kind}; }

/// The next point read of the machine, or the wait until it is due.
Action observeWhenDue(const Snapshot& s, std::int64_t now) {
  const std::int64_t due = s.machine->observed_at + observeIntervalMs(now - s.node.step_at);
  return now >= due ? act(ActionKind::kObserve) : wait(due);
}

/// The look that ends the doubt at the latest.
Action awaitCertainty(const Snapshot& s, std::int64_t now) {
  const std::int64_t certain_at = certainAt(*s.machine, s.profile);
  return now >= certain_at ? act(ActionKind::kObserve) : wait(certain_at);
}

/// An open op of a machine that is wanted, or to be destroyed: resolve what is in doubt, then send what is due.
Action planOp(const Snapshot& s, std::int64_t now) {
  const Op& op = *s.op;
  const OpItem& item = op.items[s.item];
  std::int64_t due = std::max(item.next_at, op.next_at);
  if (op.verb == OpVerb::kCreate) {  // a destroy is harmless to repeat
    if (!mayBeSent(*s.machine, op, s.profile, now)) {
      return s.machine->observed_at > s.machine->doubt_at ? awaitCertainty(s, now) : observeWhenDue(s, now);
    }
    if (sharesRequest(item, *s.machine, s.profile)) {
      if (s.mates.blocked) return wait(now + kMatesPollMs);
      due = std::max(due, s.mates.due);
    }
  }
  return now >= due ? act(ActionKind::kSendOp) : wait(due);
}

/// A create whose machine is no longer wanted.
Action planCancelledCreate(const Snapshot& s, std::int64_t now) {
  if (s.machine->create_size == 0) return act(ActionKind::kForgetMachine);
  const bool batch = s.machine->create_size > 1;
  if (!batch || !sharesRequest(s.op->items[s.item], *s.machine, s.profile)) return act(ActionKind::kMakeDestroyOp);
  // A repeat of the batch for the others would make this machine again behind the back of its destroy.
  if (inDoubt(*s.machine)) {
    if (s.machine->observed_at <= s.machine->doubt_at) return observeWhenDue(s, now);
    const Action look = awaitCertainty(s, now);
    return s.mates.wanted && mayBeSent(*s.machine, *s.op, s.profile, now) ? wait(now + kMatesPollMs) : look;
  }
  return s.mates.wanted ? wait(now + kMatesPollMs) : act(ActionKind::kMakeDestroyOp);
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
  if (machine.create_size == 0) return act(ActionKind::kForgetMachine);  // no cloud was ever asked for it
  if (s.node.step != Step::kVerify) return act(ActionKind::kMakeDestroyOp);
  if (!inDoubt(machine) && provenGone(machine, s.profile)) return act(ActionKind::kForgetMachine);
  if (machine.absent_since == 0) {
    // A delete that the cloud accepted and then failed, or a part that appeared late: asked for again.
    const bool leaving = machine.observed == MachineState::kTerminating || machine.observed == MachineState::kGone;
    // Ever less often while the cloud says that it is on it.
    const std::int64_t patience =
        leaving ? std::clamp(s.node.step_at - s.node.goal_at, kShortestLeavingMs, kLongestLeavingMs)
                : kAcceptedDeleteShowsMs;
    const bool still_there = machine.observed_at >= s.node.step_at + patience;
    return still_there ? act(ActionKind::kMakeDestroyOp) : observeWhenDue(s, now);
  }
  std::int64_t due = std::max(machine.observed_at + 200, machine.absent_since + s.profile.lookup_lag_ms);
  if (inDoubt(machine)) due = std::max(due, certainAt(machine, s.profile));
  return now >= due ? act(ActionKind::kObserve) : wait(due);
}

/// Its id is known, and only parts of it are there, or it is being taken away. Reads that lag may say so of a machine
/// that has just been made.
bool isVanishing(const Snapshot& s) {
  return s.machine->observed == MachineState::kTerminating &&
         s.machine->observed_at > s.node.step_at + s.profile.lookup_lag_ms;
}

/// The machine runs: on to its disks, then to what is on it.
Action planMachineUp(const Snapshot& s) {
  if (s.ties.incomplete) return s.node.step == Step::kAttach ? act(ActionKind::kAttachDisks) : advance(Step::kAttach);
  return s.profile.simulated_hosts ? act(ActionKind::kSettle) : advance(Step::kSsh);
}

Action planBoot(const Snapshot& s, std::int64_t now) {
  if (!s.machine) return now >= s.node.create_at ? act(ActionKind::kMakeMachine) : wait(s.node.create_at);
  if (s.op) return planOp(s, now);
  switch (s.node.step) {
    case Step::kNone:
    case Step::kCreate:
      return advance(Step::kAddress);
    case Step::kAddress:
      if (s.machine->observed == MachineState::kFailed || provenGone(*s.machine, s.profile) || isVanishing(s)) {
        return act(ActionKind::kGiveUp);
      }
      if (s.machine->observed == MachineState::kRunning && (s.profile.disk || !s.machine->address.empty())) {
        return planMachineUp(s);
      }
      return observeWhenDue(s, now);
    case Step::kAttach:
      return planMachineUp(s);
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

/// A disk that a machine may hold does not go; one whose node is on its way out goes after it.
bool isTied(const Snapshot& s) {
  return s.node.goal == Goal::kGone && s.ties.use != DiskTies::Use::kFree && s.machine && !s.machine->want_destroy &&
         s.machine->observed == MachineState::kRunning;
}

}  // namespace

bool isWanted(const Member& member) {
  return member.node != nullptr && member.node->goal != Goal::kGone && !member.machine->want_destroy;
}

Mates matesOf(const Op& op, std::size_t self, const std::vector<Member>& members, const Profile& profile,
              std::int64_t now) {
  Mates mates;
  for (std::size_t i = 0; i < op.items.size(); ++i) {
    const Member& member = members[i];
    if (i == self || member.machine == nullptr || !sharesRequest(op.items[i], *member.machine, profile)) continue;
    const bool wanted = isWanted(member);
    mates.wanted = mates.wanted || wanted;
    mates.blocked = mates.blocked || !mayBeSent(*member.machine, op, profile, now);
    mates.due = std::max({mates.due, op.items[i].next_at, wanted ? member.node->next_at : 0});
  }
  return mates;
}

Action plan(const Snapshot& s, std::int64_t now) {
  const Node& node = s.node;
  if (isTied(s)) {
    return s.ties.use == DiskTies::Use::kInUse ? act(ActionKind::kKeepDisk)
                                               : wait(now + observeIntervalMs(now - node.goal_at));
  }
  if (node.goal == Goal::kGone && !s.machine) return act(ActionKind::kForgetNode);
  if (s.machine && (node.goal == Goal::kGone || s.machine->want_destroy)) {
    if (node.next_at > now) return wait(node.next_at);
    const Action action = planGone(s, now);
    return action.kind == ActionKind::kForgetMachine && s.ties.held ? act(ActionKind::kReleaseDisks) : action;
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
