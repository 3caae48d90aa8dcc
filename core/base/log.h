// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace vcc {

enum class Severity { kDebug, kInfo, kWarning, kError };

/// One `key=value` of a log line. Values are escaped by the sink; never pass a secret.
struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <typename T>
    requires std::integral<T> || std::floating_point<T>
  LogField(std::string_view k, T v) : key(k), value(fmt::to_string(v)) {}
};

/// Where log lines go. Passed in; there is no global logger. Thread safe.
///
/// Each line has a stable id such as `NODE_CREATE_OUTCOME_UNKNOWN`. Ids are listed, with cause and remedy, in
/// docs/log-messages.md; `scripts/check` compares the list with the sources, so write ids as literals in calls of
/// `debug`, `info`, `warn` and `error`.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void write(Severity severity, std::string_view id, std::string_view text,
                     std::initializer_list<LogField> fields) = 0;

  void debug(std::string_view id, std::string_view text, std::initializer_list<LogField> fields = {}) {
    write(Severity::kDebug, id, text, fields);
  }
  void info(std::string_view id, std::string_view text, std::initializer_list<LogField> fields = {}) {
    write(Severity::kInfo, id, text, fields);
  }
  void warn(std::string_view id, std::string_view text, std::initializer_list<LogField> fields = {}) {
    write(Severity::kWarning, id, text, fields);
  }
  void error(std::string_view id, std::string_view text, std::initializer_list<LogField> fields = {}) {
    write(Severity::kError, id, text, fields);
  }
};

/// Lines `2026-11-23T02:05:06.789Z INFO ID key=value ... text` to a file descriptor, one write(2) each.
/// `fd` is borrowed. Lines below `least` are dropped.
class FdLogger final : public Logger {
 public:
  FdLogger(int fd, Severity least) : fd_(fd), least_(least) {}
  void write(Severity severity, std::string_view id, std::string_view text,
             std::initializer_list<LogField> fields) override;

 private:
  int fd_;
  Severity least_;
};

/// Drops everything.
class NullLogger final : public Logger {
 public:
  void write(Severity, std::string_view, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace vcc
