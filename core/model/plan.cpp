// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <algorithm>

#include "model/doubt.h"
#include "model/power.h"

namespace vcc {

namespace {

/// A cloud may go on saying "running" for a moment after it accepted a delete.
constexpr std::int64_t kAcceptedDeleteShowsMs = 10000;
/// Pauses before a delete that does not end is asked for again.
constexpr std::int64_t kShortestLeavingMs = 60000;
constexpr std::int64_t kLongestLeavingMs = 600000;
/// A cloud may go on showing the old state for a moment after it accepted a power change; later it is asked again.
constexpr std::int64_t kAcceptedPowerShowsMs = 60000;
/// How long the ways may take that are no boots.
constexpr std::int64_t kSuspendMs = 300000;
constexpr std::int64_t kStopMs = 900000;
/// A machine in doubt is given back without having been looked at after this. A look that shows it ends the doubt;
/// after a delete without one, it must be waited out whether something appears.
constexpr std::int64_t kFirstLookMs = 10000;
/// Pause while other members of a batch are looked at; each has its own visits.
constexpr std::int64_t kMatesPollMs = 500;

Action wait(std::int64_t at) { return {.kind = ActionKind::kWait, .at = at}; }
Action advance(Step step) { return {.kind = ActionKind::kAdvance, .step = step}; }
Action act(ActionKind kind) { return {.kind = kind}; }

/// 0 = never.
std::int64_t earliest(std::int64_t a, std::int64_t b) { return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b); }

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
  if (isPower(op.verb) && !mayBeSwitched(item, op, *s.machine)) return observeWhenDue(s, now);
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
  const bool unseen = inDoubt(*s.machine) && s.machine->observed_at <= s.machine->doubt_at;
  if (!batch && unseen && now < s.machine->doubt_at + kFirstLookMs) return observeWhenDue(s, now);
  if (!batch || !sharesRequest(s.op->items[s.item], *s.machine, s.profile)) return act(ActionKind::kMakeDestroyOp);
  // A repeat of the batch for the others would make this machine again behind the back of its destroy.
  if (inDoubt(*s.machine)) {
    if (unseen) return observeWhenDue(s, now);
    const Action look = awaitCertainty(s, now);
    return s.mates.wanted && mayBeSent(*s.machine, *s.op, s.profile, now) ? wait(now + kMatesPollMs) : look;
  }
  return s.mates.wanted ? wait(now + kMatesPollMs) : act(ActionKind::kMakeDestroyOp);
}

/// An existing server is released, not destroyed: our container goes, the server stays.
Action planRelease(const Snapshot& s, std::int64_t now) {
  if (s.node.container_spec_hash.empty()) return act(ActionKind::kForgetMachine);  // no container was ever asked for
  if (s.node.step != Step::kRelease) return advance(Step::kRelease);
  // A record that stays can wait for the server, up to the deadline of its goal.
  const bool hopeless =
      s.node.goal != Goal::kStopped && s.node.attempts > 0 && now - s.node.step_at >= s.profile.release_timeout_ms;
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

/// Nothing can be done with it any more.
bool isLost(const Snapshot& s) {
  return s.machine->observed == MachineState::kFailed || provenGone(*s.machine, s.profile) || isVanishing(s);
}

Action makePower(OpVerb verb) {
  return act(verb == OpVerb::kPowerOff ? ActionKind::kMakePowerOff : ActionKind::kMakePowerOn);
}

/// An open power op of a machine that is to be switched as `wanted` says.
Action planPowerOp(const Snapshot& s, OpVerb wanted, std::int64_t now) {
  const Op& op = *s.op;
  const OpItem& item = op.items[s.item];
  const bool unanswered = isUnansweredPower(item, op);
  const bool looked = s.machine->observed_at > op.sent_at;
  if (unanswered && looked && showsPower(*s.machine, op.verb)) return act(ActionKind::kCloseOp);
  if (op.verb == wanted || item.state == ItemState::kPending) return planOp(s, now);
  if (unanswered && now < powerCertainAt(op, s.profile)) return observeWhenDue(s, now);
  return makePower(wanted);
}

/// The machine was switched the other way, which the cloud has accepted: that must show before `wanted` is asked for.
Action planTurn(const Snapshot& s, OpVerb wanted, std::int64_t now) {
  const OpVerb before = wanted == OpVerb::kPowerOff ? OpVerb::kPowerOn : OpVerb::kPowerOff;
  const std::int64_t seen_at = s.machine->observed_at;
  if (seen_at >= s.node.step_at) {
    if (isLost(s)) return act(ActionKind::kGiveUp);
    const bool ended =
        before == OpVerb::kPowerOff ? s.machine->observed == MachineState::kStopped : showsPower(*s.machine, before);
    if (ended || seen_at >= s.node.step_at + kAcceptedPowerShowsMs) return makePower(wanted);
  }
  return observeWhenDue(s, now);
}

/// Disks are to be attached, for which the machine must be off.
bool mustBeOff(const Snapshot& s) { return s.profile.attach_off && s.ties.incomplete; }

/// The machine runs: on to its disks, then to what is on it.
Action planMachineUp(const Snapshot& s) {
  if (s.ties.incomplete) return s.node.step == Step::kAttach ? act(ActionKind::kAttachDisks) : advance(Step::kAttach);
  if (!s.profile.simulated_hosts) return advance(Step::kSsh);
  if (s.node.goal == Goal::kSuspended) return advance(Step::kSuspend);
  return s.node.state == State::kResuming ? advance(Step::kContainer) : act(ActionKind::kSettle);
}

/// The machine must be seen running, with an address; it is switched on if need be.
Action planRunning(const Snapshot& s, std::int64_t now) {
  const std::int64_t seen_at = s.machine->observed_at;
  if (seen_at >= s.node.step_at) {
    if (isLost(s)) return act(ActionKind::kGiveUp);
    if (s.machine->observed == MachineState::kRunning && (s.profile.disk || !s.machine->address.empty())) {
      return planMachineUp(s);
    }
    const bool accepted = s.node.step == Step::kPowerOn && seen_at < s.node.step_at + kAcceptedPowerShowsMs;
    if (s.machine->observed == MachineState::kStopped && s.profile.can_power && !accepted) {
      return mustBeOff(s) ? advance(Step::kAttach) : act(ActionKind::kMakePowerOn);
    }
  }
  return observeWhenDue(s, now);
}

/// The way of a machine that must be off for its disks: off, the disks, and on again.
Action planAttachOff(const Snapshot& s, std::int64_t now) {
  if (!mustBeOff(s)) return act(ActionKind::kMakePowerOn);
  const std::int64_t seen_at = s.machine->observed_at;
  if (s.node.step == Step::kAttach) {
    return act(s.machine->observed == MachineState::kStopped ? ActionKind::kAttachDisks : ActionKind::kMakePowerOff);
  }
  if (seen_at >= s.node.step_at) {
    if (isLost(s)) return act(ActionKind::kGiveUp);
    if (s.machine->observed == MachineState::kStopped) return advance(Step::kAttach);
    const bool late = seen_at >= s.node.step_at + kAcceptedPowerShowsMs;
    if (late && !showsPower(*s.machine, OpVerb::kPowerOff)) return act(ActionKind::kMakePowerOff);
  }
  return observeWhenDue(s, now);
}

/// Where a way up begins. A container that is known to run is stopped without further ado.
Action planStart(const Snapshot& s) {
  const bool up = s.node.container_started > 0 && s.machine->observed == MachineState::kRunning;
  return advance(up && s.node.goal == Goal::kSuspended ? Step::kSuspend : Step::kAddress);
}

/// To RUNNING, and to SUSPENDED: the same way up to the container, which is then stopped.
Action planUp(const Snapshot& s, std::int64_t now) {
  const bool suspend = s.node.goal == Goal::kSuspended;
  switch (s.node.step) {
    case Step::kNone:
    case Step::kCreate:
    case Step::kRelease:
    case Step::kDestroy:
    case Step::kVerify:
      return planStart(s);
    case Step::kPowerOff:
      if (mustBeOff(s) && s.machine->observed == MachineState::kStopped) return advance(Step::kAttach);
      return planTurn(s, OpVerb::kPowerOn, now);
    case Step::kAddress:
    case Step::kPowerOn:
      return planRunning(s, now);
    case Step::kAttach:
      return s.profile.attach_off ? planAttachOff(s, now) : planMachineUp(s);
    case Step::kDiskOff:
      return planAttachOff(s, now);
    case Step::kSsh:
      return act(ActionKind::kInspectHost);
    case Step::kPrepare:
    case Step::kImage:
      return act(ActionKind::kPrepareHost);
    case Step::kContainer:
      return act(ActionKind::kRunContainer);
    case Step::kReady:
      if (suspend) return advance(Step::kSuspend);
      return s.profile.ready_port == 0 ? act(ActionKind::kSettle) : act(ActionKind::kProbeReady);
    case Step::kSuspend:
      return suspend ? act(ActionKind::kStopContainer) : advance(Step::kAddress);
  }
  return act(ActionKind::kNone);
}

/// A disk that a machine may hold does not go; one whose node is on its way out goes after it. While it is being made
/// no machine holds it yet.
bool isTied(const Snapshot& s) {
  return s.node.goal == Goal::kGone && s.ties.use != DiskTies::Use::kFree && s.machine && !s.op &&
         !s.machine->want_destroy && s.machine->observed == MachineState::kRunning;
}

/// To POWER_OFF.
Action planOff(const Snapshot& s, std::int64_t now) {
  if (s.node.step == Step::kPowerOn) return planTurn(s, OpVerb::kPowerOff, now);
  if (s.node.step != Step::kPowerOff) return act(ActionKind::kMakePowerOff);
  const std::int64_t seen_at = s.machine->observed_at;
  if (seen_at >= s.node.step_at) {
    if (isLost(s)) return act(ActionKind::kGiveUp);
    if (s.machine->observed == MachineState::kStopped) return act(ActionKind::kSettle);
    const bool late = seen_at >= s.node.step_at + kAcceptedPowerShowsMs;
    if (late && !showsPower(*s.machine, OpVerb::kPowerOff)) return act(ActionKind::kMakePowerOff);
  }
  return observeWhenDue(s, now);
}

/// The way to a goal that needs a machine.
Action planWay(const Snapshot& s, std::int64_t now) {
  if (!s.machine) return now >= s.node.create_at ? act(ActionKind::kMakeMachine) : wait(s.node.create_at);
  const bool off = s.node.goal == Goal::kPowerOff;
  if (s.op && isPower(s.op->verb)) {
    const bool goes_off = off || s.node.step == Step::kDiskOff;
    return planPowerOp(s, goes_off ? OpVerb::kPowerOff : OpVerb::kPowerOn, now);
  }
  if (s.op) return planOp(s, now);
  return off ? planOff(s, now) : planUp(s, now);
}

/// A settled node: what it once asked of its machine's power is resolved behind it (architecture 10).
Action planSettled(const Snapshot& s, std::int64_t now) {
  const bool open = s.op && isPower(s.op->verb);
  if (!s.machine || (!open && !isGoingOff(s.node))) return act(ActionKind::kNone);
  if (s.node.next_at > now) return wait(s.node.next_at);
  if (!open) return now < s.node.step_at + kPowerOffMs ? observeWhenDue(s, now) : advance(Step::kNone);
  return mayBeSwitched(s.op->items[s.item], *s.op, *s.machine) ? act(ActionKind::kCloseOp) : observeWhenDue(s, now);
}

}  // namespace

bool isWanted(const Member& member) {
  return member.node != nullptr && needsMachine(member.node->goal) && !member.machine->want_destroy;
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
  const bool under_way = !node.settled();
  // A deletion never gives up.
  const std::int64_t deadline = under_way && node.goal != Goal::kGone ? earliest(node.deadline, node.step_deadline) : 0;
  if (deadline > 0 && now >= deadline) return act(ActionKind::kGiveUp);
  const bool going =
      s.machine && (node.goal == Goal::kGone || s.machine->want_destroy || (under_way && node.goal == Goal::kStopped));
  Action action;
  if (!going && !under_way) {
    action = planSettled(s, now);
  } else if (node.next_at > now) {
    action = wait(node.next_at);
  } else if (going) {
    action = planGone(s, now);
    if (action.kind == ActionKind::kForgetMachine && s.ties.held) action = act(ActionKind::kReleaseDisks);
  } else {
    action = node.goal == Goal::kStopped ? act(ActionKind::kSettle) : planWay(s, now);
  }
  if (action.kind == ActionKind::kWait && deadline > 0) action.at = std::min(action.at, deadline);
  return action;
}

std::int64_t goalLimitMs(Goal goal, bool was_up, std::int64_t boot_ms) {
  switch (goal) {
    case Goal::kRunning:
      return boot_ms;
    case Goal::kSuspended:
      return was_up ? kSuspendMs : boot_ms;
    case Goal::kPowerOff:
      return was_up ? kPowerOffMs : boot_ms;
    case Goal::kStopped:
      return kStopMs;
    case Goal::kGone:
      break;
  }
  return 0;
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
