// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/check_run.h"
#include "cli/table.h"

namespace vcc::cli {

Status clearProcessing(const std::string& socket_path, const Arguments& arguments) {
  const std::string& vcid = arguments.positional[0];
  const std::string& unit = arguments.positional[1];
  VCC_RETURN_IF_ERROR(
      askController(socket_path, "POST", "/vcs/" + urlPart(vcid) + "/" + urlPart(unit) + "/clear_processing", "{}")
          .status());
  std::cout << "Nothing is waited for in unit " << printable(unit)
            << " any more; each node counts as what was seen of it last.\n";
  return okStatus();
}

Status getNodeState(const std::string& socket_path, const Arguments& arguments) {
  const std::string& vcid = arguments.positional[0];
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "GET", "/vcs/" + urlPart(vcid) + "/progress", ""));
  for (const Json& unit : answer.items("units")) {
    if (unit.text("name") != arguments.positional[1]) continue;
    for (const Json& node : unit.items("node")) {
      if (std::to_string(node.number("node_no")) != arguments.positional[2]) continue;
      std::cout << node.text("state") << '\n';
      return okStatus();
    }
  }
  return notFound("UnitGroup " + vcid + " has no node " + arguments.positional[2] + " in a unit " +
                  arguments.positional[1]);
}

Status setNodeState(const std::string& socket_path, const Arguments& arguments) {
  const std::string path = "/vcs/" + urlPart(arguments.positional[0]) + "/" + urlPart(arguments.positional[1]) + "/" +
                           urlPart(arguments.positional[2]) + "/state";
  std::string check;
  if (arguments.has("--verify")) {
    VCC_ASSIGN_OR_RETURN(const FinishedCheck finished, runCheck(socket_path, arguments.positional[0]));
    check = finished.id;
  }
  const std::string body = jsonObject({{"state", arguments.positional[3]}, {"check", check}});
  VCC_RETURN_IF_ERROR(askController(socket_path, "POST", path, body).status());
  std::cout << "The record says " << arguments.positional[3] << (check.empty() ? "" : ", as the cloud does")
            << "; the machine was not touched.\n";
  return okStatus();
}

}  // namespace vcc::cli
