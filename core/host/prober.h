// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vcc {

/// A port that is asked again and again whether it answers.
struct ProbeTarget {
  std::string address;  ///< IPv4
  int port = 0;
  bool banner = true;  ///< it must greet like an ssh server; false: that it takes a connection is enough
  std::int64_t interval_ms = 30000;
};

struct ProbeResult {
  std::string id;
  bool answers = false;
  std::string why;  ///< when it does not: "connection refused"
};

/// Hears of the first answer of a port, of each answer that did not come, and of the first one after that. Called on
/// the prober's thread; must not block.
using ProbeReport = std::function<void(std::vector<ProbeResult>)>;

/// Asks many ports for years (architecture 26): the seam that simulation and tests replace. Thread safe, never blocks.
class Prober {
 public:
  virtual ~Prober() = default;
  /// From now on, or with another target than before; what was known of `id` is forgotten.
  virtual void watch(const std::string& id, const ProbeTarget& target) = 0;
  virtual void forget(const std::string& id) = 0;
};

}  // namespace vcc
