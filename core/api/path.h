// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vcc {

/// The decoded segments of a request target, in order: "/a/b" -> {"a","b"}, "/a/" -> {"a",""}. The query is cut off;
/// the absolute form (`https://host/a`) is accepted. kInvalidArgument for an escape that is not two hex digits, for a
/// NUL, for an encoded slash or backslash, and for bytes that are not UTF-8: each of them reads differently in some
/// other program, so none is guessed at.
Result<std::vector<std::string>> splitTarget(std::string_view target);

}  // namespace vcc
