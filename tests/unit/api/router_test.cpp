// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include <doctest/doctest.h>

#include "api/path.h"

using namespace vcc;

namespace {

ApiHandler named(const std::string& name) {
  return [name](const ApiRequest&) -> Result<HttpAnswer> { return HttpAnswer{200, name, {}}; };
}

const Router& sample() {
  static const Router kRouter("/v1", {{"GET", "", true, false, named("base")},
                                      {"GET", "/", false, false, named("slash")},
                                      {"POST", "/vcs/fail", true, true, named("fail")},
                                      {"POST", "/vcs/{vcid}", true, true, named("add")},
                                      {"GET", "/vcs/{vcid}", true, false, named("get")},
                                      {"GET", "/vcs/{vcid}/{unit}", true, false, named("unit")}});
  return kRouter;
}

std::string found(const std::string& method, const std::string& target) {
  const auto match = sample().match(method, target);
  if (!match.ok()) return "bad";
  if (match->route == nullptr) return match->allowed.empty() ? "none" : "allow " + match->allowed;
  return match->route->handler({}).value().body;
}

}  // namespace

TEST_CASE("base with and without slash are two routes, and nothing is redirected") {
  CHECK(found("GET", "/v1") == "base");
  CHECK(found("GET", "/v1/") == "slash");
  CHECK(found("GET", "/v1?x=/a/b") == "base");
  CHECK(found("GET", "https://host:8443/v1/vcs/a") == "get");
}

TEST_CASE("the first fitting row wins; fail is never an id for add-unit") {
  CHECK(found("POST", "/v1/vcs/fail") == "fail");
  CHECK(found("POST", "/v1/vcs/%66ail") == "fail");
  CHECK(found("POST", "/v1/vcs/other") == "add");
  CHECK(found("GET", "/v1/vcs/fail") == "get");
}

TEST_CASE("parameters are decoded; an empty segment is none") {
  const auto match = sample().match("GET", "/v1/vcs/a%20b/u%2Ex");
  REQUIRE(match.ok());
  CHECK(match->params == std::vector<std::string>{"a b", "u.x"});
  CHECK(found("GET", "/v1/vcs/") == "none");
  CHECK(found("GET", "/v1/vcs/a/") == "none");
  CHECK(found("GET", "/v1/vcs//b") == "none");
  CHECK(found("GET", "/v2") == "none");
}

TEST_CASE("other methods of a known path tell what is allowed; HEAD is a GET") {
  CHECK(found("DELETE", "/v1/vcs/a") == "allow POST, GET, HEAD");
  CHECK(found("HEAD", "/v1/vcs/a") == "get");
  CHECK(found("BREW", "/v1/vcs/a/b") == "allow GET, HEAD");
}

TEST_CASE("paths that other programs read differently are refused") {
  for (const char* target :
       {"/v1/%", "/v1/%2", "/v1/%zz", "/v1/a%00b", "/v1/a%2fb", "/v1/a%2Fb", "/v1/a%5cb", "/v1/%ff", "v1", "", "?x"}) {
    CAPTURE(target);
    const auto split = splitTarget(target);
    REQUIRE_FALSE(split.ok());
    CHECK(split.status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("a query is taken where the route names what it may hold, and ignored elsewhere") {
  const Router router("/v1", {{"GET", "/events/{kind}?after&limit", false, false, named("events")}});
  const auto match = router.match("GET", "/v1/events/a?limit=5&after=a%2Fb+c");
  REQUIRE(match.ok());
  REQUIRE(match->route != nullptr);
  CHECK(match->params == std::vector<std::string>{"a", "a/b c", "5"});
  CHECK(router.match("GET", "/v1/events/a")->params == std::vector<std::string>{"a", "", ""});
  CHECK(router.match("GET", "/v1/events/a?")->params == std::vector<std::string>{"a", "", ""});
  CHECK(router.match("GET", "/v1/events/a?&limit&#after=x")->params == std::vector<std::string>{"a", "", ""});
  CHECK(found("GET", "/v1/vcs/a?limit=%zz") == "get");
  for (const char* query : {"limits=5", "limit=1&limit=1", "limit=%zz", "after=%00", "after=%ff"}) {
    CAPTURE(query);
    const auto refused = router.match("GET", std::string("/v1/events/a?") + query);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.status().code() == Code::kInvalidArgument);
  }
  CHECK(router.match("GET", "/v1/events/a?limits=5").status().message().find("it may hold after, limit") !=
        std::string::npos);
  std::string many = "/v1/events/a?";
  for (int i = 0; i < 20; ++i) many += "n" + std::to_string(i) + "=1&";
  CHECK_FALSE(router.match("GET", many).ok());
}
