// SPDX-License-Identifier: Apache-2.0
#include "engine/host_needs.h"

#include <fmt/format.h>

#include <algorithm>

namespace vcc {

std::vector<std::string> registriesOf(const std::string& controller, const std::vector<std::string>& others) {
  std::vector<std::string> registries{controller + ":5000", controller + ":5001"};
  for (const std::string& other : others) {
    if (std::ranges::find(registries, other) == registries.end()) registries.push_back(other);
  }
  return registries;
}

std::string checkHint(const std::string& address) {
  return fmt::format("the administrator's `vcc onprem check {}` shows what the server lacks", address);
}

}  // namespace vcc
