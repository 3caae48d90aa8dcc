// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.h"
#include "base/log.h"
#include "base/secret_string.h"
#include "base/status.h"
#include "engine/commands.h"
#include "engine/sweeper.h"

namespace vcc {

/// Everything the server is told (config/occtr.yml; the environment wins over the file).
struct Settings {
  std::string data_dir = "/opt/occ/var";
  std::string master_key_file;  ///< empty = <data_dir>.master.key
  SecretString master_key;      ///< VCC_MASTER_KEY, only in the environment; wins over the file
  SecretString passphrase;      ///< of --passphrase; wins over both
  std::string https_address = "0.0.0.0";
  std::int64_t https_port = 443;   ///< 0 = any free one
  std::string vault_address;       ///< of the Vault-shaped API; empty = https_address
  std::int64_t vault_port = 8443;  ///< 0 = any free one
  std::int64_t fail_port = -1;     ///< on 127.0.0.1, for failure notices without a token; 0 = any free one, -1 = none
  std::string cert_file;
  std::string key_file;
  std::string catalog_file;
  std::string providers_dir;
  std::vector<std::string> plugin_dirs;
  std::vector<std::string> providers;  ///< only these drivers; empty = all that providers_dir enables
  std::string admin_socket;            ///< empty = <data_dir>/run/admin/admin.sock
  bool simulated_hosts = false;
  std::string log_file;  ///< empty = stderr
  Severity log_level = Severity::kInfo;
  std::string private_ipmask;  ///< address (and mask) that nodes reach this controller at
  std::string registry_address = "harbor.vcloud.nii.ac.jp";
  std::string base_registry_host;          ///< port is always 5000; wins over registry_address
  std::string http_proxy;                  ///< of drivers: "http://host:port"; empty = none
  std::vector<std::string> http_no_proxy;  ///< hosts that drivers reach without it; ".example.org" for all below
  bool probe_before_accept = true;         ///< add unit asks the cloud whether the credentials work
  std::int64_t ssh_threads = 64;
  std::int64_t quiet_poll_s = 300;
  std::int64_t watch_interval_s = 30;       ///< how often each port of a watched host is asked
  std::string serf_rpc = "127.0.0.1:7373";  ///< of the serf agent beside the controller; empty = none
  std::string prometheus_targets;           ///< the file for Prometheus; empty = none
  std::int64_t events_keep = 5000;
  SweepOptions sweep;
  Limits limits;
  HttpServerOptions http;  ///< of each listener

  std::string adminSocket() const { return admin_socket.empty() ? data_dir + "/run/admin/admin.sock" : admin_socket; }
  std::string vaultAddress() const { return vault_address.empty() ? https_address : vault_address; }
  std::string masterKeyFile() const { return master_key_file.empty() ? data_dir + ".master.key" : master_key_file; }
  /// What short image names get as prefix (choices.md "images").
  std::string baseRegistry() const {
    return base_registry_host.empty() ? registry_address : base_registry_host + ":5000";
  }
  /// Registries that speak plain HTTP (spec/operations 6.3), besides the controller's own.
  std::vector<std::string> plainRegistries() const {
    if (base_registry_host.empty()) return {};
    return {base_registry_host + ":5000"};
  }
};

/// Looks up an environment variable; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
std::optional<std::string> processEnvironment(const std::string& name);

/// Reads the YAML text of `file` over the defaults, then the environment: VCC_<KEY> in upper case (VCC_HTTPS_PORT,
/// VCC_LIMITS_NODES_PER_UNIT; lists with commas), and the names that `.env` files already use. An empty variable
/// counts as not set. kInvalidArgument names the file (or variable), the key and what it takes.
Result<Settings> readSettings(const std::string& file, std::string_view yaml, const Environment& environment);

}  // namespace vcc
