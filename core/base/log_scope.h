// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace vcc {

/// While it lives, each line that its thread writes to an FdLogger begins with `key=value`, whatever part of the
/// program writes it: the id of the request that is served, for example. Scopes nest; each ends in the thread that made
/// it.
class LogScope {
 public:
  LogScope(std::string_view key, std::string value) : field_(key, std::move(value)), outer_(innermost) {
    innermost = this;
  }
  ~LogScope() { innermost = outer_; }
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

  /// Calls `visit` with the field of each scope of this thread, innermost first.
  template <typename Visit>
  static void visitAll(Visit visit) {
    for (const LogScope* scope = innermost; scope != nullptr; scope = scope->outer_) visit(scope->field_);
  }

 private:
  inline static thread_local const LogScope* innermost = nullptr;
  LogField field_;
  const LogScope* outer_;
};

}  // namespace vcc
