// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "vcp/plugin/cpp/json.h"

namespace mock {

/// An IPv4 range in host byte order.
struct Network {
  std::uint32_t base = 0;
  int prefix = 32;

  std::uint32_t first() const;  ///< first address given out: the network, and the gateway after it, are left free
  std::uint32_t last() const;
  bool contains(std::uint32_t address) const;
};

/// How often an operation fails, and how.
struct Fault {
  enum class Kind : std::uint8_t {
    kRefused,  ///< an error with `code`, nothing changed
    kLost,     ///< the change was made, its answer was lost: unknown outcome
    kDropped,  ///< the request was lost: unknown outcome, nothing changed
    kPartial,  ///< of list: some of the machines, and no word that this was all
  };
  double probability = 0;
  Kind kind = Kind::kRefused;
  vcp::plugin::Code code = vcp::plugin::Code::kUnavailable;
  std::string name;  ///< as written
};

/// The cloud's behaviour, from the catalog entry (README.md). One entry = one view of the simulated cloud.
struct Knobs {
  Network network;
  std::string state_file;  ///< empty: the driver's default
  std::string access_key;  ///< empty: any credentials do
  std::int64_t latency_ms = 0;
  std::int64_t boot_ms = 3000;
  std::int64_t rate_per_s = 0;  ///< 0: no limit
  std::int64_t max_batch = 50;
  std::map<std::string, Fault, std::less<>> faults;  ///< by operation
};

/// Throws INVALID_ARGUMENT with the pointer of the bad value.
Knobs parseKnobs(std::string_view catalog_entry);

/// Checks cloud_params against the network of the entry; throws INVALID_ARGUMENT with the pointer.
void checkParams(const vcp::plugin::Json& params, const Network& network);

std::optional<std::uint32_t> parseIpv4(const std::string& text);
std::string formatIpv4(std::uint32_t address);

}  // namespace mock
