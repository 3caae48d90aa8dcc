// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "model/records.h"

/// The decision of the engine: what to do next for one node (architecture 3.2). A pure function of what is recorded and
/// of the time; the engine carries it out and asks again.
namespace vcc {

/// What of a node's surroundings the decision depends on.
struct Profile {
  bool asserted = false;          ///< an existing server: no cloud to observe, never destroyed, only released
  bool simulated_hosts = false;   ///< no ssh, no container
  bool idempotent_token = false;  ///< the cloud remembers the op id
  std::int64_t token_ttl_ms = 0;
  std::int64_t lookup_lag_ms = 0;
  std::int64_t call_deadline_ms = 120000;    ///< the longest mutation may take
  std::int64_t release_timeout_ms = 300000;  ///< an unreachable existing server is given up after this
  int ready_port = 22;                       ///< 0 = no banner to wait for
};

/// Everything recorded about one node, its current machine and that machine's open op. Borrowed.
struct Snapshot {
  const Node& node;
  const Machine* machine = nullptr;  ///< null: none
  const Op* op = nullptr;            ///< open op with `machine` as item `item`; null: none
  std::size_t item = 0;
  Profile profile;
};

enum class ActionKind : std::uint8_t {
  kNone,         ///< settled: nothing until the goal changes
  kWait,         ///< nothing until `at`
  kMakeMachine,  ///< record a machine and its create op
  kSendOp,       ///< call the driver for the op
  kObserve,      ///< point read of the machine
  kAdvance,      ///< go to step `step`
  kInspectHost,  ///< log in and look
  kPullImage,    ///< start or poll the pull
  kRunContainer,
  kProbeReady,     ///< banner on the ready port
  kReleaseHost,    ///< remove our container from an existing server
  kAbandonHost,    ///< the server stayed unreachable: forget it, and say what was left there
  kMakeDestroyOp,  ///< record the intent to give the machine back
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

/// The next action at wall time `now`.
Action plan(const Snapshot& snapshot, std::int64_t now);

/// How long the machine must be watched between two point reads while something is under way, by the age of the step.
std::int64_t observeIntervalMs(std::int64_t step_age_ms);

/// True when the machine needs no further proof that it is gone: a final state of the cloud, or two point reads that
/// found nothing, at least `lookup_lag_ms` apart (architecture 3.6).
bool provenGone(const Machine& machine, const Profile& profile);

}  // namespace vcc
