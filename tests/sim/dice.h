// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace vcc::sim {

/// The one source of chance of a run.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 0x632BE59BD9B4E019U) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  /// 0 .. sides - 1.
  std::uint64_t roll(std::uint64_t sides) { return sides < 2 ? 0 : next() % sides; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(roll(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool chance(double probability) { return static_cast<double>(next() >> 11U) * 0x1p-53 < probability; }
  /// Mostly short, sometimes as long as `most`: each doubling is equally likely.
  std::int64_t skewed(std::int64_t most) {
    std::int64_t value = most;
    while (value > 1 && chance(0.5)) value /= 2;
    return between(value / 2, value);
  }

 private:
  std::uint64_t state_;
};

/// What happened in a run, as one number: equal runs have equal traces.
class Trace {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0xFF);
  }
  void add(std::int64_t number) {
    hash_ ^= static_cast<std::uint64_t>(number);
    hash_ *= 0x100000001B3U;
    hash_ ^= hash_ >> 29U;
  }
  std::uint64_t hash() const { return hash_; }

 private:
  void mix(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3U; }
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace vcc::sim
