// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vcc {

/// The JSON object of a request body. Every error is kInvalidArgument and names the field. Unknown keys are ignored,
/// of repeated ones the last counts (choices.md).
class JsonBody {
 public:
  /// An empty body is an empty object. Refused: anything but one object, bytes that are not UTF-8, nesting deeper
  /// than 16.
  static Result<JsonBody> parse(const std::string& text);

  /// A string without NUL; `fallback` when the key is missing.
  Result<std::string> text(const std::string& key, const std::string& fallback) const;
  /// A whole number; `fallback` when the key is missing.
  Result<std::int64_t> integer(const std::string& key, std::int64_t fallback) const;
  /// "true"/"false" as the client sends it, or a JSON boolean; `fallback` when the key is missing.
  Result<bool> flag(const std::string& key, bool fallback) const;
  /// A list of strings; empty when the key is missing. At most `limit` entries.
  Result<std::vector<std::string>> texts(const std::string& key, std::size_t limit) const;
  /// The same, where a whole number stands for its text too.
  Result<std::vector<std::string>> words(const std::string& key, std::size_t limit) const;
  bool has(const std::string& key) const;

 private:
  struct Impl;
  enum class Items : std::uint8_t { kTexts, kTextsOrNumbers };
  Result<std::vector<std::string>> list(const std::string& key, std::size_t limit, Items items) const;
  explicit JsonBody(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace vcc
