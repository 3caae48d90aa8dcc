// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/json.h"

namespace sakura {

/// A VPN catalog entry.
struct Entry {
  std::string zone;
  std::string endpoint;       ///< up to ".../api/cloud/1.1"
  std::string switch_id;      ///< of the private network
  std::string gateway;        ///< default route of the machines; empty: none
  int prefix_len = 0;         ///< of the private network
  std::string default_image;  ///< id or name of an archive; empty: cloud_image must name one
};

/// What a user asks for a machine.
struct MachineSpec {
  std::int64_t cores = 0;
  std::int64_t memory_gb = 0;
  std::int64_t disk_gb = 0;
  std::string disk_plan;  ///< id of the plan
  std::string image;      ///< "default", or id or name of an archive
};

struct Credentials {
  std::string token;
  std::string secret;
};

/// Each throws vcp::plugin::Error that names the bad value by its JSON pointer. `evaluation`: the endpoint may be
/// another one, also in clear.
Entry parseEntry(std::string_view catalog_entry, bool evaluation);
MachineSpec parseMachine(const vcp::plugin::Json& cloud_params);
void checkSecrets(const vcp::plugin::Json& cloud_params);
void checkAddresses(const vcp::plugin::Json& cloud_params);
/// Throws kUnauthenticated.
Credentials parseCredentials(std::string_view credentials);

/// Is it 12 digits, as every id of this cloud?
bool isId(std::string_view text);

}  // namespace sakura
