// SPDX-License-Identifier: Apache-2.0
#include "model/steps.h"

#include <array>
#include <cstddef>

namespace vcc {
namespace {

using std::string_view;

struct StepFacts {
  string_view name;
  int share;
  string_view remedy;
};
// Shares leave a slow step most of the time, and those after it what they need when all goes well. Ways out have none:
// they end with their goal, or are never given up.
constexpr std::array<StepFacts, 16> kSteps{{
    {"none", 0, ""},
    {"create", 100, "look at the cloud's own messages, and whether it has room for the machine"},
    {"address", 80, "look at the machine in the cloud's console, or raise boot_deadline_s"},
    {"attach", 60, "look at the disks in the cloud's console"},
    {"ssh", 80, "see that the controller reaches the machine's ssh port, and that its image lets the user in"},
    {"prepare", 80, "log in to the machine and look at what holds it up"},
    {"image", 90, "see that the machine reaches the registry, use a smaller image, or raise boot_deadline_s"},
    {"container", 50, "log in to the machine and look at its container engine"},
    {"ready", 50, "see that the image starts an ssh server, or set ready_port of the catalog entry to none"},
    {"release", 0, ""},
    {"destroy", 0, ""},
    {"verify", 0, ""},
    {"suspend", 100, "log in to the machine and look at its container engine"},
    {"power_off", 100, "look at the machine in the cloud's console"},
    {"power_on", 80, "look at the machine in the cloud's console"},
    {"disk_off", 80, "look at the machine in the cloud's console"},
}};
static_assert(kSteps.size() == static_cast<std::size_t>(Step::kDiskOff) + 1);

const StepFacts& factsOf(Step step) { return kSteps.at(static_cast<std::size_t>(step)); }

}  // namespace

string_view stepName(Step step) { return factsOf(step).name; }

int stepShare(Step step) { return factsOf(step).share; }

string_view stepRemedy(Step step) { return factsOf(step).remedy; }

std::optional<Step> parseStep(string_view name) {
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    if (kSteps.at(i).name == name) return static_cast<Step>(i);
  }
  return std::nullopt;
}

}  // namespace vcc
