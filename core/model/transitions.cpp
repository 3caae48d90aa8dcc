// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <initializer_list>

#include "model/states.h"

namespace vcc {
namespace {

constexpr std::size_t kGoalCount = 5;
constexpr std::size_t kVerbCount = 7;
constexpr std::size_t kStateCount = 14;
static_assert(kGoalCount == static_cast<std::size_t>(Goal::kGone) + 1);
static_assert(kVerbCount == static_cast<std::size_t>(Verb::kDelete) + 1);
static_assert(kStateCount == static_cast<std::size_t>(State::kIndefinite) + 1);

// A cell of the goal table: the new goal, the present one again (no-op), or a refusal.
enum class Cell : std::uint8_t { kToRunning, kToSuspended, kToPowerOff, kToStopped, kToGone, kSame, kRefused };
using enum Cell;
using enum State;

// design/choices "Goals and states". Row: verb. Column: present goal (RUNNING, SUSPENDED, POWER_OFF, STOPPED, GONE).
constexpr std::array<std::array<Cell, kGoalCount>, kVerbCount> kGoalTable{{
    /* suspend   */ {kToSuspended, kSame, kRefused, kRefused, kRefused},
    /* resume    */ {kSame, kToRunning, kRefused, kRefused, kRefused},
    /* power_off */ {kToPowerOff, kToPowerOff, kSame, kRefused, kRefused},
    /* power_on  */ {kSame, kRefused, kToRunning, kRefused, kRefused},
    /* stop      */ {kToStopped, kToStopped, kToStopped, kSame, kRefused},
    /* start     */ {kSame, kRefused, kRefused, kToRunning, kRefused},
    /* delete    */ {kToGone, kToGone, kToGone, kToGone, kSame},
}};

// The wire state that a verb shows until its goal is reached (spec/rest-protocol 8.3).
constexpr std::array<State, kVerbCount> kTransient{kSuspending, kResuming, kShuttingDown, kBooting,
                                                   kStopping,   kBooting,  kDeleting};

constexpr bool retries(Verb verb) { return verb == Verb::kStart || verb == Verb::kPowerOn || verb == Verb::kResume; }

// A set of states as bits.
using StateSet = std::uint32_t;
constexpr StateSet bit(State state) { return StateSet{1} << at(state); }
constexpr StateSet setOf(std::initializer_list<State> states) {
  StateSet set = 0;
  for (State state : states) set |= bit(state);
  return set;
}

// States that a row may show while the goal is not reached; a deadline or a refusal turns each into ERROR.
constexpr StateSet kTransientStates = setOf({kBooting, kSuspending, kResuming, kStopping, kShuttingDown, kDeleting});

// The transition table of spec/rest-protocol 8.3, by `from`. Its diagram has the arrows marked D. The others:
//   V  a verb of the goal table, given before the previous goal was reached or in a fault state (the last goal wins)
//   E  an unreached goal ends as ERROR, also a deletion (design/choices, architecture 3.9)
//   R  a retry of ERROR by start, power_on or resume, and every other verb that the table allows there
//   H  a host that answers again, seen through its goal or its container
constexpr std::array<StateSet, kStateCount> kTransitions{
    // BOOTING
    setOf({kRunning, kDeleting /*D*/, kSuspending, kShuttingDown, kStopping /*V*/, kError /*E*/}),
    // RUNNING
    setOf({kSuspending, kShuttingDown, kContainerError, kHostError, kDeleting /*D*/, kStopping /*V*/}),
    // SUSPENDING
    setOf({kSuspended, kShuttingDown, kContainerError, kHostError, kDeleting /*D*/, kResuming, kStopping /*V*/,
           kError /*E*/}),
    // SUSPENDED
    setOf({kResuming, kStopping, kShuttingDown, kHostError, kDeleting /*D*/}),
    // RESUMING
    setOf({kRunning, kShuttingDown, kContainerError, kHostError, kDeleting /*D*/, kSuspending, kStopping /*V*/,
           kError /*E*/}),
    // STOPPING
    setOf({kStopped, kHostError, kDeleting /*D*/, kBooting /*V*/, kError /*E*/}),
    // STOPPED
    setOf({kBooting, kDeleting /*D*/}),
    // SHUTTING_DOWN
    setOf({kPowerOff, kHostError, kDeleting /*D*/, kBooting, kStopping /*V*/, kError /*E*/}),
    // POWER_OFF
    setOf({kBooting, kHostError, kDeleting /*D*/, kStopping /*V*/}),
    // CONTAINER_ERROR
    setOf({kRunning, kSuspended, kStopped, kHostError, kDeleting /*D*/, kSuspending, kResuming, kShuttingDown,
           kStopping /*V*/}),
    // HOST_ERROR
    setOf({kRunning, kStopped, kDeleting /*D*/, kSuspended, kPowerOff, kContainerError /*H*/, kSuspending, kResuming,
           kShuttingDown, kStopping, kBooting /*V*/}),
    // DELETING: nothing takes a deletion back, but that of a disk in use (spec/rest-protocol 8.4)
    setOf({kRunning, kError /*E*/}),
    // ERROR
    setOf({kDeleting /*D*/, kBooting, kSuspending, kResuming, kShuttingDown, kStopping /*R*/}),
    // INDEFINITE: units only, computed
    0,
};

}  // namespace

Result<GoalChange> applyVerb(Verb verb, Goal goal, bool in_error) {
  if (in_error && goal != Goal::kGone && retries(verb)) return GoalChange{Goal::kRunning, kBooting, true};
  // A deletion that ended in ERROR is asked for again by the next DELETE.
  if (in_error && goal == Goal::kGone && verb == Verb::kDelete) return GoalChange{Goal::kGone, kDeleting, true};
  switch (const Cell cell = kGoalTable[at(verb)][at(goal)]) {
    case kRefused:
      return failedPrecondition(goal == Goal::kGone
                                    ? fmt::format("{} is refused: the node is being deleted", verbName(verb))
                                    : fmt::format("{} is refused: it does not apply to a node whose goal is {}",
                                                  verbName(verb), goalName(goal)));
    case kSame:
      return GoalChange{goal, settledState(goal), false};
    default:
      return GoalChange{static_cast<Goal>(cell), kTransient[at(verb)], true};
  }
}

State settledState(Goal goal) {
  constexpr std::array<State, kGoalCount> kSettled{kRunning, kSuspended, kPowerOff, kStopped, kDeleting};
  return kSettled.at(at(goal));
}

bool needsMachine(Goal goal) { return goal != Goal::kStopped && goal != Goal::kGone; }

bool isTransient(State state) { return (kTransientStates & bit(state)) != 0; }

bool isLegalTransition(State from, State to) { return from == to || (kTransitions.at(at(from)) & bit(to)) != 0; }

}  // namespace vcc
