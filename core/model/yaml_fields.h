// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/yaml_reader.h"

namespace vcc {

/// The fields of one map, read by name: converts on demand, remembers which keys were asked for, and names the field in
/// every error ("unit.params.v[2]: ..."). No error repeats a value: any of them may be a secret.
///
/// A field that is missing, null or (with `none_is_unset`) the bare word None of Python is unset. Not thread safe.
class YamlFields {
 public:
  /// `map` is borrowed; a null value reads as an empty map, other kinds are refused by `of`.
  static Result<YamlFields> of(const YamlValue& map, std::string path, bool none_is_unset);

  /// True when the key is there, also with a null.
  bool has(std::string_view key);
  /// The value, or null when it is unset.
  const YamlValue* get(std::string_view key);
  /// The text of a scalar, or `fallback`.
  Result<std::string> text(std::string_view key, std::string_view fallback = {});
  /// A decimal number without sign; kInvalidArgument outside `least`..`most` (at most nine digits).
  Result<std::optional<std::int64_t>> number(std::string_view key, std::int64_t least, std::int64_t most);
  /// The texts of a list; empty when unset.
  Result<std::vector<std::string>> texts(std::string_view key);
  /// The same, where one text may stand for a list of one.
  Result<std::vector<std::string>> textOrTexts(std::string_view key);

  /// kInvalidArgument "path.key: cause", or "path.key[index]: cause".
  Status error(std::string_view key, std::string_view cause) const;
  Status error(std::string_view key, std::size_t index, std::string_view cause) const;
  /// "path.key", cleaned.
  std::string pathOf(std::string_view key) const;
  /// Keys that nobody asked for.
  std::vector<std::string> unread() const;

 private:
  YamlFields(const YamlValue& map, std::string path, bool none_is_unset)
      : map_(&map), path_(std::move(path)), none_is_unset_(none_is_unset) {}
  bool isUnset(const YamlValue& value) const;

  const YamlValue* map_;
  std::string path_;
  bool none_is_unset_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace vcc
