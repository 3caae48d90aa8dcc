// SPDX-License-Identifier: Apache-2.0
#include "model/states.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/records.h"

using namespace vcc;

namespace {

constexpr Goal kGoals[] = {Goal::kRunning, Goal::kSuspended, Goal::kPowerOff, Goal::kStopped, Goal::kGone};
constexpr Verb kVerbs[] = {Verb::kSuspend, Verb::kResume, Verb::kPowerOff, Verb::kPowerOn,
                           Verb::kStop,    Verb::kStart,  Verb::kDelete};
constexpr int kStateCount = 14;
State stateAt(int i) { return static_cast<State>(i); }

// What the table of design/choices says of one cell: a goal, "no-op" or "409".
std::string outcome(Verb verb, Goal goal, bool in_error) {
  const auto change = applyVerb(verb, goal, in_error);
  if (!change.ok()) {
    CHECK(change.status().code() == Code::kFailedPrecondition);
    CHECK(change.status().message().find(verbName(verb)) != std::string::npos);
    return "409";
  }
  if (!change->changes) {
    CHECK(change->goal == goal);
    return "no-op";
  }
  return std::string(goalName(change->goal));
}

}  // namespace

TEST_CASE("every state word of the wire, and back") {
  const std::vector<std::string> words{"BOOTING",    "RUNNING",  "SUSPENDING",    "SUSPENDED", "RESUMING",
                                       "STOPPING",   "STOPPED",  "SHUTTING_DOWN", "POWER_OFF", "CONTAINER_ERROR",
                                       "HOST_ERROR", "DELETING", "ERROR",         "INDEFINITE"};
  for (int i = 0; i < kStateCount; ++i) {
    CHECK(stateName(stateAt(i)) == words[static_cast<std::size_t>(i)]);
    CHECK(parseState(words[static_cast<std::size_t>(i)]) == stateAt(i));
  }
  CHECK(stateName(State::kShuttingDown) == "SHUTTING_DOWN");
  CHECK(stateName(State::kHostError) == "HOST_ERROR");
  CHECK(stateName(State::kIndefinite) == "INDEFINITE");
  CHECK_FALSE(parseState("running").has_value());
  CHECK_FALSE(parseState("").has_value());
  CHECK_FALSE(parseState("UNWATCH").has_value());
}

TEST_CASE("the other enumerations have distinct names that parse back") {
  for (Goal goal : kGoals) CHECK(parseGoal(goalName(goal)) == goal);
  for (Verb verb : kVerbs) CHECK(parseVerb(verbName(verb)) == verb);
  for (int i = 0; i <= static_cast<int>(Reason::kUnpaid); ++i) {
    CHECK(parseReason(reasonName(static_cast<Reason>(i))) == static_cast<Reason>(i));
  }
  for (int i = 0; i <= static_cast<int>(MachineState::kFailed); ++i) {
    CHECK(parseMachineState(machineStateName(static_cast<MachineState>(i))) == static_cast<MachineState>(i));
  }
  for (int i = 0; i <= static_cast<int>(Step::kDiskOff); ++i) {
    CHECK(parseStep(stepName(static_cast<Step>(i))) == static_cast<Step>(i));
  }
  CHECK(verbName(Verb::kPowerOn) == "power_on");
  CHECK(vcStateName(VcState::kApplying) == "APPLYING");
  CHECK(vcStateName(VcState::kError) == "ERROR");
  CHECK(goalName(Goal::kGone) == "GONE");
  CHECK(machineStateName(MachineState::kGone) == "GONE");
  CHECK(reasonName(Reason::kHostFailure) == "host_failure");
  CHECK(stepName(Step::kDestroy) == "destroy");
  CHECK(opVerbName(OpVerb::kCreate) == "create");
  CHECK(opVerbName(OpVerb::kPowerOff) == "power_off");
  CHECK_FALSE(parseGoal("BOOTING").has_value());
  CHECK_FALSE(parseVerb("watch").has_value());
}

TEST_CASE("the goal table, cell by cell") {
  const std::vector<std::vector<std::string>> table{
      /* suspend   */ {"SUSPENDED", "no-op", "409", "409", "409"},
      /* resume    */ {"no-op", "RUNNING", "409", "409", "409"},
      /* power_off */ {"POWER_OFF", "POWER_OFF", "no-op", "409", "409"},
      /* power_on  */ {"no-op", "409", "RUNNING", "409", "409"},
      /* stop      */ {"STOPPED", "STOPPED", "STOPPED", "no-op", "409"},
      /* start     */ {"no-op", "409", "409", "RUNNING", "409"},
      /* delete    */ {"GONE", "GONE", "GONE", "GONE", "no-op"},
  };
  for (std::size_t v = 0; v < 7; ++v) {
    for (std::size_t g = 0; g < 5; ++g) {
      CAPTURE(verbName(kVerbs[v]));
      CAPTURE(goalName(kGoals[g]));
      CHECK(outcome(kVerbs[v], kGoals[g], false) == table[v][g]);
    }
  }
}

TEST_CASE("in ERROR start, power_on and resume retry; other verbs follow the table") {
  for (Goal goal : kGoals) {
    for (Verb verb : {Verb::kStart, Verb::kPowerOn, Verb::kResume}) {
      CHECK(outcome(verb, goal, true) == (goal == Goal::kGone ? "409" : "RUNNING"));
      if (goal != Goal::kGone) CHECK(applyVerb(verb, goal, true)->transient == State::kBooting);
    }
    for (Verb verb : {Verb::kSuspend, Verb::kPowerOff, Verb::kStop}) {
      CHECK(outcome(verb, goal, true) == outcome(verb, goal, false));
    }
    CHECK(outcome(Verb::kDelete, goal, true) == "GONE");
  }
}

TEST_CASE("the transient state that a verb shows") {
  CHECK(applyVerb(Verb::kSuspend, Goal::kRunning, false)->transient == State::kSuspending);
  CHECK(applyVerb(Verb::kResume, Goal::kSuspended, false)->transient == State::kResuming);
  CHECK(applyVerb(Verb::kPowerOff, Goal::kSuspended, false)->transient == State::kShuttingDown);
  CHECK(applyVerb(Verb::kPowerOn, Goal::kPowerOff, false)->transient == State::kBooting);
  CHECK(applyVerb(Verb::kStop, Goal::kPowerOff, false)->transient == State::kStopping);
  CHECK(applyVerb(Verb::kStart, Goal::kStopped, false)->transient == State::kBooting);
  CHECK(applyVerb(Verb::kDelete, Goal::kRunning, false)->transient == State::kDeleting);
}

TEST_CASE("settled states of goals, and the states in which the SDK waits") {
  CHECK(settledState(Goal::kRunning) == State::kRunning);
  CHECK(settledState(Goal::kSuspended) == State::kSuspended);
  CHECK(settledState(Goal::kPowerOff) == State::kPowerOff);
  CHECK(settledState(Goal::kStopped) == State::kStopped);
  CHECK(settledState(Goal::kGone) == State::kDeleting);
  const std::set<State> waiting{State::kBooting,  State::kStopping, State::kSuspending,
                                State::kResuming, State::kDeleting, State::kShuttingDown};
  for (int i = 0; i < kStateCount; ++i) CHECK(isTransient(stateAt(i)) == waiting.contains(stateAt(i)));
}

TEST_CASE("the transition table, cell by cell") {
  using enum State;
  const std::vector<std::pair<State, std::set<State>>> table{
      {kBooting, {kRunning, kSuspending, kShuttingDown, kStopping, kDeleting, kError}},
      {kRunning, {kSuspending, kShuttingDown, kStopping, kContainerError, kHostError, kDeleting}},
      {kSuspending, {kSuspended, kResuming, kShuttingDown, kStopping, kContainerError, kHostError, kDeleting, kError}},
      {kSuspended, {kResuming, kShuttingDown, kStopping, kHostError, kDeleting}},
      {kResuming, {kRunning, kSuspending, kShuttingDown, kStopping, kContainerError, kHostError, kDeleting, kError}},
      {kStopping, {kStopped, kBooting, kHostError, kDeleting, kError}},
      {kStopped, {kBooting, kDeleting}},
      {kShuttingDown, {kPowerOff, kBooting, kStopping, kHostError, kDeleting, kError}},
      {kPowerOff, {kBooting, kStopping, kHostError, kDeleting}},
      {kContainerError,
       {kRunning, kSuspended, kStopped, kHostError, kSuspending, kResuming, kShuttingDown, kStopping, kDeleting}},
      {kHostError,
       {kRunning, kSuspended, kPowerOff, kStopped, kContainerError, kBooting, kSuspending, kResuming, kShuttingDown,
        kStopping, kDeleting}},
      {kDeleting, {kRunning, kError}},
      {kError, {kBooting, kSuspending, kResuming, kShuttingDown, kStopping, kDeleting}},
      {kIndefinite, {}},
  };
  for (const auto& [from, targets] : table) {
    for (int i = 0; i < kStateCount; ++i) {
      CAPTURE(stateName(from));
      CAPTURE(stateName(stateAt(i)));
      CHECK(isLegalTransition(from, stateAt(i)) == (from == stateAt(i) || targets.contains(stateAt(i))));
    }
  }
}

TEST_CASE("a verb never asks for a transition that the table lacks") {
  // The states that a node with a goal may show: on the way, settled, and the faults.
  using enum State;
  const std::vector<std::pair<Goal, std::set<State>>> shown{
      {Goal::kRunning, {kBooting, kRunning, kResuming, kContainerError, kHostError, kError}},
      {Goal::kSuspended, {kSuspending, kSuspended, kContainerError, kHostError, kError}},
      {Goal::kPowerOff, {kShuttingDown, kPowerOff, kHostError, kError}},
      {Goal::kStopped, {kStopping, kStopped, kHostError, kError}},
      {Goal::kGone, {kDeleting, kError}},
  };
  for (const auto& [goal, states] : shown) {
    for (State from : states) {
      for (Verb verb : kVerbs) {
        const auto change = applyVerb(verb, goal, from == kError);
        if (!change.ok() || !change->changes) continue;
        CAPTURE(stateName(from));
        CAPTURE(verbName(verb));
        CHECK(isLegalTransition(from, change->transient));
        CHECK(isLegalTransition(change->transient, settledState(change->goal)));
        CHECK(isLegalTransition(change->transient, kError));
      }
    }
  }
}
