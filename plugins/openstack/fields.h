// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vcp/plugin/cpp/json.h"

namespace openstack {

/// One line of text without control characters; also none at all.
bool isLine(std::string_view text);

/// A whole number between `least` and `most`; throws INVALID_ARGUMENT with `pointer`.
std::int64_t numberAt(const std::string& pointer, const std::string& text, std::int64_t least, std::int64_t most);

// Members of a cloud's answer, which may lack or have them of any type.

/// The text of a member; empty when it is something else.
std::string textIn(const vcp::plugin::Json& object, const char* key);
/// A member that is an object or a list; an empty one when it is something else.
const vcp::plugin::Json& partOf(const vcp::plugin::Json& object, const char* key);

/// Percent-encoded for a query or a path.
std::string encoded(std::string_view text);

}  // namespace openstack
