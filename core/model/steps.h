// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "model/states.h"

/// What is known of the steps of a node's way, besides their names (model/states.h).
namespace vcc {

/// How long a step may take, in percent of the time that the node's goal may take; 0 = it has no deadline of its own.
int stepShare(Step step);

/// What people can do about a step that does not end.
std::string_view stepRemedy(Step step);

}  // namespace vcc
