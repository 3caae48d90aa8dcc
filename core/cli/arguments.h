// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vcc::cli {

/// An option of a command: "--role" takes a value unless `value` is empty.
struct OptionSpec {
  std::string_view name;
  std::string_view value;
  std::string_view help;
  std::string_view short_name = "";  ///< "-t", or none
};

/// What was given on the command line for one command.
struct Arguments {
  std::map<std::string, std::string, std::less<>> options;  ///< by long name; flags hold "true"
  std::vector<std::string> positional;

  bool has(std::string_view name) const { return options.find(name) != options.end(); }
  std::string get(std::string_view name, std::string_view fallback = "") const;
};

/// Splits `words` by `specs`; "--name=value" and "--name value" are the same, "--" ends the options. kInvalidArgument
/// names the word that does not fit.
Result<Arguments> parseArguments(const std::vector<std::string>& words, const std::vector<OptionSpec>& specs);

}  // namespace vcc::cli
