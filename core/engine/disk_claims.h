// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "engine/commands.h"

/// Disks that the CCI of a compute unit names (spec/sdk-cci 7.7), taken for a node when its 202 is decided.
namespace vcc {

/// One entry of a list of disks in `cloud_params`.
struct DiskWish {
  std::string where;  ///< "cloud_params.volume_id[0]", for messages
  std::string vcid;   ///< of `vcp:<vcid>:<unit>:<disk_id>`; empty: an id of the provider's
  std::string unit;
  std::string disk_id;
  std::string volume_id;  ///< the provider's id
};

/// The entries of all lists whose keys are among `disk_keys`. kInvalidArgument names the entry.
Result<std::vector<DiskWish>> diskWishes(const std::string& cloud_params, const std::vector<std::string>& disk_keys);

/// A unit that attaches disks has one node, which gets them all: kInvalidArgument when it would have more.
Status checkOneNode(const std::vector<DiskWish>& wishes, std::int64_t nodes);

/// Takes the disks for the node. kInvalidArgument: no such disk, or of another provider; kPermissionDenied: it belongs
/// to somebody else; kFailedPrecondition: it is being deleted; kAlreadyExists: another node has it.
Status claimDisks(Tx& tx, const Caller& caller, const Unit& unit, const std::string& node_id,
                  const std::vector<DiskWish>& wishes);

}  // namespace vcc
