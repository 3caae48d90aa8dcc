// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace YAML {
class Node;
}

/// The JSON of this folder; the one file that knows Poco::JSON.
namespace vcc {

/// A YAML map as a JSON object: every scalar a string, null null, lists and maps alike, at most 8 levels deep.
Result<std::string> yamlToJson(const YAML::Node& node);

/// The configuration that open_driver gets (vcp_plugin_entry_t.open_driver).
std::string openConfigJson(const std::string& instance, bool evaluation, const std::string& data_dir,
                           const std::string& options_json);

/// What core reads of a driver's schema.json.
struct SchemaKeys {
  std::vector<std::string> secret;  ///< properties marked x-vcp-secret
  std::vector<std::string> clear;   ///< the others
};
Result<SchemaKeys> schemaKeys(const std::string& schema_json);

/// Kinds of values, numerically equal to the plugin ABI's.
enum class JsonType : std::int32_t { kNull = 1, kBoolean, kNumber, kString, kArray, kObject };

/// A value and its text: a string's own, JSON of all others.
struct JsonValue {
  JsonType type = JsonType::kNull;
  std::string text;
};

/// Most bytes and levels of a document that the functions below read.
constexpr std::size_t kMaxJsonBytes = std::size_t{8} << 20U;
constexpr int kMaxJsonDepth = 64;

/// The value at `pointer` (RFC 6901) of a document; kNotFound, or kInvalidArgument for bad JSON or a bad pointer.
Result<JsonValue> jsonAt(std::string_view document, std::string_view pointer);
/// Gives each member of the array (without a name) or object at `pointer` to `visit` until that says false.
/// kInvalidArgument also for other values.
Status jsonEach(std::string_view document, std::string_view pointer,
                const std::function<bool(std::string_view name, const JsonValue& value)>& visit);
/// `text` as a JSON string with its quotes; kInvalidArgument when it is not UTF-8 or too long.
Result<std::string> jsonQuote(std::string_view text);

}  // namespace vcc
