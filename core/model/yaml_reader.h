// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

/// Reading YAML from outside: the SDK's CCI, the VPN catalog. Every scalar stays the text that was written
/// (spec/sdk-cci 7.2): `1234`, `yes` and `12:34:56` are texts, conversion is up to who reads a field.
namespace vcc {

/// Bounds that hold while the text is being read, before anything is built from it.
struct YamlLimits {
  std::size_t bytes = 2U << 20U;
  std::size_t depth = 16;  ///< of maps and lists
  std::size_t values =
      20000;  ///< scalars (keys too), maps and lists together; also bounds brackets and commas, at 8 for each
  std::size_t scalar_bytes = 1U << 20U;
};

/// A document as a tree.
struct YamlValue {
  enum class Kind : unsigned char { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  bool plain = false;                                      ///< kScalar: written without quotes and not as a block
  std::string text;                                        ///< kScalar
  std::vector<YamlValue> items;                            ///< kList
  std::vector<std::pair<std::string, YamlValue>> members;  ///< kMap, in the order of the text, keys unique

  bool isNull() const { return kind == Kind::kNull; }
  bool isScalar() const { return kind == Kind::kScalar; }
  bool isList() const { return kind == Kind::kList; }
  bool isMap() const { return kind == Kind::kMap; }
  /// The member of a map, or null.
  const YamlValue* find(std::string_view key) const;
  /// "a text", "a list", "a map" or "empty", for messages.
  std::string_view kindName() const;

  static YamlValue scalar(std::string_view value);
  static YamlValue list() { return ofKind(Kind::kList); }
  static YamlValue map() { return ofKind(Kind::kMap); }
  static YamlValue texts(const std::vector<std::string>& values);
  /// Appends a member and returns it; the caller keeps keys unique.
  YamlValue& add(std::string_view key, YamlValue value);

  bool operator==(const YamlValue&) const = default;

 private:
  static YamlValue ofKind(Kind kind);
};

/// Reads exactly one document. kInvalidArgument, with line and column but never a value, for: malformed YAML or UTF-8,
/// control characters, anchors and aliases (so nothing can expand), tags, duplicate or composed keys, a second
/// document, and every limit. An empty text is a null document. Pure.
Result<YamlValue> readYaml(std::string_view text, const YamlLimits& limits = {});

/// A key from outside for a message: quoted, cleaned and cut.
std::string quoteKey(std::string_view key);

}  // namespace vcc
