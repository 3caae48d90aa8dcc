// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include "api/path.h"

namespace vcc {
namespace {

std::vector<std::string> splitPattern(std::string_view pattern) {
  std::vector<std::string> segments;
  for (std::size_t begin = 1; begin <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    segments.emplace_back(pattern.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool isParameter(const std::string& segment) { return !segment.empty() && segment.front() == '{'; }

/// An empty segment never fills a parameter: "/vcs/" is not a VC with an empty id.
bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
          std::vector<std::string>& params) {
  if (pattern.size() != path.size()) return false;
  params.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (isParameter(pattern[i])) {
      if (path[i].empty()) return false;
      params.push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

void addMethod(std::string& list, const std::string& method) {
  if ((", " + list + ",").find(", " + method + ",") != std::string::npos) return;
  if (!list.empty()) list += ", ";
  list += method;
  if (method == "GET") list += ", HEAD";
}

}  // namespace

Router::Router(std::string_view prefix, std::vector<Route> routes) {
  for (Route& route : routes) {
    std::vector<std::string> segments = splitPattern(std::string(prefix) + route.pattern);
    rows_.push_back({std::move(route), std::move(segments)});
  }
}

Result<Router::Match> Router::match(std::string_view method, std::string_view target) const {
  VCC_ASSIGN_OR_RETURN(const std::vector<std::string> path, splitTarget(target));
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  std::vector<std::string> params;
  for (const Row& row : rows_) {
    if (!fits(row.segments, path, params)) continue;
    if (row.route.method == wanted) {
      match.route = &row.route;
      match.params = std::move(params);
      return match;
    }
    addMethod(match.allowed, row.route.method);
  }
  return match;
}

}  // namespace vcc
