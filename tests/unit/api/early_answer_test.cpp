// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

HttpAnswer addUnit(ApiRig& rig, const std::string& vcid, const std::string& name) {
  return rig.call(rig.token, "POST", "/vcs/" + vcid,
                  "{\"info\": \"" + unitCci(name, 1) + "\", \"unit_name\": \"" + name + "\"}");
}

std::string check(ApiRig& rig, const std::string& body) {
  return rig.administer("POST", "/providers/check", body).body;
}

}  // namespace

TEST_CASE("credentials that the cloud refuses are 403 at once, and nothing is made") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "g");
  rig.driver->probe_answer = unauthenticated("who are you").withProviderCode("AuthFailure");
  const HttpAnswer refused = addUnit(rig, vcid, "u");
  CHECK(refused.status == 403);
  CHECK(refused.body ==
        fmt::format(R"({{"message":"2022/09/27 15:32:57 UTC: VCPAuthException: {}: the cloud of provider fake )"
                    R"(refuses the credentials: who are you [AuthFailure]; correct them, or what they )"
                    R"(may do"}})",
                    rig.token.substr(0, 8)));
  CHECK(contains(rig.call(rig.token, "GET", "/vcs/" + vcid).body, R"("unit":[])"));
  rig.driver->probe_answer = invalidArgument("no such subnet");
  CHECK(addUnit(rig, vcid, "u").status == 400);
}

TEST_CASE("a cloud that cannot tell refuses nothing") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "g");
  rig.driver->probe_answer = unavailable("down");
  CHECK(addUnit(rig, vcid, "u").status == 202);
}

TEST_CASE("what is wrong without the cloud is refused without asking it") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "g");
  CHECK(addUnit(rig, vcid, "../u").status == 400);
  CHECK(addUnit(rig, "0", "u").status == 404);
  CHECK(rig.call(rig.other, "POST", "/vcs/" + vcid, "{\"info\": \"" + unitCci("u", 1) + "\", \"unit_name\": \"u\"}")
            .status == 403);
  CHECK(rig.driver->probed.empty());
}

TEST_CASE("an administrator asks the same") {
  ApiRig rig;
  rig.driver->facts.secret_keys = {"key"};
  CHECK(
      check(rig, R"({"provider": "fake", "credentials": "{\"key\": \"secret-value\"}"})") ==
      R"({"provider":"fake","network":"default","instance":"fake","state":"ok","code":"OK","provider_code":"","message":"","ms":0})");
  CHECK(rig.driver->probed == std::vector<std::string>{R"({"key":"secret-value"})"});
  rig.driver->probe_answer = permissionDenied("secret-value may not").withProviderCode("Forbidden");
  const std::string refused = check(rig, R"({"provider": "fake", "credentials": "{\"key\": \"secret-value\"}"})");
  CHECK(contains(
      refused, R"("state":"refused","code":"PERMISSION_DENIED","provider_code":"Forbidden","message":"*** may not")"));
  rig.driver->probe_answer = unavailable("down");
  CHECK(contains(check(rig, R"({"provider": "fake"})"), R"("state":"unknown")"));
}

TEST_CASE("what an administrator may ask") {
  ApiRig rig;
  rig.driver->facts.secret_keys = {"key"};
  CHECK(rig.administer("POST", "/providers/check", R"({"provider": "acme"})").status == 404);
  CHECK(rig.administer("POST", "/providers/check", "{}").status == 404);
  for (const char* body :
       {R"({"provider": "fake", "network": "nowhere"})",
        R"({"provider": "fake", "credentials": "{\"colour\": \"x\"}"})", R"({"provider": "fake", "credentials": "[]"})",
        R"({"provider": "fake", "credentials": {}})",
        R"({"provider": "fake", "credentials": "{\"key\": \"vault://cubbyhole/a\"}"})", R"({"provider": 5})"}) {
    CAPTURE(body);
    CHECK(rig.administer("POST", "/providers/check", body).status == 400);
  }
  CHECK(rig.driver->probed.empty());
  rig.registry.unload();
  CHECK(rig.administer("POST", "/providers/check", R"({"provider": "fake"})").status == 503);
}
