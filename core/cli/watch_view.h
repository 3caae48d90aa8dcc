// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/json.h"
#include "cli/terminal.h"

/// What `vcc watch` shows of an answer of GET /vcs/{vcid}/progress. Pure.
namespace vcc::cli {

enum class Verdict {
  kUnderWay,
  kReached,  ///< everything is where its goal wants it
  kFailed,   ///< nothing is under way, and something has not reached its goal
};
Verdict verdictOf(const Json& progress);

/// A frame of the live table, at most as high as the terminal: first the units, then the nodes, those with something to
/// tell before those that are settled.
std::vector<std::string> frameOf(const Json& progress, TerminalSize size);

/// What is worth a line when it changes, by object ("unit web", "web/1"): no times, no percentages.
std::map<std::string, std::string> linesOf(const Json& progress);

/// The lines of `now` that `before` has not, and one for each object that is gone.
std::vector<std::string> changesOf(const std::map<std::string, std::string>& before,
                                   const std::map<std::string, std::string>& now);

}  // namespace vcc::cli
