// SPDX-License-Identifier: Apache-2.0
#include "api/service.h"

#include <algorithm>

#include "api/error_map.h"
#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kShownPathBytes = 200;
constexpr std::size_t kShownKeys = 8;
constexpr std::size_t kShownKeyBytes = 32;

/// The path as messages show it: without the query, cut.
std::string shownPath(const std::string& target) {
  return cleanUtf8(target.substr(0, target.find('?')), kShownPathBytes);
}

}  // namespace

HttpAnswer RoutedService::refuse(const Status& status, const std::string& request_id) const {
  if (isInternal(status.code())) {
    log_.error("API_INTERNAL_ERROR", status.toString());
  }
  return errorAnswer(status, clock_.wallMs(), request_id);
}

HttpAnswer RoutedService::refuse(HttpRefusal refusal, std::string_view text) const {
  return errorAnswer(refusal, text, clock_.wallMs());
}

HttpAnswer RoutedService::run(const Route& route, const ApiRequest& request) const {
  Result<HttpAnswer> answer = route.handler(request);
  if (!answer.ok()) return refuse(answer.status(), request.id);
  if (const std::vector<std::string> ignored = request.ignoredKeys(); !ignored.empty()) {
    std::string shown;
    for (std::size_t i = 0; i < std::min(ignored.size(), kShownKeys); ++i) {
      shown += (i == 0 ? "" : ",") + cleanUtf8(ignored[i], kShownKeyBytes);
    }
    log_.info("BODY_KEYS_IGNORED", "a body carries keys that this route does not know",
              {{"request", request.id}, {"keys", shown}, {"count", ignored.size()}});
  }
  return std::move(answer).value();
}

Result<Admission> RoutedService::decide(const HttpHead& head) {
  VCC_ASSIGN_OR_RETURN(Router::Match match, router_.match(head.method, head.target));
  Admission admission;
  if (match.route == nullptr) {
    if (match.allowed.empty()) {
      return notFound("there is nothing at " + shownPath(head.target) + "; check the URL");
    }
    if (head.method == "OPTIONS") {
      admission.refusal = HttpAnswer{200, "{}", {{"Allow", match.allowed + ", OPTIONS"}}};
    } else {
      admission.refusal = errorAnswer(HttpRefusal::kMethodNotAllowed,
                                      "method " + cleanUtf8(head.method, 32) + " is not for " + shownPath(head.target) +
                                          "; it takes " + match.allowed,
                                      clock_.wallMs());
      admission.refusal->headers.emplace_back("Allow", match.allowed);
    }
    return admission;
  }
  ApiRequest request;
  request.id = head.id;
  request.peer = head.peer;
  request.params = std::move(match.params);
  if (match.route->needs_token) {
    VCC_ASSIGN_OR_RETURN(request.caller,
                         doorkeeper_.admit(head.peer, head.token, head.privileged, match.route->mutating));
    admission.user = request.caller.principal.user;
  }
  admission.run = [this, route = match.route, request = std::move(request)](std::string body) mutable {
    request.body = std::move(body);
    return run(*route, request);
  };
  return admission;
}

Admission RoutedService::admit(const HttpHead& head) {
  Result<Admission> decided = decide(head);
  if (decided.ok()) return std::move(decided).value();
  Admission admission;
  admission.refusal = refuse(decided.status(), head.id);
  return admission;
}

}  // namespace vcc
