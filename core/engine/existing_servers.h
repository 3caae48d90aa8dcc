// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "host/host.h"
#include "plugin_host/driver.h"
#include "store/store.h"

namespace vcc {

/// An existing server that an administrator asks about.
struct ServerQuestion {
  std::string address;  ///< IPv4
  std::string user = "ubuntu";
  std::string network = "default";  ///< entry of the VPN catalog for `onpremises`
  std::string host_key;             ///< of an earlier answer; any other key is an error then
};

/// One thing that was looked at.
struct ServerFinding {
  enum class Level : std::uint8_t { kOk, kNote, kMissing };
  std::string name;
  Level level = Level::kOk;
  std::string text;
  std::vector<std::string> commands;  ///< what mends it, to be typed on the server
};

struct ServerReport {
  std::string host_key;
  std::vector<ServerFinding> findings;
  bool ready = false;  ///< nothing is missing: a unit may use it
};

/// A preparation under way. Ask again with its id and host key.
struct ServerJob {
  std::string id;
  std::string host_key;
  JobReport report;
};

/// Existing servers before they are used (architecture 21): looks at one and says what it lacks, and prepares it when
/// an administrator asks for that. Without such a request nothing on them is ever changed. Each call is one or two ssh
/// sessions, blocks up to 36 s, and holds no lock of the store; a few at a time, then kResourceExhausted. Thread safe.
class ExistingServers {
 public:
  struct Seams {
    const Store& store;
    const DriverRegistry& drivers;
    Host& host;
    std::function<std::shared_ptr<const Catalog>()> catalog;
    /// The controller's address as seen from a server, when Options does not fix it.
    std::function<Result<std::string>(const std::string& address)> source_address;
  };
  struct Options {
    std::string vcc_id;
    std::string controller_address;
    std::string public_key;  ///< of the controller, one line
    std::vector<std::string> plain_registries;
    std::vector<std::string> own_addresses;
    bool evaluation = false;
  };

  ExistingServers(Seams seams, Options options) : seams_(std::move(seams)), options_(std::move(options)) {}

  /// kInvalidArgument for what may not be an existing server, and as `Host::inspect`; a server that cannot be logged in
  /// to is a report too.
  Result<ServerReport> check(const ServerQuestion& question);

  /// Begins, or goes on, with what an administrator would do by hand: docker, its registries, and sshd off port 22.
  /// kFailedPrecondition when a base container is on it, when a node has it, or when the user may not sudo.
  Result<ServerJob> prepare(const ServerQuestion& question);

  /// How the preparation stands.
  Result<ServerJob> poll(const ServerQuestion& question, const std::string& job);

 private:
  class Turn;
  struct Plan {
    CatalogEntry entry;
    HostNeeds needs;
    HostTarget target;
    std::string claim;  ///< who has it by our records; empty = nobody
  };
  Result<Plan> planFor(const ServerQuestion& question) const;

  Seams seams_;
  Options options_;
  std::atomic<int> under_way_{0};
};

}  // namespace vcc
