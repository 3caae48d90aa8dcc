// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "base/encoding.h"

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
  VCC_RETURN_IF_ERROR(
      seams.commands.setNodeState(request.params[0], request.params[1], number, *state, byPeer(request)));
  return HttpAnswer{200, "{}", {}};
}

}  // namespace vcc
