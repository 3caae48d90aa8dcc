// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "client.h"

/// What names of networks, groups, images and flavors stand for. Ids are taken as they are. A name that the cloud does
/// not have is INVALID_ARGUMENT with the JSON pointer of the key.
namespace openstack {

std::string networkOf(const Client& client);
std::vector<std::string> groupsOf(const Client& client);
/// The newest active image of a name, of those that the project may use.
std::string imageOf(const Client& client, const std::string& image);
/// By name, else by id.
std::string flavorOf(const Client& client, const std::string& flavor);

}  // namespace openstack
