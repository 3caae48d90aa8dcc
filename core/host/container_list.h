// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "host/host.h"

namespace vcc {

/// Reads one line of the engine's answer, a JSON array [id, name, status, running, started, labels]: its values,
/// without the rest of the container's description, which holds secrets. What the host says is hostile: kInternal for
/// anything else.
Result<FoundContainer> parseContainer(std::string_view json);

/// "2026-11-23T02:05:06.789012345Z" or with an offset such as +09:00, in wall milliseconds. 0 for the engine's "never"
/// (year 1) and for what is no time.
std::int64_t parseEngineTime(std::string_view text);

}  // namespace vcc
