// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

/// Scripts for /bin/sh on a host, put together when this program is compiled (architecture 25).
namespace vcc {

/// A piece of a script, as it is written: lines, indented, with comments on lines of their own.
template <std::size_t N>
struct ScriptPart {
  consteval ScriptPart(const char (&written)[N]) {  // NOLINT(google-explicit-constructor)
    for (std::size_t i = 0; i < N; ++i) text.at(i) = written[i];
  }
  std::array<char, N> text{};
};

/// The command of a script: one argument of /bin/sh in single quotes on one line, so that the login shell of the user
/// does not matter.
template <std::size_t N>
struct ScriptText {
  std::array<char, N> text{};
  std::size_t size = 0;

  consteval void append(std::string_view more) {
    for (const char c : more) text.at(size++) = c;
  }
  /// Line for line, without indentation, comments and empty lines.
  consteval void appendLines(std::string_view written) {
    while (!written.empty()) {
      const std::size_t end = written.find('\n');
      std::string_view line = written.substr(0, end);
      written.remove_prefix(end == std::string_view::npos ? written.size() : end + 1);
      while (line.starts_with(' ')) line.remove_prefix(1);
      if (line.empty() || line.starts_with('#')) continue;
      if (line.find('\'') != std::string_view::npos) throw "a script stands in single quotes and cannot have its own";
      append(line);
      append(" ");
    }
  }
};

template <std::size_t... Sizes>
consteval auto makeScript(const ScriptPart<Sizes>&... parts) {
  constexpr std::string_view kOpen = "exec /bin/sh -c '";
  ScriptText<(Sizes + ... + (kOpen.size() + 1))> script;
  script.append(kOpen);
  (script.appendLines(std::string_view(parts.text.data(), Sizes - 1)), ...);
  script.append("'");
  return script;
}

}  // namespace vcc
