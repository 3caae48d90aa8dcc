// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client.h"

namespace openstack {

/// One port as Neutron shows it. A port that we made outlives its server.
struct Port {
  std::string id;
  std::string name;
  std::string address;  ///< IPv4; empty: it has none
  std::string created;  ///< sorts as time does

  static Port of(const vcp::plugin::Json& json);
};
using Ports = std::vector<Port>;

constexpr char kPortPart[] = "port";

/// Name of a machine's port.
std::string portName(std::string_view name);
/// What a port's description says of who made it.
std::string portMark(std::string_view vcc_id, std::string_view instance);

/// The ports of these names, the oldest first. None is a proof.
Ports portsNamed(const Client& client, const std::vector<std::string>& names);
/// Every port of the project with this description; proves no absence.
Ports portsMarked(const Client& client, const std::string& mark);
std::optional<Port> portOf(const Client& client, std::string_view id);

}  // namespace openstack
