// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "host/deadline.h"

namespace vcc {

/// How every ssh server begins (RFC 4253, 4.2).
inline constexpr std::string_view kGreeting = "SSH-";

/// ok when the first bytes from address:port are "SSH-". Sends nothing. kUnavailable otherwise.
Status probeSshBanner(const std::string& address, int port, const Deadline& deadline);

}  // namespace vcc
