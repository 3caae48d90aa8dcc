// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kIdBytes = 16;

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): turns a counter into well spread bits.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15U;

}  // namespace

void SystemRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      // Going on with predictable bytes would be worse than ending.
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    std::uint64_t word = mix(state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma);
    const std::size_t count = std::min(out.size(), sizeof word);
    for (std::size_t i = 0; i < count; ++i, word >>= 8U) out[i] = static_cast<std::uint8_t>(word & 0xffU);
    out = out.subspan(count);
  }
}

std::string newId(Random& random) { return randomHex(random, kIdBytes); }

std::string randomHex(Random& random, std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  random.fill(raw);
  return hexEncode(std::string(raw.begin(), raw.end()));
}

bool isId(std::string_view text) {
  return text.size() == 2 * kIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace vcc
