// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.h"
#include "vcp/plugin/cpp/disk.h"

namespace ec2 {

/// One EBS volume as DescribeVolumes shows it.
struct Volume {
  std::string id;
  std::string state;       ///< "creating", "available", "in-use", "deleting", "deleted", "error"
  std::string attachment;  ///< "attaching", "attached", "detaching", "busy"; empty: hangs on nothing
  std::string instance;    ///< that holds it; empty: none
  std::string created;     ///< sorts as time does
  std::int64_t size_gib = 0;
  Tags tags;

  bool isGone() const { return state == "deleted"; }
};
using Volumes = std::vector<Volume>;

/// Those of each disk, by place in the call: of its id, else of its name; the oldest first. None is a proof.
std::vector<Volumes> volumesOf(const Client& client, const vcp::plugin::Items& disks);

vcp::plugin::DiskObservation observationOf(const Volume& volume);

}  // namespace ec2
