// SPDX-License-Identifier: Apache-2.0
#include "engine/transitions.h"

#include <fmt/format.h>

#include "engine/decider.h"
#include "engine/lifecycle.h"

namespace vcc {

std::string failureText(const StepFailure& failure) {
  std::string text = fmt::format("{} failed: {}", failure.attempted, failure.error.message());
  if (!failure.error.providerCode().empty()) text += fmt::format(" [{}]", failure.error.providerCode());
  return text;
}

Status endInError(Tx& tx, Node node, const std::string& text, bool asserted, const std::string& op_id) {
  if (!node.machine_id.empty()) {
    if (const Machine* machine = tx.machines().find(node.machine_id)) {
      if (!asserted && machine->host_key.empty() && !machine->want_destroy) {
        Machine given_back = *machine;
        given_back.want_destroy = true;
        VCC_RETURN_IF_ERROR(tx.machines().put(std::move(given_back)));
      }
    }
  }
  node.reached_seq = node.goal_seq;
  node.step = Step::kNone;
  node.step_at = tx.now();
  node.attempts = 0;
  node.next_at = 0;
  node.progress.clear();
  node.fault = {tx.now(), text};
  return setState(tx, std::move(node), State::kError, {text, op_id});
}

Status recordFailure(Tx& tx, Node node, const StepFailure& failure, Random& random) {
  const bool create = failure.kind == CallKind::kCreate;
  Retry retry = retryAfter(failure.error, failure.kind, ++(create ? node.create_attempts : node.attempts), random);
  // A machine that the cloud calls spoilt is worth one more try, not a series.
  if (create && failure.error.code() == Code::kDataLoss) retry.final = ++node.spoilt > 1;
  const std::string text = failureText(failure);
  if (retry.final && node.goal != Goal::kGone && !node.settled())
    return endInError(tx, std::move(node), text, failure.asserted, failure.op_id);
  (create ? node.create_at : node.next_at) = tx.now() + retry.after_ms;
  node.progress.clear();
  node.fault = {tx.now(), text};
  return tx.nodes().put(std::move(node));
}

void Decider::goTo(const Visit& visit, Step step, std::function<void(Node&)> more) {
  commit({visit.node.node_id}, [id = visit.node.node_id, step, more = std::move(more)](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(id);
    if (!found) return okStatus();
    Node node = *found;
    node.step = step;
    node.step_at = tx.now();
    node.attempts = 0;
    node.next_at = 0;
    node.progress.clear();
    if (more) more(node);
    return tx.nodes().put(std::move(node));
  });
}

void Decider::settle(const Visit& visit) {
  const std::int64_t seen = visit.node.goal_seq;
  commit({visit.node.node_id}, [id = visit.node.node_id, seen](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(id);
    if (!found || found->goal_seq != seen) return okStatus();  // the goal moved on meanwhile
    Node node = *found;
    node.reached_seq = seen;
    node.step = Step::kNone;
    node.step_at = tx.now();
    node.attempts = 0;
    node.progress.clear();
    forgetFailedCreates(node);
    node.fault = {};
    if (node.container_started == 0) node.container_started = tx.now();
    const State settled = settledState(node.goal);
    return setState(tx, std::move(node), settled, {"goal reached", ""});
  });
}

void Decider::giveUp(const Visit& visit, const std::string& text) {
  const std::int64_t seen = visit.node.goal_seq;
  std::string why = text;
  if (why.empty()) {
    const bool late = visit.node.deadline > 0 && seams_.store.now() >= visit.node.deadline;
    why = late ? fmt::format(
                     "the node was not ready within {} s (boot_deadline_s of catalog entry {}/{}); it was at step "
                     "`{}`",
                     visit.entry.boot_deadline_s, visit.entry.provider, visit.entry.name, stepName(visit.node.step))
               : std::string("the cloud gave the machine up while it booted");
    if (!visit.node.progress.empty()) why += fmt::format("; it waited for: {}", visit.node.progress);
    if (!visit.node.fault.text.empty()) why += fmt::format("; last cause: {}", visit.node.fault.text);
  }
  commit({visit.node.node_id},
         [id = visit.node.node_id, seen, why, asserted = visit.profile.asserted](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(id);
           if (!found || found->goal_seq != seen) return okStatus();
           return endInError(tx, *found, why, asserted);
         });
}

void Decider::failStep(const Visit& visit, const Status& error, CallKind kind) {
  const std::string attempted = fmt::format("step `{}` on {}", stepName(visit.node.step),
                                            visit.machine ? visit.machine->address : std::string("no machine"));
  commit({visit.node.node_id},
         [this, id = visit.node.node_id, error, kind, attempted, asserted = visit.profile.asserted](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(id);
           if (!found) return okStatus();
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
           node.step = Step::kNone;
           node.step_at = tx.now();
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
