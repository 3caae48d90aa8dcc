// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include "base/encoding.h"
#include "base/log_scope.h"

namespace vcc {
namespace {

/// Bounds a line: one value may come from a hostile node or cloud.
constexpr std::size_t kValueLimit = 2000;

std::string_view severityName(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "DEBUG";
    case Severity::kInfo:
      return "INFO";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kError:
      return "ERROR";
  }
  return "ERROR";
}

bool isControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

/// Appends well-formed text on one line: nothing in it can end the line or command a terminal. `quoted` also
/// escapes quotes. A backslash is escaped always, so that what was written can be told from what is an escape.
void appendEscaped(std::string& out, std::string_view text, bool quoted) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\' || (quoted && c == '"')) {
      out += '\\';
      out += c;
    } else if (isControl(c)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else if (byte == 0xC2 && next < 0xA0) {  // U+0080..U+009F: the second set of control characters
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", next);
      ++i;
    } else {
      out += c;
    }
  }
}

bool needsQuotes(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
           return isControl(c) || c == ' ' || c == '"' || c == '=' || c == '\\' ||
                  static_cast<unsigned char>(c) >= 0x80;
         });
}

std::string bounded(std::string_view text) {
  std::string clean = cleanUtf8(text, kValueLimit);
  if (clean.size() + 3 > kValueLimit && text.size() > clean.size()) clean += "...";
  return clean;
}

void appendField(std::string& out, const LogField& field) {
  out += ' ';
  out += field.key;
  out += '=';
  const std::string value = bounded(field.value);
  const bool quoted = needsQuotes(value);
  if (quoted) out += '"';
  appendEscaped(out, value, quoted);
  if (quoted) out += '"';
}

void appendTime(std::string& out) {
  using std::chrono::floor;
  const auto now = floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto day = floor<std::chrono::days>(now);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{now - day};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                 time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

}  // namespace

void FdLogger::write(Severity severity, std::string_view id, std::string_view text,
                     std::initializer_list<LogField> fields) {
  if (severity < least_) return;
  std::string line;
  appendTime(line);
  line += ' ';
  line += severityName(severity);
  line += ' ';
  line += id;
  LogScope::visitAll([&line](const LogField& field) { appendField(line, field); });
  for (const LogField& field : fields) appendField(line, field);
  line += ' ';
  appendEscaped(line, bounded(text), false);
  line += '\n';
  // One write keeps lines of several threads apart. A log that cannot be written must not stop the controller, so
  // what a full disk or a closed pipe refuses is lost.
  while (::write(fd_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace vcc
