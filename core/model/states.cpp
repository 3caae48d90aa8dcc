// SPDX-License-Identifier: Apache-2.0
#include "model/states.h"

#include <array>

#include "model/records.h"

namespace vcc {
namespace {

// Each enumeration is written once here, in the order of its declaration: the position is the value.
using std::string_view;
constexpr std::array<string_view, 5> kGoals{"RUNNING", "SUSPENDED", "POWER_OFF", "STOPPED", "GONE"};
constexpr std::array<string_view, 14> kStates{"BOOTING",    "RUNNING",  "SUSPENDING",    "SUSPENDED", "RESUMING",
                                              "STOPPING",   "STOPPED",  "SHUTTING_DOWN", "POWER_OFF", "CONTAINER_ERROR",
                                              "HOST_ERROR", "DELETING", "ERROR",         "INDEFINITE"};
constexpr std::array<string_view, 4> kVcStates{"APPLYING", "RUNNING", "DELETING", "ERROR"};
constexpr std::array<string_view, 7> kVerbs{"suspend", "resume", "power_off", "power_on", "stop", "start", "delete"};
constexpr std::array<string_view, 5> kReasons{"unknown", "requested", "interrupted", "host_failure", "unpaid"};
constexpr std::array<string_view, 8> kMachineStates{"UNSPECIFIED", "PROVISIONING", "RUNNING", "STOPPING",
                                                    "STOPPED",     "TERMINATING",  "GONE",    "FAILED"};
constexpr std::array<string_view, 15> kSteps{"none",    "create", "address",   "attach",    "ssh",
                                             "prepare", "image",  "container", "ready",     "release",
                                             "destroy", "verify", "suspend",   "power_off", "power_on"};
constexpr std::array<string_view, 4> kOpVerbs{"create", "destroy", "power_on", "power_off"};

static_assert(kGoals.size() == static_cast<std::size_t>(Goal::kGone) + 1);
static_assert(kStates.size() == static_cast<std::size_t>(State::kIndefinite) + 1);
static_assert(kVcStates.size() == static_cast<std::size_t>(VcState::kError) + 1);
static_assert(kVerbs.size() == static_cast<std::size_t>(Verb::kDelete) + 1);
static_assert(kReasons.size() == static_cast<std::size_t>(Reason::kUnpaid) + 1);
static_assert(kMachineStates.size() == static_cast<std::size_t>(MachineState::kFailed) + 1);
static_assert(kSteps.size() == static_cast<std::size_t>(Step::kPowerOn) + 1);
static_assert(kOpVerbs.size() == static_cast<std::size_t>(OpVerb::kPowerOff) + 1);

template <typename Enum, std::size_t N>
std::optional<Enum> parse(const std::array<string_view, N>& names, string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

string_view goalName(Goal goal) { return kGoals.at(at(goal)); }
string_view stateName(State state) { return kStates.at(at(state)); }
string_view vcStateName(VcState state) { return kVcStates.at(at(state)); }
string_view verbName(Verb verb) { return kVerbs.at(at(verb)); }
string_view reasonName(Reason reason) { return kReasons.at(at(reason)); }
string_view machineStateName(MachineState state) { return kMachineStates.at(at(state)); }
string_view stepName(Step step) { return kSteps.at(at(step)); }
string_view opVerbName(OpVerb verb) { return kOpVerbs.at(at(verb)); }

std::optional<Goal> parseGoal(string_view name) { return parse<Goal>(kGoals, name); }
std::optional<State> parseState(string_view name) { return parse<State>(kStates, name); }
std::optional<Verb> parseVerb(string_view name) { return parse<Verb>(kVerbs, name); }
std::optional<Reason> parseReason(string_view name) { return parse<Reason>(kReasons, name); }
std::optional<MachineState> parseMachineState(string_view name) { return parse<MachineState>(kMachineStates, name); }
std::optional<Step> parseStep(string_view name) { return parse<Step>(kSteps, name); }

}  // namespace vcc
