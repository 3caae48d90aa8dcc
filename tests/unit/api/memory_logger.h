// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"

namespace vcc::test {

/// Keeps log lines for the tests to look at.
class MemoryLogger final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view text, std::initializer_list<LogField> fields) override {
    const std::lock_guard lock(mutex_);
    text_.append(id).append(" ").append(text);
    for (const LogField& field : fields) text_.append(" ").append(field.key).append("=").append(field.value);
    text_ += '\n';
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace vcc::test
