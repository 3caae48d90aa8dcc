// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_types.h"
#include "api/json_reader.h"
#include "base/status.h"
#include "engine/commands.h"

namespace vcc {

/// A request on its way into a handler.
struct ApiRequest {
  std::string id;  ///< request id
  /// Values of the pattern's `{...}` segments, decoded, in order; then those of its query, empty where none was given.
  std::vector<std::string> params;
  std::string body;
  Caller caller;  ///< filled when the route needs a token
  std::string peer;

  /// The body as a JSON object. What of it nobody has asked for when the request succeeded is logged as ignored.
  Result<JsonBody> json() const;
  std::vector<std::string> ignoredKeys() const { return json_ ? json_->unasked() : std::vector<std::string>{}; }

 private:
  mutable std::optional<JsonBody> json_;
};

using ApiHandler = std::function<Result<HttpAnswer>(const ApiRequest&)>;

/// One row of a routing table. The first row that fits wins, so special paths stand before `{...}` ones.
struct Route {
  std::string method;
  /// "/vcs/{vcid}"; a trailing slash is a segment of its own. "/events?after&limit" names what the query may hold;
  /// the query of a pattern that names nothing is ignored.
  std::string pattern;
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
  /// HEAD finds the route of GET. kInvalidArgument for a path or query that cannot be decoded (api/path.h), and for a
  /// name in the query that the route does not know.
  Result<Match> match(std::string_view method, std::string_view target) const;

 private:
  struct Row {
    Route route;
    std::vector<std::string> segments;
    std::vector<std::string> query;
  };
  std::vector<Row> rows_;
};

}  // namespace vcc
