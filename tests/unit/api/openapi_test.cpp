// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/openapi.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <set>

#include "api/error_map.h"
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

Poco::JSON::Object::Ptr parse(const std::string& text) {
  Poco::JSON::Parser parser;
  return parser.parse(text).extract<Poco::JSON::Object::Ptr>();
}

Poco::JSON::Object::Ptr document(ApiRig& rig) { return parse(rig.call("", "GET", "/openapi.json").body); }

/// Every "$ref" of a document.
std::set<std::string> references(const std::string& text) {
  std::set<std::string> found;
  const std::string mark = "\"$ref\"";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::size_t begin = text.find('"', at + mark.size()) + 1;
    found.insert(text.substr(begin, text.find('"', begin) - begin));
  }
  return found;
}

}  // namespace

TEST_CASE("the document describes the routing table, no more and no less") {
  ApiRig rig;
  CHECK(undescribedRoutes(rig.routes) == std::vector<std::string>{});
  CHECK(unroutedDescriptions(rig.routes) == std::vector<std::string>{});
  const auto paths = document(rig)->getObject("paths");
  std::size_t operations = 0;
  for (const std::string& path : paths->getNames()) operations += paths->getObject(path)->size();
  CHECK(operations == rig.routes.size());
  CHECK(paths->has("/occtr"));
  CHECK(paths->has("/occtr/"));
  CHECK(paths->getObject("/occtr/vcs/{vcid}")->size() == 5);
}

TEST_CASE("a route without words is found, and so are words without a route") {
  const Route unknown{"GET", "/nowhere", true, false, {}};
  CHECK(undescribedRoutes({unknown}) == std::vector<std::string>{"GET /nowhere"});
  const std::vector<std::string> stale = unroutedDescriptions({unknown});
  CHECK(std::find(stale.begin(), stale.end(), "POST /vcs") != stale.end());
  CHECK(contains(openApiDocument({unknown}), "/occtr/nowhere"));
}

TEST_CASE("every reference leads somewhere and every part is used") {
  ApiRig rig;
  const std::string text = rig.call("", "GET", "/openapi.json").body;
  const auto components = document(rig)->getObject("components");
  std::set<std::string> known;
  for (const char* part : {"schemas", "parameters", "responses"}) {
    for (const std::string& name : components->getObject(part)->getNames()) {
      known.insert(fmt::format("#/components/{}/{}", part, name));
    }
  }
  CHECK(references(text) == known);
}

TEST_CASE("parameters, tokens, status and refusals of an operation") {
  ApiRig rig;
  const auto paths = document(rig)->getObject("paths");
  const auto get = paths->getObject("/occtr/vcs/{vcid}/{unit}/{node_id}")->getObject("get");
  CHECK(get->getArray("parameters")->size() == 4);  // the three of the path, and privileged mode
  CHECK(get->getArray("security")->size() == 1);
  CHECK(get->getObject("responses")->has("200"));
  const auto add = paths->getObject("/occtr/vcs/{vcid}")->getObject("post");
  CHECK(add->getObject("responses")->has("202"));
  CHECK_FALSE(add->getObject("responses")->has("200"));
  CHECK(add->has("requestBody"));
  for (const ErrorRow& row : errorRows()) CHECK(add->getObject("responses")->has(std::to_string(row.http_status)));
  CHECK(paths->getObject("/occtr/health")->getObject("get")->getArray("security")->empty());
}

TEST_CASE("states are those of the model; INDEFINITE is a unit's") {
  const auto schemas = parse(openApiSchemas());
  const auto last = static_cast<std::size_t>(State::kIndefinite);
  CHECK(schemas->getObject("UnitState")->getArray("enum")->size() == last + 1);
  CHECK(schemas->getObject("NodeState")->getArray("enum")->size() == last);
  CHECK(schemas->getObject("VcState")->getArray("enum")->size() == 4);
}

TEST_CASE("what the tests hold answers against finds what is not so") {
  ApiRig rig;
  const Contract contract(rig.routes);
  const auto wrong = [&](const std::string& method, const std::string& path, int status, const std::string& body) {
    return !contract.complaint(method, kVcpPrefix + path, status, body).empty();
  };
  const std::string vcid = rig.makeVc(rig.token, "x");
  rig.makeUnit(vcid, "web", 1);
  const std::string vc = rig.call(rig.token, "GET", "/vcs/" + vcid).body;
  const auto changed = [&](const std::string& before, const std::string& after) {
    std::string text = vc;
    REQUIRE(contains(text, before));
    return text.replace(text.find(before), before.size(), after);
  };
  const std::string path = "/vcs/" + vcid;
  CHECK_FALSE(wrong("GET", path, 200, vc));
  CHECK(wrong("GET", path, 202, vc));
  CHECK(wrong("GET", path, 200, "[]"));
  CHECK(wrong("GET", path, 200, "{"));
  CHECK(wrong("GET", path, 200, changed(R"("volumes":[])", R"("volumes":null)")));
  CHECK(wrong("GET", path, 200, changed(R"("node_no":1)", R"("node_no":0)")));
  CHECK(wrong("GET", path, 200, changed(R"("node_no":1)", R"("node_no":"1")")));
  CHECK(wrong("GET", path, 200, changed(R"("node_no":1)", R"("disk_no":1,"node_no":1)")));
  CHECK(wrong("GET", path, 200, changed(R"("watch_mode":true,)", "")));
  CHECK(wrong("GET", path, 200, changed("BOOTING", "booting")));
  CHECK(wrong("GET", path, 200, changed(R"("node":[)", R"("disk":[],"node":[)")));
  CHECK(wrong("GET", path, 200, changed(" UTC\"", "\"")));
  CHECK(wrong("DELETE", path, 202, R"({"more":1})"));
  CHECK(wrong("GET", path, 404, R"({"detail":"x"})"));
  CHECK(wrong("GET", path, 404, R"({"message":"x"})"));
  CHECK(wrong("GET", "/nothing", 200, "{}"));
  CHECK_FALSE(wrong("GET", "/nothing", 404, R"({"message":"2026/01/02 03:04:05 UTC: VCPNotFoundException: x"})"));
}
