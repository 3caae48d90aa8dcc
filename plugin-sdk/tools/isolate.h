// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "report.h"

namespace vcp::check {

/// Runs `body` in a forked child, which is killed after `limit_ms`: a driver that crashes, hangs or exits fails this
/// check only. Standard output and error of the child are kept from the terminal; the last of them are shown when it
/// dies. Failed and Skipped become their verdicts, any other exception a failure.
Outcome runIsolated(const std::function<Outcome()>& body, std::int64_t limit_ms);

/// What the child has written to its standard output and error so far. Within `body` only.
std::string outputSoFar();

std::int64_t steadyMs();

}  // namespace vcp::check
