// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "vcp/plugin/abi.h"

namespace vcp::check {

/// Maps the file into this process, for good. Null with the dynamic linker's words in `why`.
void* openLibrary(const std::string& path, std::string* why);

/// The entry of a plugin that passes the `abi` checks; throws Failed when it is not even readable.
const vcp_plugin_entry_t& openPlugin(const std::string& path);

bool isUtf8(std::string_view text);

/// Name of a status: "UNAVAILABLE".
std::string codeName(int code);
std::string outcomeName(int outcome);
/// "UNAVAILABLE, NOT_APPLIED: text"
std::string toText(const vcp_error_t& error);

}  // namespace vcp::check
