// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/existing_servers.h"

/// From a look at an existing server to what an administrator is told of it. Pure.
namespace vcc {

struct ServerContext {
  HostTarget target;  ///< where the look logged in
  int ssh_port = 0;   ///< where it ought to
  HostNeeds needs;
  std::string vcc_id;
  std::string claim;  ///< who has the server by our records; empty = nobody
};

std::vector<ServerFinding> findingsOf(const HostReport& seen, const ServerContext& context);

/// Of a login that failed.
ServerFinding loginFinding(const Status& error, const HostTarget& target, const std::string& public_key);

}  // namespace vcc
