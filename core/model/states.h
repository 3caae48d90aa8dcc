// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"

namespace vcc {

/// The place of `value` in the tables of its enumeration.
template <typename Enum>
constexpr std::size_t at(Enum value) {
  return static_cast<std::size_t>(value);
}

/// What a user wants of a node (architecture 3.1). A level, not a verb.
enum class Goal : std::uint8_t { kRunning, kSuspended, kPowerOff, kStopped, kGone };

/// The state words of the wire (spec/rest-protocol section 8), for nodes, disks and units alike.
enum class State : std::uint8_t {
  kBooting,
  kRunning,
  kSuspending,
  kSuspended,
  kResuming,
  kStopping,
  kStopped,
  kShuttingDown,
  kPowerOff,
  kContainerError,
  kHostError,
  kDeleting,
  kError,
  kIndefinite,  ///< units only: nodes in different states
};

/// VC states of the wire (spec/rest-protocol 8.1).
enum class VcState : std::uint8_t { kApplying, kRunning, kDeleting, kError };

/// The verbs that set a goal, of the REST API. `kDelete` is DELETE of a node.
enum class Verb : std::uint8_t { kSuspend, kResume, kPowerOff, kPowerOn, kStop, kStart, kDelete };

/// Why an observed state is what it is (architecture 3.9).
enum class Reason : std::uint8_t { kUnknown, kRequested, kInterrupted, kHostFailure, kUnpaid };

/// Host-level states that drivers report (architecture 13).
enum class MachineState : std::uint8_t {
  kUnspecified,
  kProvisioning,
  kRunning,
  kStopping,
  kStopped,
  kTerminating,
  kGone,
  kFailed,
};

/// The durable sub-states of a node on its way (architecture 27). `kNone` = nothing under way.
enum class Step : std::uint8_t {
  kNone,
  kCreate,     ///< the cloud is asked for a machine
  kAddress,    ///< waiting for the cloud to say running, with an address
  kAttach,     ///< waiting for its disks to hang on the machine
  kSsh,        ///< waiting for ssh to answer
  kPrepare,    ///< making the host ready (skipped for existing servers)
  kImage,      ///< pulling the base container image
  kContainer,  ///< starting the base container
  kReady,      ///< waiting for the banner on the ready port
  kRelease,    ///< removing the base container from an existing server
  kDestroy,    ///< giving the machine back
  kVerify,     ///< the cloud accepted; waiting for the proof that the machine is gone
  kSuspend,    ///< stopping the base container
  kPowerOff,   ///< the cloud is asked to switch the machine off; without an op: accepted, it has to show
  kPowerOn,    ///< the same for on
};

std::string_view goalName(Goal goal);
std::string_view stateName(State state);
std::string_view vcStateName(VcState state);
std::string_view verbName(Verb verb);
std::string_view reasonName(Reason reason);
std::string_view machineStateName(MachineState state);
std::string_view stepName(Step step);

std::optional<Goal> parseGoal(std::string_view name);
std::optional<State> parseState(std::string_view name);
std::optional<Verb> parseVerb(std::string_view name);
std::optional<Reason> parseReason(std::string_view name);
std::optional<MachineState> parseMachineState(std::string_view name);
std::optional<Step> parseStep(std::string_view name);

/// The answer of the goal table (design/choices "Goals and states").
struct GoalChange {
  Goal goal;        ///< the goal after the verb
  State transient;  ///< the wire state to show before the 202 leaves
  bool changes;     ///< false: a no-op, answered 202, nothing is written
};

/// What `verb` does to a node whose present goal is `goal`; kFailedPrecondition for an illegal pair, with a text
/// that names both. `in_error` marks a node in state ERROR: there `start`, `power_on` and `resume` retry it.
/// Pure.
Result<GoalChange> applyVerb(Verb verb, Goal goal, bool in_error);

/// The settled wire state of a goal reached: RUNNING, SUSPENDED, POWER_OFF, STOPPED (DELETING for kGone).
State settledState(Goal goal);

/// True when a node with this goal has a machine, switched on or off.
bool needsMachine(Goal goal);

/// True when the SDK keeps waiting in this state (spec/rest-protocol 9.2; INDEFINITE is not among them).
bool isTransient(State state);

/// True when the transition table of spec/rest-protocol 8.3 (with ERROR, choices.md) has an arrow `from` -> `to`, or
/// they are equal. The one place that knows; the engine checks every change against it.
bool isLegalTransition(State from, State to);

}  // namespace vcc
