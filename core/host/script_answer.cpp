// SPDX-License-Identifier: Apache-2.0
#include "host/script_answer.h"

namespace vcc {
namespace {

constexpr std::string_view kMark = "vcp ";

/// Takes a line off the front of `rest`.
std::string_view takeLine(std::string_view& rest) {
  auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return line;
}

}  // namespace

ScriptAnswer::ScriptAnswer(std::string_view printed) {
  bool framed = false;
  while (!printed.empty()) {
    std::string_view line = takeLine(printed);
    if (!line.starts_with(kMark)) {
      if (framed) output_.append(line).push_back('\n');
      continue;
    }
    line.remove_prefix(kMark.size());
    if (line == "output") {
      framed = true;
    } else {
      complete_ = line == "end";
      lines_.emplace_back(line);
    }
  }
  output_.erase(output_.find_last_not_of(" \n") + 1);
}

std::vector<std::string> ScriptAnswer::values(std::string_view word) const {
  std::vector<std::string> found;
  for (const auto& line : lines_) {
    if (line == word) {
      found.emplace_back();
    } else if (line.starts_with(word) && line[word.size()] == ' ') {
      found.push_back(line.substr(word.size() + 1));
    }
  }
  return found;
}

std::optional<std::string> ScriptAnswer::value(std::string_view word) const {
  auto found = values(word);
  if (found.empty()) return std::nullopt;
  return found.back();
}

}  // namespace vcc
