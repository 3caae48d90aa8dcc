// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vcc {

/// One file of providers.d: a driver instance.
struct ProviderConfig {
  std::string name;                    ///< of the instance; default: the file's name without .yml
  std::string plugin;                  ///< file name in plugin_dirs; default: <name>.so
  std::vector<std::string> providers;  ///< `cloud_provider` values it serves; empty: the driver's own
  bool enabled = true;
  bool critical = false;             ///< the server does not start without it
  bool log_calls = false;            ///< each call to the driver is shown in the log, decoded
  std::uint32_t concurrency = 0;     ///< calls at once, at most the driver's own limit; 0: that limit
  std::string sha256;                ///< hex; empty: not checked
  std::vector<std::string> origins;  ///< where its HTTP may go (origin_policy.h)
  std::string record_http;           ///< file in the data folder that its HTTP is written to; evaluation only
  std::string replay_http;           ///< file in the data folder that answers its HTTP; evaluation only
  std::string options = "{}";        ///< JSON object for the driver, scalars as strings
};

/// Reads the text of `file` into `out`. An error names file and key; what was understood is in `out` all the same, so
/// that a broken file can still be critical. Pure.
Status parseProviderConfig(std::string_view file, const std::string& text, ProviderConfig* out);

}  // namespace vcc
