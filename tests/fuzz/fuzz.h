// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

/// What the fuzzers share. Each has one entry, LLVMFuzzerTestOneInput; an input that breaks `require`, or a sanitizer's
/// rule, ends the program and is written to a file.
namespace fuzz {

inline std::string text(const std::uint8_t* data, std::size_t size) { return {data, data + size}; }

inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", rule);
  std::abort();
}

}  // namespace fuzz
