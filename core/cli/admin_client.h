// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "cli/json.h"

namespace vcc::cli {

/// One request to the controller over its admin socket. Blocks up to 30 s. Errors name the socket, the cause and the
/// remedy; a refusal of the controller carries the controller's own words, kNotFound when what `path` names is not
/// there.
Result<Json> askController(const std::string& socket_path, const std::string& method, const std::string& path,
                           const std::string& body);

/// `text` as a segment of a path or a value of a query.
std::string urlPart(const std::string& text);

}  // namespace vcc::cli
