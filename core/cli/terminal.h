// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vcc::cli {

/// A size in characters.
struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool operator==(const TerminalSize&) const = default;
};

/// True when standard output is a terminal that understands ANSI sequences (TERM is set, and not `dumb`).
bool isTerminal();
TerminalSize terminalSize();

/// `text`, without control characters, cut so that it takes at most `columns` columns (East Asian wide characters take
/// two) and never inside a character.
std::string fitTo(const std::string& text, std::size_t columns);

/// What must be written to show `lines` in the place of the frame before. The cursor stays below the frame and no mode
/// of the terminal is changed, so whoever is interrupted between two frames leaves nothing behind.
class Redraw {
 public:
  std::string frame(const std::vector<std::string>& lines, TerminalSize size);

 private:
  std::size_t shown_ = 0;
  TerminalSize size_;
};

}  // namespace vcc::cli
