// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vcp::check {

/// Credentials of one account, with the values in them that must never be seen elsewhere.
struct Grant {
  std::string credentials;
  std::vector<std::string> secrets;
};

/// What the author tells of a driver (docs/conformance.md). Texts are JSON unless they are said to be plain.
struct Case {
  std::string provider;  ///< plain
  std::string catalog_entry = "{}";
  std::string cloud_params = "{}";
  std::string disk_params;  ///< cloud_params of a data disk; empty: not given
  std::string options = "{}";
  std::string cloud_options = "{}";
  Grant first;
  Grant second;                 ///< empty credentials: there is no second account
  std::string bad_credentials;  ///< empty: not given
  struct BadSpec {
    std::string cloud_params;
    std::string catalog_entry;
    std::string pointer;  ///< plain
  };
  std::vector<BadSpec> bad_specs;
  std::vector<std::string> addresses;  ///< plain; free for the items of the checks
  std::string bad_address;             ///< plain; refused for its item only. Empty: not given
  std::vector<std::string> driver_states;
  std::vector<std::string> origins;  ///< with --live

  std::int64_t check_ms = 0;            ///< real time for one check; 0: 30 s, live an hour
  std::int64_t create_ms = 3'600'000;   ///< time of the cloud until create is done
  std::int64_t boot_ms = 1'800'000;     ///< and until the machine runs
  std::int64_t destroy_ms = 3'600'000;  ///< and until it is gone
  std::size_t batch = 5;                ///< items in the checks of batches, at most
};

/// Throws std::runtime_error naming the member that is wrong. `overrides`: "KEY=VALUE" for `options`.
Case readCase(const std::string& path, const std::vector<std::string>& overrides);

/// Its accounts, borrowed: the first, and the second where there is one.
std::vector<const Grant*> grantsOf(const Case& of);

}  // namespace vcp::check
