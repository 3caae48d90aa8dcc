// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/encoding.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

/// The code point that begins at `at` of well-formed UTF-8, and its length in bytes.
char32_t codePoint(const std::string& text, std::size_t at, std::size_t& length) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t point = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) point = point << 6U | (byte(at + i) & 0x3FU);
  return point;
}

/// The blocks that terminals show two columns wide: Hangul, CJK and its forms, emoji.
bool isWide(char32_t point) {
  return (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
         (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
         (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
         (point >= 0xFFE0 && point <= 0xFFE6) || (point >= 0x1F300 && point <= 0x1FAFF) ||
         (point >= 0x20000 && point <= 0x3FFFD);
}

}  // namespace

bool isTerminal() {
  const char* const term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

TerminalSize terminalSize() {
  winsize window{};
  TerminalSize size;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0) return size;
  if (window.ws_col > 0) size.columns = window.ws_col;
  if (window.ws_row > 0) size.rows = window.ws_row;
  return size;
}

std::string fitTo(const std::string& text, std::size_t columns) {
  const std::string clean = printable(cleanUtf8(text, text.size() * 3));
  std::size_t used = 0;
  std::size_t end = 0;
  while (end < clean.size()) {
    std::size_t length = 0;
    const std::size_t width = isWide(codePoint(clean, end, length)) ? 2 : 1;
    if (used + width > columns) break;
    used += width;
    end += length;
  }
  return clean.substr(0, end);
}

std::string Redraw::frame(const std::vector<std::string>& lines, TerminalSize size) {
  std::string out;
  // After a change of size the lines above may have been folded: nobody knows where the frame began.
  if (shown_ > 0 && size != size_) {
    out = "\x1b[2J\x1b[H";
  } else if (shown_ > 0) {
    out = "\x1b[" + std::to_string(shown_) + "A\r";
  }
  const std::size_t most = std::max<std::size_t>(size.rows, 2) - 1;
  shown_ = std::min(lines.size(), most);
  size_ = size;
  for (std::size_t i = 0; i < shown_; ++i) out += fitTo(lines[i], size.columns) + "\x1b[K\n";
  return out + "\x1b[J";
}

}  // namespace vcc::cli
