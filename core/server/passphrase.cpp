// SPDX-License-Identifier: Apache-2.0
#include "server/passphrase.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <string>

namespace vcc {
namespace {

constexpr std::size_t kLongest = 1024;

/// A terminal that shows nothing of what is typed, until the end of this object.
class NoEcho {
 public:
  NoEcho() {
    if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    terminal_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    if (terminal_) std::cerr << "Pass phrase of the master key: " << std::flush;
  }
  ~NoEcho() {
    if (!terminal_) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::cerr << '\n';
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool terminal_ = false;
};

}  // namespace

Result<SecretString> readPassphrase() {
  const NoEcho quiet;
  std::string line;
  line.reserve(kLongest + 1);  // it never moves, so it leaves no copy behind
  char c = 0;
  while (line.size() <= kLongest) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n') break;
    line += c;
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const bool usable = !line.empty() && line.size() <= kLongest;
  SecretString phrase(std::move(line));
  if (usable) return phrase;
  return failedPrecondition(
      "--passphrase: standard input gave no line of 1 to 1024 bytes; type the pass phrase, or pipe it in");
}

}  // namespace vcc
