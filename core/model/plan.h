// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/profile.h"
#include "model/records.h"

/// The decision of the engine: what to do next for one node (architecture 3.2). A pure function of what is recorded and
/// of the time; the engine carries it out and asks again.
namespace vcc {

/// The other members of an op that share its unanswered request (model/doubt.h).
struct Mates {
  bool wanted = false;   ///< one of them is still wanted: the request will be sent again
  bool blocked = false;  ///< one of them may not be sent yet
  std::int64_t due = 0;  ///< none of them is to be sent before
};

/// What the attachments of a node mean for it; of a disk, what they mean for the disk (Attachment of model/records.h).
struct DiskTies {
  enum class Use : std::uint8_t { kFree, kLeaving, kInUse };
  bool incomplete = false;  ///< the node is to have a disk that is not attached yet
  bool held = false;        ///< its machine may hold a disk
  Use use = Use::kFree;     ///< of this disk by a node; kLeaving: that node is being deleted
};

/// Everything recorded about one node, its current machine and that machine's open op. Borrowed.
struct Snapshot {
  const Node& node;
  const Machine* machine = nullptr;  ///< null: none
  const Op* op = nullptr;            ///< open op with `machine` as item `item`; null: none
  std::size_t item = 0;
  Profile profile;
  Mates mates;  ///< of the machine in `op`, when that is a create
  DiskTies ties;
};

enum class ActionKind : std::uint8_t {
  kNone,         ///< settled: nothing until the goal changes
  kWait,         ///< nothing until `at`
  kMakeMachine,  ///< record a machine and its create op
  kSendOp,       ///< call the driver for the op
  kObserve,      ///< point read of the machine
  kAdvance,      ///< go to step `step`
  kAttachDisks,  ///< look at the node's disks, and attach those that do not hang on its machine
  kInspectHost,  ///< log in and look
  kPrepareHost,  ///< start or poll the job that prepares it, or only pulls the image
  kRunContainer,
  kProbeReady,     ///< banner on the ready port
  kReleaseHost,    ///< remove our container from an existing server
  kAbandonHost,    ///< the server stayed unreachable: forget it, and say what was left there
  kStopContainer,  ///< stop the base container, and settle
  kMakePowerOff,   ///< record the intent to switch the machine off, instead of any other one
  kMakePowerOn,
  kCloseOp,        ///< the power op is over: a look shows what it was to bring, or nobody asks any more
  kMakeDestroyOp,  ///< record the intent to give the machine back
  kReleaseDisks,   ///< the machine is gone: see that it holds no disk, detach what the cloud still shows there
  kKeepDisk,       ///< the disk is in use: its deletion is taken back
  kForgetMachine,  ///< the machine is proven gone: erase it
  kForgetNode,     ///< no machine is left: erase the node
  kSettle,         ///< the goal is reached
  kGiveUp,         ///< the goal's deadline has passed: state ERROR
};

struct Action {
  ActionKind kind = ActionKind::kNone;
  std::int64_t at = 0;      ///< kWait
  Step step = Step::kNone;  ///< kAdvance
};

/// Those of the op's `members` (null = erased; by item) that share the request with item `self`.
struct Member {
  const Node* node = nullptr;
  const Machine* machine = nullptr;
};
Mates matesOf(const Op& op, std::size_t self, const std::vector<Member>& members, const Profile& profile,
              std::int64_t now);

/// True when the create must go on for this machine: its node needs one, and it is not to be given back.
bool isWanted(const Member& member);

/// The next action at wall time `now`.
Action plan(const Snapshot& snapshot, std::int64_t now);

/// How long a node may take to a new goal, in ms; 0 = no limit. `was_up`: its machine has served before, so that
/// nothing must be booted first. `boot_ms`: of its catalog entry.
std::int64_t goalLimitMs(Goal goal, bool was_up, std::int64_t boot_ms);

/// How long the machine must be watched between two point reads while something is under way, by the age of the step.
std::int64_t observeIntervalMs(std::int64_t step_age_ms);

/// True when the machine needs no further proof that it is gone: a final state of the cloud, or two point reads that
/// found nothing, at least `lookup_lag_ms` apart (architecture 3.6).
bool provenGone(const Machine& machine, const Profile& profile);

}  // namespace vcc
