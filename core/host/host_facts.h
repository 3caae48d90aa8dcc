// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "host/script_answer.h"

namespace vcc {

/// What the script of a look said of the machine itself. What a host says is hostile: unreadable parts are left out.
HostFacts readFacts(const ScriptAnswer& answer, const std::string& address);

/// Those of `ports` that something listens on at `address`, from lines "0B00007F:1F90" of /proc/net/tcp and tcp6.
std::vector<int> portsTaken(const std::vector<std::string>& listeners, std::string_view address,
                            const std::vector<int>& ports);

}  // namespace vcc
