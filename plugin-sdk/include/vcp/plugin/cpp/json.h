// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON for drivers. nlohmann-json (Debian: nlohmann-json3-dev) because it is header-only, so nothing is linked or
// exported; keeps parsing errors apart from crashes; bears deep nesting without recursion; and is maintained in every
// distribution that a site may build on. Drivers use only what is here and Json's own reading and writing functions.
// Link `vcp::plugin_json` to get it.

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "vcp/plugin/cpp/error.h"

namespace vcp::plugin {

using Json = nlohmann::json;

/// Parses a JSON object; an empty text is an empty object. `what` names it in the error ("catalog entry").
inline Json parseObject(std::string_view text, std::string_view what) {
  if (text.empty()) return Json::object();
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) {
    throw Error(Code::kInvalidArgument, Outcome::kNotApplied, std::string(what) + " is not a JSON object");
  }
  return value;
}

/// The text of a scalar member: strings as they are, numbers and booleans as JSON writes them. Nothing when the member
/// is absent or null. Throws INVALID_ARGUMENT with the pointer `base` + "/" + key for lists and objects.
inline std::optional<std::string> textOf(const Json& object, const std::string& key, std::string_view base) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return std::nullopt;
  if (it->is_string()) return it->get<std::string>();
  if (it->is_structured()) throw invalid(std::string(base) + "/" + key, "must be a single value");
  return it->dump();
}

/// A whole number from a JSON number or a string of digits, between `least` and `most`.
inline std::optional<std::int64_t> integerOf(const Json& object, const std::string& key, std::string_view base,
                                             std::int64_t least, std::int64_t most) {
  const std::optional<std::string> text = textOf(object, key, base);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (text->empty() || parsed.ec != std::errc() || parsed.ptr != end || value < least || value > most) {
    throw invalid(std::string(base) + "/" + key,
                  "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

}  // namespace vcp::plugin
