// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "catalog/catalog.h"
#include "plugin_host/provider_config.h"

namespace vcc {

/// Where the HTTP of a driver instance may go: `origins` of its file, and the host, on any port, of each URL that the
/// catalog gives for a key in `origins_from` to a provider in `providers` (architecture 16). A value may be a URL, or a
/// list or map of them. What is no URL is left out with a warning. Pure but for the log.
std::vector<std::string> allowedOrigins(const ProviderConfig& config, const std::vector<std::string>& providers,
                                        const Catalog& catalog, Logger& log);

}  // namespace vcc
