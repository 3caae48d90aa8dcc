// SPDX-License-Identifier: Apache-2.0
#include "engine/transitions.h"

#include <fmt/format.h>

#include "engine/decider.h"
#include "engine/lifecycle.h"
#include "model/power.h"
#include "model/steps.h"

namespace vcc {

std::string failureText(const StepFailure& failure) {
  std::string text = fmt::format("{} failed: {}", failure.attempted, failure.error.message());
  if (!failure.error.providerCode().empty()) text += fmt::format(" [{}]", failure.error.providerCode());
  return text;
}

void enterStep(Node& node, std::int64_t seen_goal, Step step, std::int64_t now) {
  if (node.goal_seq != seen_goal) return;
  beginStep(node, step, now);
  node.attempts = 0;
  node.next_at = 0;
  node.progress.clear();
}

namespace {

bool isLate(const Visit& visit) { return visit.node.deadline > 0 && visit.now >= visit.node.deadline; }

bool isStepLate(const Visit& visit) { return visit.node.step_deadline > 0 && visit.now >= visit.node.step_deadline; }

/// What did not end, and where people can look.
std::string lateText(const Visit& visit) {
  const Node& node = visit.node;
  const std::string_view noun = memberNoun(visit.unit.kind);
  const std::string_view goal = stateName(settledState(node.goal));
  const std::int64_t limit_ms = node.deadline - node.goal_at;
  std::string where;
  if (limit_ms == visit.entry.boot_deadline_s * 1000) {
    where = fmt::format("boot_deadline_s of catalog entry {}/{}", visit.entry.provider, visit.entry.name);
  }
  std::string text;
  if (isLate(visit)) {
    text = fmt::format("the {} did not become {} within {} s", noun, goal, limit_ms / 1000);
    if (!where.empty()) text += fmt::format(" ({})", where);
    text += fmt::format("; it was at step `{}`", stepName(node.step));
  } else {
    text = fmt::format("the {} did not become {}: step `{}` did not end within {} s, {} % of {}", noun, goal,
                       stepName(node.step), (node.step_deadline - node.step_at) / 1000, stepShare(node.step),
                       where.empty() ? fmt::format("the {} s that it may take", limit_ms / 1000) : where);
  }
  if (visit.machine && !visit.profile.disk)
    text += fmt::format(", its machine was last seen {}", machineStateName(visit.machine->observed));
  if (const auto remedy = stepRemedy(node.step); !remedy.empty()) text += fmt::format("; {}", remedy);
  return text;
}

std::string lostText(const Visit& visit) {
  if (visit.profile.disk) return "the cloud gave the disk up while it was being made";
  return visit.node.container_started > 0
             ? fmt::format("the cloud has no machine {} any more, or calls it failed; `start` makes a new one",
                           visit.machine->cloud_id)
             : std::string("the cloud gave the machine up while it booted");
}

}  // namespace

Status endInError(Tx& tx, Node node, const std::string& text, bool asserted, const std::string& op_id) {
  if (!node.machine_id.empty()) {
    if (const Machine* machine = tx.machines().find(node.machine_id)) {
      // Kept is what has served, or can be looked into; what was to go still goes.
      const bool served = !machine->host_key.empty() || node.container_started > 0;
      if (!asserted && !machine->want_destroy && (!served || node.goal == Goal::kStopped)) {
        Machine given_back = *machine;
        given_back.want_destroy = true;
        VCC_RETURN_IF_ERROR(tx.machines().put(std::move(given_back)));
      }
    }
  }
  endWay(node, tx.now());
  node.fault = {tx.now(), text};
  return setState(tx, std::move(node), State::kError, {text, op_id});
}

Status recordFailure(Tx& tx, Node node, const StepFailure& failure, Random& random) {
  const bool create = failure.kind == CallKind::kCreate;
  Retry retry = retryAfter(failure.error, failure.kind, ++(create ? node.create_attempts : node.attempts), random);
  // A machine that the cloud calls spoilt is worth one more try, not a series.
  if (create && failure.error.code() == Code::kDataLoss) retry.final = ++node.spoilt > 1;
  const std::string text = failureText(failure);
  if (retry.final && needsMachine(node.goal) && !node.settled())
    return endInError(tx, std::move(node), text, failure.asserted, failure.op_id);
  (create ? node.create_at : node.next_at) = tx.now() + retry.after_ms;
  node.progress.clear();
  // What a node rests in is not talked over by the cleaning up behind it.
  if (!node.settled()) node.fault = {tx.now(), text};
  return tx.nodes().put(std::move(node));
}

void Decider::goTo(const Visit& visit, Step step, std::function<void(Node&)> more) {
  const std::int64_t seen = visit.node.goal_seq;
  commit({visit.node.node_id}, [id = visit.node.node_id, seen, step, more = std::move(more)](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(id);
    if (!found) return okStatus();
    Node node = *found;
    enterStep(node, seen, step, tx.now());
    if (more) more(node);
    return tx.nodes().put(std::move(node));
  });
}

void Decider::settle(const Visit& visit) {
  const std::int64_t seen = visit.node.goal_seq;
  commit({visit.node.node_id},
         [id = visit.node.node_id, seen, simulated = visit.profile.simulated_hosts](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(id);
           if (!found || found->goal_seq != seen) return okStatus();  // the goal moved on meanwhile
           Node node = *found;
           endWay(node, tx.now());
           forgetFailedCreates(node);
           node.fault = {};
           // Where no container is looked at, it counts as started with its machine.
           const bool restarted = simulated && node.container_started < node.boot_at;
           if (node.goal == Goal::kRunning && (node.container_started == 0 || restarted)) {
             node.container_started = tx.now();
           }
           const State settled = settledState(node.goal);
           return setState(tx, std::move(node), settled, {"goal reached", ""});
         });
}

void Decider::endWithoutContainer(const Visit& visit) {
  const std::int64_t seen = visit.node.goal_seq;
  const std::string text =
      fmt::format("the base container is not on {} any more; `resume` starts a new one", visit.machine->address);
  commit({visit.node.node_id}, [id = visit.node.node_id, seen, text](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(id);
    if (!found) return okStatus();
    Node node = *found;
    node.container_id.clear();
    if (node.goal_seq != seen) return tx.nodes().put(std::move(node));
    endWay(node, tx.now());
    node.fault = {tx.now(), text};
    return setState(tx, std::move(node), State::kContainerError, {text, ""});
  });
}

void Decider::closeOp(const Visit& visit) {
  commit({visit.node.node_id}, [visit](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(visit.node.node_id);
    const Op* op = tx.ops().find(visit.op->op_id);
    if (!found || !op) return okStatus();
    Node node = *found;
    if (!node.settled()) enterStep(node, node.goal_seq, powerStep(op->verb, node), tx.now());
    VCC_RETURN_IF_ERROR(closeItem(tx, Op(*op), visit.machine->machine_id, ItemState::kDone));
    return tx.nodes().put(std::move(node));
  });
}

void Decider::giveUp(const Visit& visit, const std::string& text) {
  const std::int64_t seen = visit.node.goal_seq;
  std::string why = text;
  if (why.empty()) {
    why = isLate(visit) || isStepLate(visit) ? lateText(visit) : lostText(visit);
    if (!visit.node.progress.empty()) why += fmt::format("; it waited for: {}", visit.node.progress);
    if (!visit.node.fault.text.empty()) why += fmt::format("; last cause: {}", visit.node.fault.text);
  }
  // A retry makes another machine in the place of one that is no more.
  const bool gone = visit.machine && !visit.profile.asserted && provenGone(*visit.machine, visit.profile);
  commit({visit.node.node_id},
         [id = visit.node.node_id, seen, why, gone, asserted = visit.profile.asserted](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(id);
           if (!found || found->goal_seq != seen) return okStatus();
           if (const Machine* present = gone ? tx.machines().find(found->machine_id) : nullptr) {
             Machine machine = *present;
             machine.want_destroy = true;
             VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
           }
           return endInError(tx, *found, why, asserted);
         });
}

void Decider::failStep(const Visit& visit, const Status& error, CallKind kind) {
  const std::string attempted = fmt::format("step `{}` on {}", stepName(visit.node.step),
                                            visit.machine ? visit.machine->address : std::string("no machine"));
  commit({visit.node.node_id},
         [this, id = visit.node.node_id, seen = visit.node.goal_seq, error, kind, attempted,
          asserted = visit.profile.asserted](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(id);
           if (!found || found->goal_seq != seen) return okStatus();  // a new way begins without old pauses
           return recordFailure(tx, *found, {attempted, error, kind, asserted}, seams_.random);
         });
}

void Decider::forgetMachine(const Visit& visit, const std::string& reason) {
  commit({visit.node.node_id},
         [node_id = visit.node.node_id, machine_id = visit.machine->machine_id, reason](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(node_id);
           const Machine* machine = tx.machines().find(machine_id);
           if (!found || !machine) return okStatus();
           if (const Op* open = machine->open_op.empty() ? nullptr : tx.ops().find(machine->open_op)) {
             Op op = *open;
             VCC_RETURN_IF_ERROR(closeItem(tx, std::move(op), machine_id, ItemState::kFailed));
             machine = tx.machines().find(machine_id);
           }
           const std::string op_id = machine->ended_op;
           eraseMachine(tx, machine_id);
           Node node = *found;
           node.machine_id.clear();
           node.container_id.clear();
           node.container_spec_hash.clear();
           node.container_started = 0;
           node.boot_at = 0;
           if (node.goal == Goal::kGone) return dropNode(tx, node, {reason, op_id});
           // Not a success of the goal: create_attempts stays, so that a cloud that keeps failing is asked ever less
           // often.
           beginStep(node, Step::kNone, tx.now());
           return tx.nodes().put(std::move(node));
         });
}

void Decider::forgetNode(const Visit& visit) {
  commit({visit.node.node_id}, [id = visit.node.node_id](Tx& tx) -> Status {
    const Node* node = tx.nodes().find(id);
    return node && node->goal == Goal::kGone ? dropNode(tx, Node(*node), {"no machine was left", ""}) : okStatus();
  });
}

}  // namespace vcc
