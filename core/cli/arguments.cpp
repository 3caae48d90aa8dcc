// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <algorithm>

namespace vcc::cli {

std::string Arguments::get(std::string_view name, std::string_view fallback) const {
  const auto found = options.find(name);
  return found == options.end() ? std::string(fallback) : found->second;
}

Result<Arguments> parseArguments(const std::vector<std::string>& words, const std::vector<OptionSpec>& specs) {
  Arguments out;
  bool only_positional = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_positional || word.size() < 2 || word.front() != '-') {
      out.positional.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positional = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto spec = std::find_if(specs.begin(), specs.end(), [&name](const OptionSpec& option) {
      return option.name == name || (!option.short_name.empty() && option.short_name == name);
    });
    if (spec == specs.end()) return invalidArgument("there is no option " + name);
    std::string value = "true";
    if (spec->value.empty()) {
      if (equals != std::string::npos) return invalidArgument(name + " takes no value");
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return invalidArgument(name + " needs a value (" + std::string(spec->value) + ")");
    }
    out.options[std::string(spec->name)] = std::move(value);
  }
  return out;
}

}  // namespace vcc::cli
