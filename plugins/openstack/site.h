// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/json.h"

namespace openstack {

constexpr std::int64_t kLargestVolumeGib = 65536;

/// What the administrator said of a driver instance, in its file of providers.d.
struct Settings {
  std::string instance;  ///< name of the instance, or the alias: marks what it makes
  std::string prefix;    ///< of catalog keys that only this instance has: "chameleon_"
  bool evaluation = false;
  vcp::plugin::Json options;  ///< site keys for every network; a catalog entry wins over them
};

/// Throws INVALID_ARGUMENT that names the option.
Settings parseSettings(std::string_view config);

enum class AuthType { kEither, kPassword, kApplicationCredential };

/// Where the system disk comes from.
enum class BootFrom {
  kAuto,   ///< a volume when the request gives its size or type, else the flavor's own disk
  kImage,  ///< the flavor's own disk, whatever the request says
  kVolume
};

struct Domain {
  std::string id;
  std::string name;
};

/// One network of one cloud: the catalog entry over the options of the instance.
struct Site {
  std::string auth_url;  ///< "https://keystone.example.org:5000/v3", no slash at its end
  AuthType auth = AuthType::kEither;
  std::string region;  ///< empty: the cloud has one only
  std::string interface = "public";
  Domain user_domain;
  Domain project_domain;
  std::string project_name;
  std::string project_id;
  std::string network_id;  ///< or network_name
  std::string network_name;
  std::string subnet_id;                     ///< empty: Neutron chooses
  std::vector<std::string> security_groups;  ///< ids or names; none: the project's default
  std::string default_image;
  std::string default_flavor;
  bool leased = false;  ///< the size of a machine comes from its lease (Blazar): users name no flavor
  BootFrom boot = BootFrom::kAuto;
  std::int64_t volume_size_gib = 0;
  std::string volume_type;
  std::string zone;         ///< of Nova
  std::string volume_zone;  ///< of Cinder
  std::optional<bool> config_drive;
  vcp::plugin::Json hints = vcp::plugin::Json::object();        ///< for the scheduler
  vcp::plugin::Json server_body = vcp::plugin::Json::object();  ///< merged into the request that makes a server
  std::string user_data_template;
  std::map<std::string, std::string> endpoints;  ///< instead of the catalog's: "compute", "network", "image", "volume"
  std::string ca_file;
  std::string ca_pem;
};

/// Throws INVALID_ARGUMENT with the JSON pointer of the bad value.
Site parseSite(std::string_view catalog_entry, const Settings& settings);

/// "01234567-89ab-cdef-0123-456789abcdef", also without hyphens.
bool isUuid(std::string_view text);

}  // namespace openstack
