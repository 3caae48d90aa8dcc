// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "model/cci.h"
#include "plugin_host/driver.h"
#include "store/store.h"

/// Checks of a request that do not depend on who asks (architecture 21, choices.md). None of them blocks.
namespace vcc {

struct AdmissionContext {
  const DriverInfo& driver;
  const CatalogEntry& entry;
  bool evaluation = false;
  const std::vector<std::string>& own_addresses;
};

/// Fixed addresses: IPv4, each once, inside the entry's private network; for existing servers also inside
/// `allowed_hosts`, never loopback (but in evaluation), link-local, multicast or this controller itself.
/// kInvalidArgument names the list item.
Status admitAddresses(const AdmissionContext& context, const std::vector<std::string>& addresses);

/// Volumes of the base container that bind a folder of the host: free on machines that we made, a closed list on
/// existing servers unless the catalog entry allows more.
Status admitVolumes(const AdmissionContext& context, const std::vector<std::string>& volumes);

/// The network part of an address reservation. An existing server is one and the same whatever its catalog entry is
/// called, so its address is unique over all of them.
std::string addressSpace(const DriverInfo& driver, const std::string& network);

/// Takes the address for the node; kAlreadyExists (409) when another node has it, naming neither unit nor owner.
Status reserveAddress(Tx& tx, const Address& address);

}  // namespace vcc
