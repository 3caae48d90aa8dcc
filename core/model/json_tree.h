// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "model/yaml_reader.h"

/// Trees as JSON text. Scalars are always JSON strings: no reader may guess a type again.
namespace vcc {

/// The tree as JSON on one line, keys in their order.
std::string toJson(const YamlValue& tree);
/// The text as a JSON string with its quotes; also a YAML double-quoted scalar.
std::string quoteJson(std::string_view text);
/// JSON of any kind as a tree; numbers and booleans become their text. kInvalidArgument when it is not JSON or nested
/// deeper than 64.
Result<YamlValue> treeFromJson(std::string_view json);

}  // namespace vcc
