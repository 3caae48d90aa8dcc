// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include <algorithm>

#include "api/path.h"
#include "base/encoding.h"

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

std::vector<std::string> splitNames(std::string_view query) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < query.size();) {
    const std::size_t end = std::min(query.find('&', begin), query.size());
    names.emplace_back(query.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// Appends the values of `names` to `params`.
Status takeQuery(const std::vector<std::string>& names, std::string_view target, std::vector<std::string>& params) {
  if (names.empty()) return okStatus();
  VCC_ASSIGN_OR_RETURN(auto query, splitQuery(target));
  for (const std::string& name : names) {
    const auto found = query.find(name);
    params.push_back(found == query.end() ? std::string() : std::move(found->second));
    if (found != query.end()) query.erase(found);
  }
  if (query.empty()) return okStatus();
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  return invalidArgument("query of the request: there is no \"" + cleanUtf8(query.begin()->first, 64) +
                         "\" here; it may hold " + known);
}

void addMethod(std::string& list, const std::string& method) {
  if ((", " + list + ",").find(", " + method + ",") != std::string::npos) return;
  if (!list.empty()) list += ", ";
  list += method;
  if (method == "GET") list += ", HEAD";
}

}  // namespace

Result<JsonBody> ApiRequest::json() const {
  VCC_ASSIGN_OR_RETURN(json_, JsonBody::parse(body));
  return *json_;
}

Router::Router(std::string_view prefix, std::vector<Route> routes) {
  for (Route& route : routes) {
    const std::string pattern = std::string(prefix) + route.pattern;
    const std::size_t mark = std::min(pattern.find('?'), pattern.size());
    const std::string_view names = std::string_view(pattern).substr(std::min(mark + 1, pattern.size()));
    rows_.push_back({std::move(route), splitPattern(std::string_view(pattern).substr(0, mark)), splitNames(names)});
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
      VCC_RETURN_IF_ERROR(takeQuery(row.query, target, match.params));
      return match;
    }
    addMethod(match.allowed, row.route.method);
  }
  return match;
}

}  // namespace vcc
