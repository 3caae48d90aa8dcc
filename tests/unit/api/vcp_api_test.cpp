// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"
#include "base/version.h"

using namespace vcc;
using namespace vcc::test;

namespace {

std::string nodeId(const std::string& unit_json) {
  const auto at = unit_json.find("\"node_id\":\"");
  REQUIRE(at != std::string::npos);
  return unit_json.substr(at + 11, 32);
}

}  // namespace

TEST_CASE("start-up: base, health, authority, version, key, catalog") {
  ApiRig rig;
  CHECK(rig.call(rig.token, "GET", "").status == 200);
  CHECK(rig.call("", "GET", "").status == 403);
  CHECK(rig.call("", "GET", "/").status == 200);
  CHECK(rig.call("", "GET", "/health").body == R"({"status":"ok"})");
  CHECK(rig.call(rig.token, "GET", "/accounts/authority").body ==
        R"({"role":"fullaccess","user_name":"nobody","user_role":"regular"})");
  CHECK(rig.call(rig.reader, "GET", "/accounts/authority").body ==
        R"({"role":"readonly","user_name":"nobody","user_role":"regular"})");
  CHECK(rig.call(rig.token, "GET", "/publickey").body == R"({"publickey":"ssh-ed25519 AAAA vcc"})");
  CHECK(rig.call(rig.token, "GET", "/version").body ==
        fmt::format(R"({{"version":"{}","git_tag":"{}","plugin":{{"fake":"1.0"}}}})", kVersion, kGitTag));
  const std::string catalog = rig.call(rig.token, "GET", "/vpn_catalog").body;
  CHECK(catalog.rfind(R"({"vpn_catalog":{)", 0) == 0);
  CHECK(contains(catalog, R"("private_network_ipmask":"10.0.0.0/24")"));
  CHECK(rig.call(rig.token, "GET", "/vcs").body == R"({"vcs":[]})");
}

TEST_CASE("a driver that is not loaded is not in /version") {
  ApiRig rig;
  rig.registry.unload();
  CHECK(contains(rig.call(rig.token, "GET", "/version").body, R"("plugin":{})"));
}

TEST_CASE("the way of the SDK: group, unit, nodes and back, each step seen in the first read") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "handson");
  CHECK(contains(rig.call(rig.token, "GET", "/vcs").body, vcid));
  rig.makeUnit(vcid, "web", 2);
  const std::string vc = rig.call(rig.token, "GET", "/vcs/" + vcid).body;
  CHECK(contains(vc, R"("name":"web")"));
  CHECK(contains(vc, R"("state":"BOOTING")"));
  CHECK(contains(vc, R"("state":"APPLYING")"));
  CHECK(rig.woken.size() == 2);

  const std::string unit = rig.call(rig.token, "GET", "/vcs/" + vcid + "/web").body;
  CHECK(unit.front() == '{');
  CHECK(unit.back() == '}');
  CHECK(contains(vc, unit));
  const std::string node = rig.call(rig.token, "GET", "/vcs/" + vcid + "/web/" + nodeId(unit)).body;
  CHECK(contains(unit, node));

  CHECK(rig.call(rig.token, "PUT", "/vcs/" + vcid + "/web",
                 R"({"ip_address_list": ["10.0.0.9"], "mac_address_list": [], "num_nodes": 1})")
            .status == 202);
  CHECK(contains(rig.call(rig.token, "GET", "/vcs/" + vcid + "/web").body, R"("cloud_instance_address":"10.0.0.9")"));
  CHECK(rig.call(rig.token, "PUT", "/vcs/" + vcid + "/web", R"({"ip_address_list": ["10.0.0.9"]})").status == 409);

  CHECK(rig.call(rig.token, "DELETE", "/vcs/" + vcid + "/web/" + nodeId(unit), "{}").status == 202);
  CHECK(contains(rig.call(rig.token, "GET", "/vcs/" + vcid + "/web/" + nodeId(unit)).body, R"("state":"DELETING")"));
  CHECK(rig.call(rig.token, "DELETE", "/vcs/" + vcid + "/web", R"({"force": "false"})").status == 409);
  CHECK(rig.call(rig.token, "DELETE", "/vcs/" + vcid, R"({"force": false})").status == 409);
  CHECK(rig.call(rig.token, "DELETE", "/vcs/" + vcid, R"({"force": "true"})").status == 202);
  CHECK(contains(rig.call(rig.token, "GET", "/vcs/" + vcid).body, R"("state":"DELETING")"));
}

TEST_CASE("an empty group goes at once, and is 404 then") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "empty");
  CHECK(rig.call(rig.token, "DELETE", "/vcs/" + vcid).status == 202);
  const HttpAnswer gone = rig.call(rig.token, "GET", "/vcs/" + vcid);
  CHECK(gone.status == 404);
  CHECK(contains(gone.body, "VCPNotFoundException"));
}

TEST_CASE("another user's group is 403 for every verb, 200 for a privileged super") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "mine");
  rig.makeUnit(vcid, "web", 1);
  const std::string node = nodeId(rig.call(rig.token, "GET", "/vcs/" + vcid + "/web").body);
  const std::string unit_body = "{\"info\": \"" + unitCci("x", 1) + "\", \"unit_name\": \"x\"}";
  const struct {
    const char* method;
    std::string path;
    std::string body;
  } calls[] = {{"GET", "", ""},
               {"PUT", "", "{}"},
               {"PATCH", "", R"({"owner": "other", "operation": "change_owner"})"},
               {"DELETE", "", R"({"force": "true"})"},
               {"POST", "", unit_body},
               {"GET", "/web", ""},
               {"PUT", "/web", R"({"num_nodes": 1})"},
               {"DELETE", "/web", R"({"force": "true"})"},
               {"GET", "/web/" + node, ""},
               {"DELETE", "/web/" + node, "{}"}};
  for (const auto& call : calls) {
    CAPTURE(call.method);
    CAPTURE(call.path);
    const HttpAnswer answer = rig.call(rig.other, call.method, "/vcs/" + vcid + call.path, call.body);
    CHECK(answer.status == 403);
    CHECK(contains(answer.body, "VCPAuthException"));
    CHECK(rig.call(rig.super, call.method, "/vcs/" + vcid + call.path, call.body).status == 403);
  }
  CHECK(rig.call(rig.other, "GET", "/vcs").body == R"({"vcs":[]})");
  CHECK(rig.call(rig.super, "GET", "/vcs/" + vcid, "", "True").status == 200);
  CHECK(contains(rig.call(rig.super, "GET", "/vcs", "", "True").body, vcid));
  CHECK(rig.call(rig.other, "GET", "/vcs", "", "True").status == 403);
}

TEST_CASE("change owner and rename show at once, in the cached text too") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "old");
  CHECK(contains(rig.call(rig.token, "GET", "/vcs").body, R"("name":"old")"));
  CHECK(rig.call(rig.token, "PUT", "/vcs/" + vcid, "{\"cci\": \"" + vcCci("new") + "\"}").status == 202);
  CHECK(contains(rig.call(rig.token, "GET", "/vcs").body, R"("name":"new")"));
  CHECK(rig.call(rig.token, "PATCH", "/vcs/" + vcid, R"({"owner": "ghost", "operation": "change_owner"})").status ==
        400);
  CHECK(rig.call(rig.token, "PATCH", "/vcs/" + vcid, R"({"owner": "other", "operation": "explode"})").status == 400);
  CHECK(rig.call(rig.token, "PATCH", "/vcs/" + vcid, R"({"owner": "other", "operation": "change_owner"})").status ==
        202);
  CHECK(rig.call(rig.token, "GET", "/vcs/" + vcid).status == 403);
  CHECK(contains(rig.call(rig.other, "GET", "/vcs/" + vcid).body, R"("owner":"other")"));
}

TEST_CASE("readonly tokens look and do not touch") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "x");
  CHECK(rig.call(rig.reader, "GET", "/vcs/" + vcid).status == 200);
  CHECK(rig.call(rig.reader, "DELETE", "/vcs/" + vcid, "{}").status == 403);
  CHECK(rig.call(rig.reader, "POST", "/vcs", "{\"cci\": \"" + vcCci("y") + "\"}").status == 403);
}

TEST_CASE("bad input is answered with its status and the field's name") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "x");
  rig.makeUnit(vcid, "web", 1);
  const struct {
    const char* method;
    std::string path;
    std::string body;
    int status;
    const char* says;
  } calls[] = {
      {"POST", "/vcs", "{\"cci\": \"***\"}", 400, "cci"},
      {"POST", "/vcs", "{\"cci\": 5}", 400, "\\\"cci\\\" must be a string"},
      {"POST", "/vcs", "[]", 400, "JSON object"},
      {"POST", "/vcs/" + vcid, "{\"info\": \"***\", \"unit_name\": \"u\"}", 400, "info"},
      {"POST", "/vcs/" + vcid, "{\"info\": \"" + base64Encode("{[") + "\", \"unit_name\": \"u\"}", 400, "info: line 1"},
      {"POST", "/vcs/" + vcid, "{\"info\": \"" + unitCci("web", 1) + "\", \"unit_name\": \"web\"}", 409, "web"},
      {"POST", "/vcs/" + vcid, "{\"info\": \"" + unitCci("web", 1) + "\", \"unit_name\": \"../x\"}", 400, "unit_name"},
      {"POST", "/vcs/00000000000000000000000000000000", "{\"info\": \"" + unitCci("w", 1) + "\", \"unit_name\": \"w\"}",
       404, "does not exist"},
      {"PUT", "/vcs/" + vcid + "/web", "{}", 400, "num_nodes"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": 0})", 400, "num_nodes"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": -1})", 400, "num_nodes"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": "1"})", 400, "num_nodes"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": 2, "ip_address_list": ["10.0.0.5"]})", 400, "num_nodes"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": 1, "mac_address_list": ["00:00:00:00:00:01"]})", 400, "mac"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": 1, "ip_address_list": "10.0.0.5"})", 400, "ip_address_list"},
      {"PUT", "/vcs/" + vcid + "/web", R"({"num_nodes": 1, "ip_address_list": ["192.168.7.7"]})", 400, "192.168.7.7"},
      {"PUT", "/vcs/" + vcid + "/nope", R"({"num_nodes": 1})", 404, "nope"},
      {"DELETE", "/vcs/" + vcid + "/web", R"({"force": "perhaps"})", 400, "force"},
      {"GET", "/vcs/" + vcid + "/nope", "", 404, "nope"},
      {"GET", "/vcs/" + vcid + "/web/00000000000000000000000000000000", "", 404, "does not exist"},
      {"GET", "/vcs/" + vcid + "/%00", "", 400, "NUL"},
      {"GET", "/nothing/here", "", 404, "/nothing/here"},
      {"DELETE", "/vcs", "", 405, "GET, HEAD, POST"},
      {"PATCH", "/vcs/" + vcid + "/web/suspend", "{}", 405, "GET"},
  };
  for (const auto& call : calls) {
    CAPTURE(call.method);
    CAPTURE(call.path);
    CAPTURE(call.body);
    const HttpAnswer answer = rig.call(rig.token, call.method, call.path, call.body);
    CHECK(answer.status == call.status);
    CHECK(answer.body.rfind("{\"message\":\"2022/09/27 15:32:57 UTC: VCP", 0) == 0);
    CAPTURE(answer.body);
    CHECK(contains(answer.body, call.says));
  }
  CHECK(rig.call(rig.token, "GET", "/vcs").status == 200);
}

TEST_CASE("OPTIONS and 405 name the methods") {
  ApiRig rig;
  const HttpAnswer options = rig.call("", "OPTIONS", "/vcs");
  CHECK(options.status == 200);
  REQUIRE(options.headers.size() == 1);
  CHECK(options.headers[0] == std::pair<std::string, std::string>("Allow", "GET, HEAD, POST, OPTIONS"));
  const HttpAnswer wrong = rig.call("", "DELETE", "/vcs");
  CHECK(wrong.status == 405);
  REQUIRE(wrong.headers.size() == 1);
  CHECK(wrong.headers[0].second == "GET, HEAD, POST");
}
