// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_types.h"
#include "base/status.h"
#include "engine/commands.h"

namespace vcc {

/// A request on its way into a handler.
struct ApiRequest {
  std::string id;                   ///< request id
  std::vector<std::string> params;  ///< values of the pattern's `{...}` segments, decoded, in order
  std::string body;
  Caller caller;  ///< filled when the route needs a token
  std::string peer;
};

using ApiHandler = std::function<Result<HttpAnswer>(const ApiRequest&)>;

/// One row of a routing table. The first row that fits wins, so special paths stand before `{...}` ones.
struct Route {
  std::string method;
  std::string pattern;  ///< "/vcs/{vcid}"; a trailing slash is a segment of its own
  bool needs_token = true;
  bool mutating = false;  ///< refused for tokens of role readonly
  ApiHandler handler;
};

/// Finds the route of a request. Immutable after construction, so thread safe.
class Router {
 public:
  /// `prefix` ("/vcp/v1/occtr") stands before every pattern.
  Router(std::string_view prefix, std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  ///< null: see `allowed`
    std::vector<std::string> params;
    std::string allowed;  ///< methods of the path ("GET, POST"); empty = no such path
  };
  /// HEAD finds the route of GET. kInvalidArgument for a path that cannot be decoded (api/path.h).
  Result<Match> match(std::string_view method, std::string_view target) const;

 private:
  struct Row {
    Route route;
    std::vector<std::string> segments;
  };
  std::vector<Row> rows_;
};

}  // namespace vcc
