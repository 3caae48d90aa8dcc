// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "cli/json.h"

namespace vcc::cli {

/// A check that is over: its id, which the controller knows for a while yet, and what it found.
struct FinishedCheck {
  std::string id;
  Json report;
};

/// Has the controller look at every node afresh, or at those of one UnitGroup, and waits for the end.
Result<FinishedCheck> runCheck(const std::string& socket_path, const std::string& vcid);

}  // namespace vcc::cli
