// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/json.h"

namespace vcc::cli {

/// The "conditions" of an answer as a table with an empty line before it; empty when there are none.
std::string conditionTable(const Json& answer);

}  // namespace vcc::cli
