// SPDX-License-Identifier: Apache-2.0
// Request targets through the router: "METHOD target".
#include "api/path.h"
#include "api/router.h"
#include "base/encoding.h"
#include "fuzz.h"

using namespace vcc;

namespace {

const Router& router() {
  static const Router table("/vcp/v1/occtr", {{"GET", "", true, false, {}},
                                              {"GET", "/", true, false, {}},
                                              {"POST", "/vcs/fail", true, true, {}},
                                              {"GET", "/vcs", true, false, {}},
                                              {"POST", "/vcs/{vcid}", true, true, {}},
                                              {"GET", "/events?after&limit&vcid", true, false, {}},
                                              {"PATCH", "/vcs/{vcid}/{unit}/stop", true, true, {}},
                                              {"GET", "/vcs/{vcid}/{unit}/{node_id}", true, false, {}}});
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  const std::size_t space = text.find(' ');
  const std::string method = space == std::string::npos ? "GET" : text.substr(0, space);
  const std::string target = space == std::string::npos ? text : text.substr(space + 1);
  const Result<Router::Match> match = router().match(method, target);
  if (!match.ok()) {
    fuzz::require(match.status().code() == Code::kInvalidArgument, "a refusal that is no 400");
    fuzz::require(isUtf8(match.status().message()), "a refusal that is not UTF-8");
    return 0;
  }
  for (const std::string& value : match->params) {
    fuzz::require(isUtf8(value) && value.find('\0') == std::string::npos, "a parameter that is no text");
  }
  const Result<std::vector<std::string>> segments = splitTarget(target);
  fuzz::require(segments.ok(), "a path that matches and cannot be split");
  if (match->route != nullptr && match->route->pattern.find('{') != std::string::npos) {
    for (const std::string& value : match->params) {
      fuzz::require(!value.empty() && value.find('/') == std::string::npos, "a parameter that is no segment");
    }
  }
  return 0;
}
