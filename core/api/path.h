// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
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

/// The query of a request target: "/a?b=c&d" -> {"b": "c", "d": ""}; `+` is a space. kInvalidArgument as above, for a
/// name that is there twice, and for more than 16 of them.
Result<std::map<std::string, std::string, std::less<>>> splitQuery(std::string_view target);

}  // namespace vcc
