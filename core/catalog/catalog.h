// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/log.h"
#include "base/status.h"
#include "model/cci.h"

/// The VPN catalog: the administrator's list of networks per provider (spec/operations 9.3, choices.md "catalog keys of
/// every provider").
namespace vcc {

/// The keys that core itself understands, of one entry.
struct CatalogEntry {
  std::string provider;
  std::string name;
  std::optional<Cidr> private_network;  ///< private_network_ipmask
  std::vector<std::string> ntp_servers;
  std::vector<std::string> dns_servers;  ///< cloud_instance_dns_servers
  int ssh_port = 20022;
  int ready_port = 22;  ///< 0 = `none`
  std::int64_t boot_deadline_s = 960;
  std::int64_t release_timeout_s = 300;
  std::vector<std::string> allowed_hosts;  ///< addresses or ranges of existing servers; empty = private_network or any
  std::optional<bool> allow_host_mounts;
  std::string host_mount_prefix;
  /// The whole entry as JSON, scalars as strings, for the driver (keys are normalised: `aws_vcp_*` -> `aws_vpc_*`).
  std::string json = "{}";
};

/// An immutable catalog. Swapped as a whole at reload.
class Catalog {
 public:
  /// Parses and checks the YAML text. kInvalidArgument names provider, entry and key. An unknown key of core's own
  /// kind is an error; keys that start with a provider's prefix belong to the driver. An empty text is a catalog
  /// with no entries.
  static Result<Catalog> parse(std::string_view yaml);
  /// Reads and parses a file; a missing file is an empty catalog with a warning.
  static Result<Catalog> load(FileSystem& files, const std::string& path, Logger& log);

  /// The entry, with the fallbacks of the product: `aws_spot` -> `aws`, a missing `onpremises` entry -> an empty one.
  /// kInvalidArgument when there is none, naming provider, entry, file key and remedy.
  Result<CatalogEntry> entry(std::string_view provider, std::string_view name) const;

  /// The tree of GET /vpn_catalog: {"cci_version": "1.0", provider: {name: {key: value}}} as JSON text.
  const std::string& wireJson() const { return wire_json_; }

  std::vector<std::string> providers() const;

  /// The entries that `entry` can give for a provider. They live as long as the catalog.
  std::vector<const CatalogEntry*> entriesOf(std::string_view provider) const;

 private:
  std::map<std::string, std::map<std::string, CatalogEntry>, std::less<>> entries_;
  std::string wire_json_ = "{\"cci_version\":\"1.0\"}";
};

}  // namespace vcc
