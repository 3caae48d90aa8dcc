// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab.h"
#include "report.h"

namespace vcp::check {

/// Runs the checks whose name is `only`, or begins with it and a dot; all when it is empty. Each in a process of its
/// own, with the time limit of the case. False when `only` names none.
bool runConformance(const Setup& setup, const std::string& only, Report* report);

}  // namespace vcp::check
