// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace vcc {

/// The IPv4 addresses of this machine's interfaces, without loopback: none of them may be used as an existing server.
std::vector<std::string> ownAddresses();

}  // namespace vcc
