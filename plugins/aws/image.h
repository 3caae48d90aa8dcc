// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "client.h"

namespace ec2 {

/// What an image came to when it was looked up; frozen in driver_state before the request that uses it, because a name
/// may mean another image tomorrow, and the request must be the same in each repeat.
struct Image {
  std::string id;
  std::string root_device;  ///< "/dev/sda1": the disk that the size and type of a request are for

  std::string toState() const { return "1 " + id + " " + root_device; }
  /// Empty when the state is of no version that this driver knows.
  static Image fromState(std::string_view state);
};

/// The image of a request: by id, by name, or "default" (the entry's `aws_default_image`, else Canonical's newest
/// Ubuntu 24.04 LTS for the processor of the instance type). A name is looked for among the images of the account
/// itself and of `aws_image_owners` only: anybody can publish an image under any name. The newest of a name is taken.
/// Throws INVALID_ARGUMENT, not applied, when there is none.
Image resolveImage(const Client& client, const Entry& entry, const std::string& wanted,
                   const std::string& instance_type);

/// The snapshot of a disk's request: by id, or the newest of the account whose tag `Name` is that. Throws likewise.
std::string resolveSnapshot(const Client& client, const std::string& wanted);

}  // namespace ec2
