// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "cli/arguments.h"

/// What the subcommands of `vcc` do (cli/commands.h).
namespace vcc::cli {

Status showStatus(const std::string& socket_path, const Arguments& arguments);
Status addUser(const std::string& socket_path, const Arguments& arguments);
Status listUsers(const std::string& socket_path, const Arguments& arguments);
Status createToken(const std::string& socket_path, const Arguments& arguments);
Status listTokens(const std::string& socket_path, const Arguments& arguments);
Status listPlugins(const std::string& socket_path, const Arguments& arguments);
Status loadPlugin(const std::string& socket_path, const Arguments& arguments);
Status checkProvider(const std::string& socket_path, const Arguments& arguments);
Status checkServer(const std::string& socket_path, const Arguments& arguments);
Status prepareServer(const std::string& socket_path, const Arguments& arguments);
Status checkPluginFile(const std::string& socket_path, const Arguments& arguments);
Status listGroups(const std::string& socket_path, const Arguments& arguments);
Status watchGroup(const std::string& socket_path, const Arguments& arguments);
Status clearProcessing(const std::string& socket_path, const Arguments& arguments);
Status getNodeState(const std::string& socket_path, const Arguments& arguments);
Status setNodeState(const std::string& socket_path, const Arguments& arguments);
Status purgeGroup(const std::string& socket_path, const Arguments& arguments);
Status showSweep(const std::string& socket_path, const Arguments& arguments);
Status checkEverything(const std::string& socket_path, const Arguments& arguments);
Status showEvents(const std::string& socket_path, const Arguments& arguments);
Status revokeToken(const std::string& socket_path, const Arguments& arguments);

}  // namespace vcc::cli
