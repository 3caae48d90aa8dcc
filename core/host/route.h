// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"

namespace vcc {

/// The address of this machine that packets to `address` (IPv4) would carry, by the kernel's routing table. Sends
/// nothing and does not block; kUnavailable when there is no route.
Result<std::string> sourceAddressTowards(const std::string& address);

}  // namespace vcc
