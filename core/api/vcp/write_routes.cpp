// SPDX-License-Identifier: Apache-2.0
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/vcp/vcp_api.h"
#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxListed = 10000;  // entries of an address list; the limit of a unit is checked by the command

Result<HttpAnswer> createVc(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string cci, body.text("cci", ""));
  VCC_ASSIGN_OR_RETURN(const std::string vcid, commands.createVc(request.caller, cci));
  JsonWriter json;
  json.beginObject().key("vcid").string(vcid).endObject();
  return HttpAnswer{202, json.take(), {}};
}

Result<HttpAnswer> updateVc(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string cci, body.text("cci", ""));
  return accepted(commands.renameVc(request.caller, request.params[0], cci));
}

Result<HttpAnswer> patchVc(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string operation, body.text("operation", ""));
  if (operation != "change_owner") {
    return invalidArgument("body of the request: \"operation\" is \"" + cleanUtf8(operation, 64) +
                           "\"; the only one is change_owner");
  }
  VCC_ASSIGN_OR_RETURN(const std::string owner, body.text("owner", ""));
  return accepted(commands.changeOwner(request.caller, request.params[0], owner));
}

Result<HttpAnswer> deleteVc(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const bool force, body.flag("force", false));
  return accepted(commands.deleteVc(request.caller, request.params[0], force));
}

Result<HttpAnswer> addUnit(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string info, body.text("info", ""));
  VCC_ASSIGN_OR_RETURN(const std::string unit_name, body.text("unit_name", ""));
  return accepted(commands.addUnit(request.caller, request.params[0], unit_name, info));
}

Result<HttpAnswer> addNodes(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  AddNodesRequest nodes;
  VCC_ASSIGN_OR_RETURN(nodes.addresses, body.texts("ip_address_list", kMaxListed));
  VCC_ASSIGN_OR_RETURN(const std::vector<std::string> macs, body.texts("mac_address_list", kMaxListed));
  if (!macs.empty()) {
    return invalidArgument(
        "body of the request: \"mac_address_list\" must be empty; no provider here takes MAC addresses");
  }
  const auto listed = static_cast<std::int64_t>(nodes.addresses.size());
  if (!body.has("num_nodes") && listed == 0) {
    return invalidArgument(
        "body of the request: \"num_nodes\" is missing, and so is \"ip_address_list\"; send one of them");
  }
  VCC_ASSIGN_OR_RETURN(nodes.count, body.integer("num_nodes", listed));
  if (listed > 0 && nodes.count != listed) {
    return invalidArgument("body of the request: \"num_nodes\" is " + std::to_string(nodes.count) +
                           ", but \"ip_address_list\" has " + std::to_string(listed) + " entries");
  }
  return accepted(commands.addNodes(request.caller, request.params[0], request.params[1], nodes));
}

Result<HttpAnswer> deleteUnit(Commands& commands, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const bool force, body.flag("force", false));
  return accepted(commands.deleteUnit(request.caller, request.params[0], request.params[1], force));
}

Result<HttpAnswer> deleteNode(Commands& commands, const ApiRequest& request) {
  return accepted(commands.deleteNode(request.caller, request.params[0], request.params[1], request.params[2]));
}

using Action = Result<HttpAnswer> (*)(Commands&, const ApiRequest&);

Route change(std::string method, std::string pattern, Commands& commands, Action action) {
  return {std::move(method), std::move(pattern), true, true,
          [&commands, action](const ApiRequest& request) { return action(commands, request); }};
}

}  // namespace

std::vector<Route> vcpWriteRoutes(const VcpSeams& seams) {
  Commands& commands = seams.commands;
  return {
      change("POST", "/vcs", commands, createVc),
      change("POST", "/vcs/{vcid}", commands, addUnit),
      change("PUT", "/vcs/{vcid}", commands, updateVc),
      change("PATCH", "/vcs/{vcid}", commands, patchVc),
      change("DELETE", "/vcs/{vcid}", commands, deleteVc),
      change("PUT", "/vcs/{vcid}/{unit}", commands, addNodes),
      change("DELETE", "/vcs/{vcid}/{unit}", commands, deleteUnit),
      change("DELETE", "/vcs/{vcid}/{unit}/{node_id}", commands, deleteNode),
  };
}

}  // namespace vcc
