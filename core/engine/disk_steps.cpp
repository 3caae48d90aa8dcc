// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/decider.h"
#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/transitions.h"

/// Disks on machines. Attaching and detaching are idempotent by look, so their intent is the attachment's own row:
/// asked once, it is looked at and asked again until the cloud shows it, also by another process. A disk is detached
/// after its machine is gone, not before: a mounted disk cannot be detached from a machine that runs, destroying a
/// machine leaves its data disks alone (ext/disk.h), and nothing that costs money waits for it.
namespace vcc {

namespace {

constexpr std::int64_t kDiskLookDeadlineMs = 60000;
constexpr std::int64_t kMoveDeadlineMs = 120000;
constexpr std::int64_t kDiskPollMs = 1000;

std::int64_t movePause(std::int64_t age_ms) { return std::clamp<std::int64_t>(age_ms / 8, 500, 5000); }

/// What one visit found of a disk.
struct Moved {
  Status error;
  bool as_wished = false;
  std::int64_t retry_after_ms = 0;
};

/// Looks at the disks, and takes one step with those that are not where they should be.
std::vector<Moved> lookAndMove(Driver& driver, const CallContext& look, const CallContext& change, bool on,
                               const std::vector<MachineRef>& disks) {
  std::vector<Moved> moved(disks.size());
  const std::vector<Observation> seen = driver.observe(look, disks);
  std::vector<MachineRef> items;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (i >= seen.size() || !seen[i].error.ok()) {
      moved[i].error = i < seen.size() ? seen[i].error : Status(Code::kUnknown, "the driver said nothing about it");
      continue;
    }
    const bool here = seen[i].found && seen[i].holder == disks[i].machine->cloud_id;
    moved[i].as_wished = on ? here && seen[i].attached : !here;
    if (moved[i].as_wished || (on && here)) continue;
    items.push_back(disks[i]);
    if (items.back().cloud_id.empty()) items.back().cloud_id = seen[i].cloud_id;
    places.push_back(i);
  }
  if (items.empty()) return moved;
  const std::vector<ItemResult> results = driver.attach(change, on, items);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i >= results.size()) {
      moved[places[i]].error = Status(Code::kUnknown, "the driver gave no answer", Outcome::kUnknown);
    } else if (results[i].state == ItemState::kFailed) {
      moved[places[i]].error = results[i].error;
    } else {
      moved[places[i]].retry_after_ms = results[i].retry_after_ms;
    }
  }
  return moved;
}

/// The disk for a call; of one of ours that no record knows any more, nothing.
std::optional<MachineRef> refOf(const ReadTx& tx, const Attachment& tie, std::size_t index) {
  if (!tie.volume_id.empty()) {
    MachineRef ref;
    ref.index = static_cast<std::int64_t>(index);
    ref.cloud_id = tie.volume_id;
    return ref;
  }
  const Node* disk = tx.nodes().find(tie.disk);
  const Machine* volume = disk ? tx.machines().find(disk->machine_id) : nullptr;
  return volume ? std::optional(vcc::refOf(*volume, index)) : std::nullopt;
}

/// Why the disk can not be attached yet, or ever.
struct Readiness {
  bool ready = true;
  std::string hopeless;
};

Readiness readinessOf(const ReadTx& tx, const Attachment& tie) {
  if (!tie.volume_id.empty()) return {};
  const Node* disk = tx.nodes().find(tie.disk);
  const std::string label = labelOf(tx, tie);
  if (!disk || disk->goal == Goal::kGone) return {false, label + " was deleted before it could be attached"};
  if (disk->state == State::kError) return {false, label + " cannot be attached, it is in ERROR: " + disk->fault.text};
  const Machine* volume = tx.machines().find(disk->machine_id);
  return {disk->settled() && volume && volume->observed == MachineState::kRunning, ""};
}

/// One more event in the life of a disk.
Status recordTie(Tx& tx, const Node& node, const Attachment& tie, bool on) {
  const std::string user = nodeLabel(tx, node);
  return recordEvent(tx, {.vcid = tie.disk_vcid.empty() ? tie.vcid : tie.disk_vcid,
                          .object = labelOf(tx, tie),
                          .object_id = tie.volume_id.empty() ? tie.disk : tie.volume_id,
                          .from = on ? "free" : "attached",
                          .to = on ? "attached" : "free",
                          .reason = (on ? "to " : "from ") + user,
                          .op_id = tie.op_id});
}

Status recordMoves(Tx& tx, Node node, const std::vector<Attachment>& ties, const std::vector<Moved>& moved, bool on,
                   Random& random) {
  bool all = true;
  std::int64_t pause = movePause(tx.now() - node.step_at);
  const Moved* failed = nullptr;
  std::string label;
  for (std::size_t i = 0; i < ties.size(); ++i) {
    const Attachment* found = tx.attachments().find(ties[i].disk);
    if (!found || found->machine_id != ties[i].machine_id) continue;
    if (moved[i].as_wished) {
      Attachment tie = *found;
      tie.state = on ? AttachState::kAttached : AttachState::kWanted;
      VCC_RETURN_IF_ERROR(recordTie(tx, node, tie, on));
      if (!on) tie.machine_id = tie.op_id = "";
      VCC_RETURN_IF_ERROR(tx.attachments().put(std::move(tie)));
      continue;
    }
    all = false;
    pause = std::max(pause, moved[i].retry_after_ms);
    if (failed) continue;
    label = labelOf(tx, ties[i]);
    if (!moved[i].error.ok()) failed = &moved[i];
  }
  node.progress.clear();
  if (failed) {
    const StepFailure failure{on ? "attaching a disk" : "detaching a disk", Status(failed->error).prepend(label),
                              CallKind::kExisting, false};
    const bool hopeless = on && retryAfter(failed->error, CallKind::kCreate, 1, random).final;
    if (hopeless && node.goal != Goal::kGone && !node.settled()) {
      return endInError(tx, std::move(node), failureText(failure), false);
    }
    return recordFailure(tx, std::move(node), failure, random);
  }
  node.attempts = 0;
  node.next_at = all ? 0 : tx.now() + pause;
  if (all) {
    node.fault = {};
  } else {
    node.progress = label;
  }
  return tx.nodes().put(std::move(node));
}

}  // namespace

void Decider::attachDisks(const Visit& visit) {
  std::vector<Attachment> ready;
  std::string waits_for;
  std::string hopeless;
  seams_.store.read([&](const ReadTx& tx) {
    for (const Attachment& tie : attachmentsOf(tx, visit.node.node_id)) {
      if (tie.state == AttachState::kAttached) continue;
      const Readiness readiness = readinessOf(tx, tie);
      if (!readiness.hopeless.empty()) hopeless = readiness.hopeless;
      if (readiness.ready && !busy_.contains(tie.disk)) {
        ready.push_back(tie);
      } else {
        waits_for += (waits_for.empty() ? "" : ", ") + labelOf(tx, tie);
      }
    }
  });
  if (!hopeless.empty()) return giveUp(visit, hopeless);
  if (ready.empty()) {
    if (visit.node.progress == waits_for) return schedule(visit.node.node_id, kDiskPollMs);
    return commit({visit.node.node_id}, [id = visit.node.node_id, waits_for](Tx& tx) -> Status {
      const Node* found = tx.nodes().find(id);
      if (!found) return okStatus();
      Node node = *found;
      node.progress = waits_for;
      return tx.nodes().put(std::move(node));
    });
  }
  moveDisks(visit, true, std::move(ready));
}

void Decider::releaseDisks(const Visit& visit) {
  std::vector<Attachment> held;
  bool busy = false;
  seams_.store.read([&](const ReadTx& tx) {
    for (const Attachment& tie : attachmentsOf(tx, visit.node.node_id)) {
      if (tie.state == AttachState::kWanted) continue;
      busy = busy || busy_.contains(tie.disk);
      held.push_back(tie);
    }
  });
  if (busy) return schedule(visit.node.node_id, kDiskPollMs);
  moveDisks(visit, false, std::move(held));
}

void Decider::moveDisks(const Visit& visit, bool on, std::vector<Attachment> ties) {
  ties.resize(std::min(ties.size(), std::max<std::size_t>(visit.slot->driver->info().max_batch, 1)));
  const std::string machine_id = visit.machine->machine_id;
  const auto isAsked = [&](const Attachment& tie) { return tie.machine_id == machine_id; };
  if (on && !std::all_of(ties.begin(), ties.end(), isAsked)) return askForDisks(visit, ties);
  auto look = callContext(visit, kDiskLookDeadlineMs);
  if (!look.ok()) return failStep(visit, look.status(), CallKind::kExisting);
  look->kind = UnitKind::kStorage;
  CallContext change = *look;
  change.deadline_ms = kMoveDeadlineMs;
  change.op_id = on ? ties.front().op_id : newId(seams_.random);
  change.attempt = visit.node.attempts + 1;
  const auto machine = std::make_shared<const MachineRef>(refOf(*visit.machine, 0));
  std::vector<MachineRef> refs;
  std::vector<std::size_t> places;  // of the refs in `ties`
  std::vector<std::string> busy{visit.node.node_id};
  seams_.store.read([&](const ReadTx& tx) {
    for (std::size_t i = 0; i < ties.size(); ++i) {
      auto ref = refOf(tx, ties[i], i);
      if (!ref) continue;
      ref->machine = machine;
      refs.push_back(std::move(*ref));
      places.push_back(i);
      if (ties[i].volume_id.empty()) busy.push_back(ties[i].disk);
    }
  });
  for (const std::string& id : busy) busy_.insert(id);
  // A disk of ours that no record knows any more is where it should be after a release: nowhere.
  auto moved = std::make_shared<std::vector<Moved>>(ties.size(), Moved{.error = {}, .as_wished = !on});
  callForNode(
      visit, on ? CallQueue::Kind::kMake : CallQueue::Kind::kTakeAway,
      [moved, refs, places, on, look = std::move(*look), change = std::move(change), driver = visit.slot->driver] {
        const std::vector<Moved> results = lookAndMove(*driver, look, change, on, refs);
        for (std::size_t i = 0; i < places.size(); ++i) (*moved)[places[i]] = results[i];
      },
      [this, moved, ties, busy, on, node_id = visit.node.node_id] {
        commit(busy, [this, moved, ties, on, node_id](Tx& tx) -> Status {
          const Node* node = tx.nodes().find(node_id);
          return node ? recordMoves(tx, *node, ties, *moved, on, seams_.random) : okStatus();
        });
      });
}

/// The intent: from here on the machine may hold the disks.
void Decider::askForDisks(const Visit& visit, const std::vector<Attachment>& ties) {
  commit({visit.node.node_id},
         [ties, machine_id = visit.machine->machine_id, op_id = newId(seams_.random)](Tx& tx) -> Status {
           for (const Attachment& tie : ties) {
             const Attachment* found = tx.attachments().find(tie.disk);
             if (!found || found->node_id != tie.node_id) continue;
             Attachment asked = *found;
             asked.state = AttachState::kAsked;
             asked.machine_id = machine_id;
             asked.op_id = op_id;
             VCC_RETURN_IF_ERROR(tx.attachments().put(std::move(asked)));
           }
           return okStatus();
         });
}

void Decider::keepDisk(const Visit& visit) {
  commit({visit.node.node_id}, [id = visit.node.node_id](Tx& tx) -> Status {
    const Node* disk = tx.nodes().find(id);
    const Attachment* use = tx.attachments().find(id);
    const Node* user = use ? tx.nodes().find(use->node_id) : nullptr;
    if (!disk || disk->goal != Goal::kGone || !user || user->goal == Goal::kGone) return okStatus();
    const Vc* vc = tx.vcs().find(user->vcid);
    return vcc::keepDisk(tx, *disk,
                         fmt::format("it was not deleted: it is in use by {} of UnitGroup {}; delete that node first",
                                     nodeLabel(tx, *user), vc ? vc->name : user->vcid));
  });
}

}  // namespace vcc
