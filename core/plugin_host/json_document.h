// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/secret_string.h"
#include "base/status.h"

/// JSON as drivers in plain C read it. The one file that knows nlohmann-json, which the SDK's C++ layer wraps too: what
/// clouds answer may be large, and a tree of Poco::JSON takes 2.3 GiB and 13 s for the worst 8 MiB. Answers may hold
/// tokens, so whatever is made of a document is wiped when it goes.
namespace vcc {

/// Kinds of values, numerically equal to the plugin ABI's.
enum class JsonType : std::int32_t { kNull = 1, kBoolean, kNumber, kString, kArray, kObject };

/// A value and its text: a string's own, JSON of all others. It may be a token that a cloud gave.
struct JsonValue {
  JsonType type = JsonType::kNull;
  SecretString text;
};

/// Most bytes and levels of a document.
constexpr std::size_t kMaxJsonBytes = std::size_t{8} << 20U;
constexpr int kMaxJsonDepth = 64;

/// The value at `pointer` (RFC 6901) of a document; kNotFound, or kInvalidArgument for bad JSON or a bad pointer.
Result<JsonValue> jsonAt(std::string_view document, std::string_view pointer);
/// Gives each member of the array (without a name) or object at `pointer` to `visit` until that says false.
/// kInvalidArgument also for other values.
Status jsonEach(std::string_view document, std::string_view pointer,
                const std::function<bool(std::string_view name, const JsonValue& value)>& visit);
/// `text` as a JSON string with its quotes; kInvalidArgument when it is not UTF-8 or too long.
Result<SecretString> jsonQuote(std::string_view text);

}  // namespace vcc
