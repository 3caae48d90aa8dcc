// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"
#include "base/version.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("status tells everything, refused drivers with their reason") {
  ApiRig rig;
  CHECK(
      rig.administer("GET", "/status").body ==
      fmt::format(
          R"({{"version":"{}","git_tag":"{}","pid":17,"uptime_s":5,"vcc_id":"{}","data_dir":"",)"
          R"("evaluation":true,"simulated_hosts":false,"serf":"off","store":{{"healthy":true,"reason":""}},)"
          R"("engine":{{"fence":3,"nodes":5,"unsettled":2,"open_ops":1,"on_older_entry":0,"jobs":1,"queue":0,"watched":0}},"conditions":[],)"
          R"("drivers":[{{"instance":"fake","providers":["fake"],"state":"loaded","version":"1.0",)"
          R"("simulated_hosts":true,"reason_id":"","reason":""}}],"catalog_providers":["fake"],)"
          R"("listeners":["https://127.0.0.1:8443"]}})",
          kVersion, kGitTag, kVccId));
  rig.registry.unload();
  CHECK(contains(
      rig.administer("GET", "/status").body,
      R"("state":"refused","version":"","simulated_hosts":false,"reason_id":"","reason":"refused by the test")"));
}

TEST_CASE("users") {
  ApiRig rig;
  CHECK(rig.administer("POST", "/users", R"({"name": "anna", "role": "super"})").status == 200);
  CHECK(rig.administer("POST", "/users", R"({"name": "anna"})").status == 409);
  CHECK(rig.administer("POST", "/users", R"({"name": "a b"})").status == 400);
  CHECK(rig.administer("POST", "/users", R"({"name": "bob", "role": "king"})").status == 400);
  CHECK(contains(rig.administer("GET", "/users").body, R"({"name":"anna","role":"super","cdate":)"));
}

TEST_CASE("a token is shown once, works, is listed by its head, and ends when revoked") {
  ApiRig rig;
  const HttpAnswer made = rig.administer("POST", "/tokens", R"({"user": "other", "note": "class 3", "days": 7})");
  REQUIRE(made.status == 200);
  const std::string token = made.body.substr(10, 28);  // {"token":"
  CHECK(token.rfind("s.", 0) == 0);
  CHECK(rig.call(token, "GET", "/vcs").status == 200);
  const std::string list = rig.administer("GET", "/tokens").body;
  CHECK(contains(list, "\"head\":\"" + token.substr(0, 8) + "\""));
  CHECK(contains(list, "class 3"));
  CHECK_FALSE(contains(list, token));
  CHECK(rig.administer("POST", "/tokens/revoke", "{\"token\": \"" + token + "\"}").status == 200);
  CHECK(rig.call(token, "GET", "/vcs").status == 403);
  CHECK(rig.administer("POST", "/tokens/revoke", "{\"token\": \"" + token + "\"}").status == 404);
}

TEST_CASE("tokens expire; wrong requests are refused") {
  ApiRig rig;
  const std::string token = rig.administer("POST", "/tokens", R"({"days": 1})").body.substr(10, 28);
  CHECK(rig.call(token, "GET", "/vcs").status == 200);
  rig.clock.advance(std::int64_t{25} * 3600 * 1000);
  CHECK(rig.call(token, "GET", "/vcs").status == 403);
  CHECK(rig.administer("POST", "/tokens", R"({"user": "ghost"})").status / 100 == 4);
  CHECK(rig.administer("POST", "/tokens", R"({"role": "root"})").status == 400);
  CHECK(rig.administer("POST", "/tokens", R"({"days": -1})").status == 400);
  CHECK(rig.administer("POST", "/tokens", "{\"note\": \"" + std::string(2000, 'x') + "\"}").status == 400);
  CHECK(rig.administer("DELETE", "/tokens").status == 405);
  CHECK(rig.administer("GET", "/units").status == 404);
}

TEST_CASE("plugins: what each declares, or why it was refused and what to do") {
  ApiRig rig;
  rig.driver->facts.can_power = true;
  rig.driver->facts.abi = "0.9";
  rig.driver->facts.concurrency = 7;
  const std::string loaded = rig.administer("GET", "/plugins").body;
  CAPTURE(loaded);
  CHECK(contains(loaded, R"({"plugins":[{"instance":"fake",)"));
  CHECK(contains(loaded, R"("providers":["fake"],"state":"loaded",)"));
  CHECK(contains(loaded, R"("id":"test.fake",)"));
  CHECK(contains(loaded, R"("version":"1.0","abi":"0.9","capabilities":["power","simulated_hosts"],"extensions":[],)"));
  CHECK(contains(loaded, R"("idempotency":"token","existence":"observed","concurrency":7,)"));
  rig.registry.unload();
  const std::string refused = rig.administer("GET", "/plugins").body;
  CHECK(contains(refused, R"("state":"refused",)"));
  CHECK(contains(refused, R"("reason":"refused by the test")"));
}

TEST_CASE("plugins: a load is passed on, and a refused instance is an answer") {
  ApiRig rig;
  std::string asked;
  rig.load_plugin = [&](const std::string& name) -> Result<std::vector<DriverSlot>> {
    asked = name;
    if (name.empty()) return invalidArgument("no name");
    if (name == "none") return notFound("no file");
    DriverSlot bad;
    bad.instance = name;
    bad.file = name + ".yml";
    bad.refusal_id = "PLUGIN_NEEDS_RESTART";
    bad.refusal = failedPrecondition("it is loaded");
    DriverSlot good;
    good.instance = "good";
    good.driver = rig.driver;
    return std::vector<DriverSlot>{bad, good};
  };
  const HttpAnswer answer = rig.administer("POST", "/plugins/load", R"({"name": "x"})");
  CAPTURE(answer.body);
  CHECK(answer.status == 200);
  CHECK(asked == "x");
  CHECK(contains(answer.body, R"("instance":"x","file":"x.yml",)"));
  CHECK(contains(answer.body, R"("reason_id":"PLUGIN_NEEDS_RESTART","reason":"it is loaded","remedy":"restart)"));
  CHECK(contains(answer.body, R"("instance":"good","file":"","providers":[],"state":"loaded")"));
  CHECK(rig.administer("POST", "/plugins/load", "{}").status == 400);
  CHECK(rig.administer("POST", "/plugins/load", R"({"name": "none"})").status == 404);
  CHECK(rig.administer("POST", "/plugins/load", R"({"name": 5})").status == 400);
  CHECK(rig.administer("POST", "/plugins/load", "x").status == 400);
}
