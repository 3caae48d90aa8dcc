// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "plugin_host/account_gate.h"

namespace vcc {

/// One file of providers.d: a driver instance, or one for each of its aliases.
struct ProviderConfig {
  std::string name;                    ///< of the instance; default: the file's name without .yml
  std::string plugin;                  ///< file name in plugin_dirs; default: <name>.so
  std::vector<std::string> providers;  ///< `cloud_provider` values it serves; empty: the driver's own
  bool enabled = true;
  bool critical = false;                  ///< the server does not start without it
  bool log_calls = false;                 ///< each call to the driver is an info line
  std::uint32_t concurrency = 0;          ///< calls at once, at most the driver's own limit; 0: that limit
  std::string sha256;                     ///< hex; empty: not checked
  std::vector<std::string> origins;       ///< where its HTTP may go (origin_policy.h)
  std::vector<std::string> origins_from;  ///< catalog keys whose URLs name hosts where it may go (catalog_origins.h)
  HttpLimits rate;                        ///< of its HTTP, per account
  std::string record_http;                ///< file in the data folder that its HTTP is written to; evaluation only
  std::string replay_http;                ///< file in the data folder that answers its HTTP; evaluation only
  std::string options = "{}";             ///< JSON object for the driver, scalars as strings
  /// Not empty: the file itself is no instance; each of these is, with what it does not set taken from the file, and
  /// its options over those of the file.
  std::vector<ProviderConfig> aliases;
};

/// Reads the text of `file` into `out`. An error names file and key; what was understood is in `out` all the same, so
/// that a broken file can still be critical. Pure.
Status parseProviderConfig(std::string_view file, const std::string& text, ProviderConfig* out);

}  // namespace vcc
