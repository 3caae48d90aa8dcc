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
  /// Line for line, without indentation, comments and empty lines. Character by character: under its sanitizers GCC 12
  /// cannot search a string_view while it compiles.
  template <std::size_t M>
  consteval void appendLines(const ScriptPart<M>& part) {
    std::size_t at = 0;
    const std::size_t end = M - 1;
    while (at < end) {
      while (at < end && part.text.at(at) == ' ') ++at;
      const bool kept = at < end && part.text.at(at) != '#' && part.text.at(at) != '\n';
      for (; at < end && part.text.at(at) != '\n'; ++at) {
        if (!kept) continue;
        if (part.text.at(at) == '\'') throw "a script stands in single quotes and cannot have its own";
        text.at(size++) = part.text.at(at);
      }
      if (kept) text.at(size++) = ' ';
      ++at;
    }
  }
};

template <std::size_t... Sizes>
consteval auto makeScript(const ScriptPart<Sizes>&... parts) {
  constexpr std::string_view kOpen = "exec /bin/sh -c '";
  ScriptText<(Sizes + ... + (kOpen.size() + 1))> script;
  script.append(kOpen);
  (script.appendLines(parts), ...);
  script.append("'");
  return script;
}

}  // namespace vcc
