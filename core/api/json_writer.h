// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vcc {

/// Appends JSON to a string: correct escapes, always UTF-8 (malformed bytes become U+FFFD), commas by itself. The
/// caller keeps the nesting right. Nothing here ever writes null: the published client breaks on it (rest-protocol 7).
class JsonWriter {
 public:
  JsonWriter& beginObject() { return open('{'); }
  JsonWriter& endObject() { return close('}'); }
  JsonWriter& beginArray() { return open('['); }
  JsonWriter& endArray() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& boolean(bool value);
  /// Text that is JSON already.
  JsonWriter& raw(std::string_view json);

  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  std::size_t size() const { return out_.size(); }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void comma();
  void quote(std::string_view text);

  std::string out_;
  bool first_ = true;  ///< no value yet at this level, or a key was just written
};

}  // namespace vcc
