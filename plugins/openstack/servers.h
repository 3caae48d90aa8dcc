// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client.h"
#include "spec.h"
#include "vcp/plugin/cpp/driver.h"

namespace openstack {

/// One server as Nova shows it.
struct Server {
  std::string id;
  std::string name;
  std::string status;   ///< "BUILD", "ACTIVE", "SHUTOFF", "ERROR", ...
  std::string task;     ///< what Nova is doing with it; empty: nothing
  std::string created;  ///< sorts as time does
  std::string address;  ///< IPv4; empty while it has none
  std::string fault;
  int fault_code = 0;
  Tags metadata;

  bool isOver() const { return status == "DELETED"; }
  bool isLeaving() const { return isOver() || task == "deleting"; }
  bool isDeletedSoftly() const { return status == "SOFT_DELETED"; }  ///< can be brought back, and counts until then
  bool isChanging() const { return status == "BUILD" || !task.empty(); }

  static Server of(const vcp::plugin::Json& json);
};
using Servers = std::vector<Server>;

/// The servers of a name, the oldest first. None is a proof.
Servers serversOf(const Client& client, std::string_view name);
/// Nothing when Nova says that there is no such server.
std::optional<Server> serverOf(const Client& client, std::string_view id);
/// Every server in whose name `part` stands; proves no absence.
Servers serversLike(const Client& client, std::string_view part);

void sortByAge(Servers& servers);

vcp::plugin::Observation observationOf(const Server& server);

}  // namespace openstack
