// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vcc {

/// Source of random bytes. Thread safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
};

/// The kernel's generator: fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

/// Repeatable bytes from a seed, for tests and simulation. Never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  /// The generator is a mixed counter, so one atomic addition keeps it safe between threads.
  std::atomic<std::uint64_t> state_;
};

/// A new identifier: 32 lower-case hex characters (128 random bits).
std::string newId(Random& random);
/// `bytes` random bytes as lower-case hex.
std::string randomHex(Random& random, std::size_t bytes);
/// True for exactly 32 lower-case hex characters.
bool isId(std::string_view text);

}  // namespace vcc
