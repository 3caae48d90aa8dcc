// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vcc {

/// A text that must not leak: wiped when it dies, no stream or format operator, read only through `reveal()`.
class SecretString {
 public:
  SecretString() = default;
  /// Takes the text over and wipes what is left of `text`.
  explicit SecretString(std::string text);
  SecretString(const SecretString&) = default;
  SecretString& operator=(const SecretString& other);
  SecretString(SecretString&& other) noexcept;
  SecretString& operator=(SecretString&& other) noexcept;
  ~SecretString();

  /// The text itself. Every call site is a place to review.
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  std::size_t size() const { return text_.size(); }

 private:
  void wipe();
  std::string text_;
};

/// Compares in a time that depends only on the lengths.
bool constantTimeEqual(std::string_view a, std::string_view b);

}  // namespace vcc
