// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/arguments.h"

namespace vcc::cli {

/// A subcommand of `vcc`, such as "token create".
struct Command {
  std::vector<std::string_view> words;
  std::string_view operands;  ///< of the usage line: "NAME"
  std::size_t operand_count;  ///< exactly so many, unless `optional` says otherwise
  std::string_view help;
  std::vector<OptionSpec> options;
  /// Does it and prints the result. An error of code kInvalidArgument is a wrong use.
  Status (*run)(const std::string& socket_path, const Arguments& arguments);
  int missing = 1;           ///< exit status when what the operand names does not exist
  int unasked = 1;           ///< exit status when the controller could not be asked
  std::size_t optional = 0;  ///< so many operands may be left out
};

const std::vector<Command>& commands();

}  // namespace vcc::cli
