// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.h"
#include "vcp/plugin/cpp/disk.h"

namespace openstack {

/// One volume as Cinder shows it.
struct Volume {
  std::string id;
  std::string name;
  std::string status;   ///< "creating", "available", "attaching", "in-use", "detaching", "deleting", "error", ...
  std::string server;   ///< that holds it; empty: none
  std::string created;  ///< sorts as time does
  std::int64_t size_gib = 0;

  static Volume of(const vcp::plugin::Json& json);
};
using Volumes = std::vector<Volume>;

/// Those of a disk: of its id, and of its name; the oldest first. None is a proof.
Volumes volumesOf(const Client& client, const vcp::plugin::Item& disk);

vcp::plugin::DiskObservation observationOf(const Volume& volume);

}  // namespace openstack
