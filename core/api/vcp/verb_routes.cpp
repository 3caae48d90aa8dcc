// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "api/vcp/vcp_api.h"

/// The operations of units and nodes (spec/rest-protocol 5.1, 6.10): the last segment names the verb. Bodies are not
/// looked at: clients send `{}`.
namespace vcc {
namespace {

constexpr std::array kVerbs{Verb::kSuspend, Verb::kResume, Verb::kPowerOff, Verb::kPowerOn, Verb::kStop, Verb::kStart};

/// An operation of a unit, and the same of one node.
struct Operation {
  std::string name;
  std::function<Status(const ApiRequest&)> of_unit;
  std::function<Status(const ApiRequest&)> of_node;
};

Operation goalOperation(Commands& commands, Verb verb) {
  return {std::string(verbName(verb)),
          [&commands, verb](const ApiRequest& request) {
            return commands.changeUnit(request.caller, request.params[0], request.params[1], verb);
          },
          [&commands, verb](const ApiRequest& request) {
            return commands.changeNode(request.caller, request.params[0], request.params[1], request.params[2], verb);
          }};
}

Operation watchOperation(Commands& commands, bool on) {
  return {on ? "watch" : "unwatch",
          [&commands, on](const ApiRequest& request) {
            return commands.watchUnit(request.caller, request.params[0], request.params[1], on);
          },
          [&commands, on](const ApiRequest& request) {
            return commands.watchNode(request.caller, request.params[0], request.params[1], request.params[2], on);
          }};
}

void addRoute(std::vector<Route>& routes, const std::string& pattern, std::function<Status(const ApiRequest&)> change) {
  routes.push_back({"PATCH", pattern, true, true,
                    [change = std::move(change)](const ApiRequest& request) { return accepted(change(request)); }});
}

}  // namespace

std::vector<Route> vcpVerbRoutes(const VcpSeams& seams) {
  Commands& commands = seams.commands;
  const std::string unit = "/vcs/{vcid}/{unit}/";
  const std::string node = unit + "{node_id}/";
  std::vector<Operation> operations;
  for (const Verb verb : kVerbs) operations.push_back(goalOperation(commands, verb));
  for (const bool on : {true, false}) operations.push_back(watchOperation(commands, on));
  std::vector<Route> routes;
  for (const Operation& operation : operations) {
    addRoute(routes, unit + operation.name, operation.of_unit);
    addRoute(routes, node + operation.name, operation.of_node);
  }
  addRoute(routes, unit + "clear_processing", [&commands](const ApiRequest& request) {
    return commands.clearProcessing(request.caller, request.params[0], request.params[1]);
  });
  routes.push_back({"GET", node + "backup", true, true, [&commands](const ApiRequest& request) -> Result<HttpAnswer> {
                      return accepted(
                          commands.backupNode(request.caller, request.params[0], request.params[1], request.params[2]));
                    }});
  return routes;
}

}  // namespace vcc
