// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "cli/json.h"

namespace vcc::cli {

/// One request to the controller over its admin socket. Blocks up to 30 s. Errors name the socket, the cause and the
/// remedy; a refusal of the controller carries the controller's own words.
Result<Json> askController(const std::string& socket_path, const std::string& method, const std::string& path,
                           const std::string& body);

}  // namespace vcc::cli
