// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vcc {

/// What a script of remote_commands.h printed. Lines of others, such as a greeting from a start-up file, are skipped.
class ScriptAnswer {
 public:
  explicit ScriptAnswer(std::string_view printed);

  /// The script ran to its end. False: it was cut off, or something else ran.
  bool complete() const { return complete_; }
  /// What follows "vcp WORD" on the last line that has it; empty text for the bare word, nothing without it.
  std::optional<std::string> value(std::string_view word) const;
  /// The same for each such line.
  std::vector<std::string> values(std::string_view word) const;
  /// What lies between "vcp output" and the script's own last lines, trimmed.
  const std::string& output() const { return output_; }

 private:
  std::vector<std::string> lines_;  // without "vcp "
  std::string output_;
  bool complete_ = false;
};

}  // namespace vcc
