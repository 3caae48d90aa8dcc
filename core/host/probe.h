// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "host/deadline.h"

namespace vcc {

/// ok when the first bytes from address:port are "SSH-". Sends nothing. kUnavailable otherwise.
Status probeSshBanner(const std::string& address, int port, const Deadline& deadline);

}  // namespace vcc
