// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Dynamic/Var.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vcc::cli {

/// JSON that the controller sent, read without complaint: what is missing or of another type is empty.
class Json {
 public:
  Json() = default;
  /// Throws Poco::Exception when `text` is not JSON.
  static Json parse(const std::string& text);

  std::string text(const std::string& key) const;
  std::int64_t number(const std::string& key) const;
  bool flag(const std::string& key) const;
  Json at(const std::string& key) const;
  std::vector<Json> items(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;
  /// The whole again, indented.
  std::string pretty() const;
  /// The whole again, on one line.
  std::string line() const;

 private:
  explicit Json(const Poco::Dynamic::Var& value) : value_(value) {}
  Poco::Dynamic::Var value_;
};

/// A flat object as text.
using JsonField = std::pair<std::string, std::variant<std::string, std::int64_t>>;
std::string jsonObject(const std::vector<JsonField>& fields);

}  // namespace vcc::cli
