// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "base/encoding.h"
#include "model/compare.h"

namespace vcc {

namespace {

std::string byPeer(const ApiRequest& request) { return "administrator (" + request.peer + ")"; }

Result<std::int64_t> nodeNumber(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    return invalidArgument("node number: " + cleanUtf8(text, 32) + " is none; `vcc watch` shows them");
  }
  return number;
}

/// What a check that is over found of a node must admit the state.
Status verify(const AdminSeams& seams, const ApiRequest& request, const std::string& check, std::int64_t number,
              State state) {
  VCC_ASSIGN_OR_RETURN(const CheckResult report, seams.looks.check_report(check));
  if (!report.done) return failedPrecondition("the check has not ended yet; ask for it until it is done");
  for (const CheckLine& line : report.lines) {
    if (line.vcid != request.params[0] || line.unit != request.params[1] || line.node_no != number) continue;
    return admitsState({line.cloud, line.container, line.difference}, state)
        .prepend("node " + std::to_string(number) + " of unit " + line.unit + " was not set");
  }
  return notFound("the check found no node " + std::to_string(number) + " in unit " + cleanUtf8(request.params[1], 64) +
                  " of UnitGroup " + cleanUtf8(request.params[0], 64));
}

}  // namespace

Result<HttpAnswer> clearProcessing(const AdminSeams& seams, const ApiRequest& request) {
  VCC_RETURN_IF_ERROR(seams.commands.clearProcessing(request.params[0], request.params[1], byPeer(request)));
  return HttpAnswer{200, "{}", {}};
}

Result<HttpAnswer> setNodeState(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, JsonBody::parse(request.body));
  VCC_ASSIGN_OR_RETURN(const std::string word, body.text("state", ""));
  VCC_ASSIGN_OR_RETURN(const std::int64_t number, nodeNumber(request.params[2]));
  const auto state = parseState(word);
  if (!state) return invalidArgument("body of the request: \"state\" is \"" + cleanUtf8(word, 32) + "\", no state");
  VCC_ASSIGN_OR_RETURN(const std::string check, body.text("check", ""));
  if (!check.empty()) VCC_RETURN_IF_ERROR(verify(seams, request, check, number, *state));
  VCC_RETURN_IF_ERROR(
      seams.commands.setNodeState(request.params[0], request.params[1], number, *state, byPeer(request)));
  return HttpAnswer{200, "{}", {}};
}

}  // namespace vcc
