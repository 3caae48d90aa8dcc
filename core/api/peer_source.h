// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vcc {

/// Who is counted as one where clients are limited: 4 bytes of an IPv4 address (also when it is mapped into IPv6), the
/// 8 upper bytes of an IPv6 address, of which a client may have all that follow, else the text itself.
std::string sourceOf(std::string_view peer);

}  // namespace vcc
