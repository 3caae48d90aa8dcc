// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vcp/plugin/ext/http.h"

namespace vcp::check {

/// HTTP to real clouds, as the controller does it.
class LiveHost {
 public:
  virtual ~LiveHost() = default;
  virtual const vcp_http_t* http() const = 0;
};

/// Is this a build of the product, which has the host's HTTP? The one of the SDK alone has none.
bool hasLiveHost();

/// `origins`: patterns as in providers.d. Throws std::runtime_error when they are wrong, or without hasLiveHost().
std::unique_ptr<LiveHost> makeLiveHost(const std::vector<std::string>& origins);

}  // namespace vcp::check
