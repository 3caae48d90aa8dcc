// SPDX-License-Identifier: Apache-2.0
#include "engine/disk_ties.h"

#include "engine/lifecycle.h"

namespace vcc {

DiskTies tiesOf(const ReadTx& tx, const Node& node) {
  DiskTies ties;
  tx.attachments().scan("node_id", node.node_id, [&](const Attachment& tie) {
    ties.incomplete = ties.incomplete || tie.state != AttachState::kAttached;
    ties.held = ties.held || tie.state != AttachState::kWanted;
    return true;
  });
  const Attachment* use = tx.attachments().find(node.node_id);
  const Node* user = use ? tx.nodes().find(use->node_id) : nullptr;
  if (user) ties.use = user->goal == Goal::kGone ? DiskTies::Use::kLeaving : DiskTies::Use::kInUse;
  return ties;
}

Status keepDisk(Tx& tx, Node disk, const std::string& why) {
  disk.goal = Goal::kRunning;
  disk.goal_seq += 1;
  disk.goal_at = tx.now();
  disk.reached_seq = disk.goal_seq;
  beginStep(disk, Step::kNone, tx.now());
  disk.attempts = 0;
  disk.next_at = 0;
  disk.progress.clear();
  disk.fault = {tx.now(), why};
  const Unit* unit = tx.units().find(disk.unit_id);
  if (unit && unit->deleting) {
    Unit kept = *unit;
    kept.deleting = false;
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = kept.vcid,
                                         .object = "unit " + kept.name,
                                         .object_id = kept.unit_id,
                                         .from = std::string(stateName(State::kDeleting)),
                                         .to = std::string(stateName(State::kRunning)),
                                         .reason = why}));
    VCC_RETURN_IF_ERROR(tx.units().put(std::move(kept)));
  }
  const Vc* vc = tx.vcs().find(disk.vcid);
  if (vc && vc->deleting) {
    Vc kept = *vc;
    kept.deleting = false;
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = kept.vcid,
                                         .object = "vc " + kept.name,
                                         .object_id = kept.vcid,
                                         .from = std::string(vcStateName(VcState::kDeleting)),
                                         .to = std::string(vcStateName(VcState::kRunning)),
                                         .reason = why}));
    VCC_RETURN_IF_ERROR(tx.vcs().put(std::move(kept)));
  }
  return setState(tx, std::move(disk), State::kRunning, {why, ""});
}

bool isRefusedAsHeld(const Node& node, const Machine& machine, const Status& error) {
  return isDisk(machine) && node.goal == Goal::kGone && error.code() == Code::kFailedPrecondition &&
         error.outcome() == Outcome::kNotApplied;
}

}  // namespace vcc
