// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "site.h"
#include "vcp/plugin/cpp/json.h"

namespace openstack {

using Tags = std::map<std::string, std::string>;

/// Metadata of our own; the prefix is refused to users.
constexpr char kTagPrefix[] = "vcp:";
constexpr char kTagController[] = "vcp:vcc";     ///< vcc_id: tells our objects from those of others
constexpr char kTagProvider[] = "vcp:provider";  ///< the driver instance: tells those of one controller apart
constexpr char kTagOp[] = "vcp:op";              ///< op id of the create
constexpr char kTagName[] = "vcp:name";          ///< the minted name
constexpr char kTagTitle[] = "vcp:title";        ///< what people call it

struct MachineSpec {
  std::string flavor;  ///< name or id
  std::string image;   ///< name or id
  bool boots_from_volume = false;
  std::int64_t volume_size_gib = 0;
  std::string volume_type;
  std::string reservation;  ///< of Blazar; empty: none
  Tags tags;                ///< the user's
};

struct DiskSpec {
  std::int64_t size_gib = 0;
  std::string type;
  std::string image;  ///< empty: blank
  Tags tags;
};

struct Credentials {
  bool is_application = false;
  std::string user;    ///< name, or id of an application credential
  std::string secret;  ///< password, or secret of an application credential
};

// All of these throw INVALID_ARGUMENT with the JSON pointer of the bad value.

MachineSpec parseMachine(const vcp::plugin::Json& cloud_params, const Site& site);
DiskSpec parseDisk(const vcp::plugin::Json& cloud_params);
/// UNAUTHENTICATED when the credentials are not of a kind that the site takes.
Credentials parseCredentials(std::string_view credentials, const Site& site);

/// What only validate looks at, because create gets it otherwise: secrets that are missing, addresses, volumes.
void checkSecrets(const vcp::plugin::Json& cloud_params, const Site& site);
void checkAddresses(const vcp::plugin::Json& cloud_params);
void checkVolumes(const vcp::plugin::Json& cloud_params);

}  // namespace openstack
