// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "live.h"

namespace vcp::check {

bool hasLiveHost() { return false; }

std::unique_ptr<LiveHost> makeLiveHost(const std::vector<std::string>&) {
  throw std::runtime_error("--live needs the vcp-plugin-check of the product; this one was built with the SDK alone");
}

}  // namespace vcp::check
