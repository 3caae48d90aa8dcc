// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"

/// The steps of HostStep for people. What they do on the machine is in remote_steps.h. Pure.
namespace vcc {

struct HostStepInfo {
  HostStep step;
  std::string_view name;    ///< in scripts and answers: "docker"
  std::string_view doing;   ///< "installing docker"
  std::string_view lack;    ///< what is wrong when it is not done
  std::string_view remedy;  ///< where to look when it fails
};

/// All of them, in the order of HostStep.
std::span<const HostStepInfo> hostSteps();
const HostStepInfo& hostStepInfo(HostStep step);
std::optional<HostStep> parseHostStep(std::string_view name);

/// The commands that an administrator would type on an existing server to do the step; empty for the steps that are not
/// asked of one, and where nothing is needed.
std::vector<std::string> hostStepCommands(HostStep step, const HostNeeds& needs);

/// kInvalidArgument when a need holds anything but words as HostNeeds describes them, or far too many.
Status checkNeeds(const HostNeeds& needs);

/// "dns, docker".
std::string joinSteps(std::span<const HostStep> steps);

}  // namespace vcc
