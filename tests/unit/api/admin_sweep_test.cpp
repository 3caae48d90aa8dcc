// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

const std::string kId = "00000000000000000000000000000001";

struct SweepRig : ApiRig {
  std::string name = "vcp-" + std::string(kVccId).substr(0, 8) + "-0123456789abcdef0123";

  SweepRig() {
    REQUIRE(store
                ->transact([&](Tx& tx) -> Status {
                  VCC_RETURN_IF_ERROR(tx.sweepPlaces().put(
                      {.scope = "fake/default/f/e", .instance = "fake", .network = "default", .tried_at = 7}));
                  VCC_RETURN_IF_ERROR(tx.sweepPlaces().put({.scope = "no/default/f/e", .instance = "no"}));
                  Stray stray;
                  stray.stray_id = kId;
                  stray.instance = "fake";
                  stray.name = name;
                  stray.cloud_id = "i-\"1\"";
                  stray.resources = {{"nic", "n", "eni-1"}};
                  return tx.strays().put(stray);
                })
                .ok());
  }
};

}  // namespace

TEST_CASE("sweep: places and objects, and asking for one") {
  SweepRig rig;
  const std::string body = rig.administer("GET", "/sweep").body;
  CHECK(contains(body, R"({"instance":"fake","network":"default","grant":"","driver":true,"used_ms":0,"tried_ms":7,)"));
  CHECK(contains(body, R"({"instance":"no","network":"","grant":"","driver":false,)"));
  CHECK(contains(body, R"("id":")" + kId + R"(","instance":"fake","name":")" + rig.name + R"(","cloud_id":"i-\"1\"")"));
  CHECK(contains(body, R"("resources":[{"kind":"nic","name":"n","id":"eni-1"}])"));
  CHECK(rig.administer("POST", "/sweep").body == R"({"asked_ms":1664292777000})");
  CHECK(rig.sweeps_asked == 1);
}

TEST_CASE("sweep: deleting one takes its id and its name") {
  SweepRig rig;
  const auto ask = [&](const std::string& id, const std::string& name) {
    return rig.administer("POST", "/sweep/" + id + "/delete", R"({"name": ")" + name + R"("})").status;
  };
  CHECK(ask(kId, "another") == 400);
  CHECK(ask("2", rig.name) == 404);
  CHECK(rig.woken.empty());
  CHECK(ask(kId, rig.name) == 200);
  CHECK(rig.woken == std::vector<std::string>{kId});
  CHECK(contains(rig.administer("GET", "/sweep").body, R"x("deleted_by":"administrator (uid=0 pid=1)")x"));
  CHECK(contains(rig.administer("GET", "/events").body, R"("from":"unknown","to":"deleting")"));
}

TEST_CASE("check: begun, asked for, and what there is not") {
  ApiRig rig;
  CHECK(rig.administer("POST", "/checks", R"({"vcid": "nosuch"})").status == 404);
  CHECK(rig.administer("POST", "/checks").body == R"({"check":"c1"})");
  CHECK(rig.administer("GET", "/checks/c2").status == 404);
  rig.check_report.expected = 2;
  CHECK(rig.administer("GET", "/checks/c1").body == R"({"done":false,"looks":0,"expected":2,"lines":[]})");
  CheckLine line;
  line.vcid = "v";
  line.node_no = 3;
  line.record = "RUNNING";
  line.monitor = "-";
  line.difference = "the cloud does not have the machine";
  rig.check_report.done = true;
  rig.check_report.lines = {line};
  const std::string body = rig.administer("GET", "/checks/c1").body;
  CHECK(contains(body, R"("record":"RUNNING","cloud":"","container":"","monitor":"-","difference":"the cloud does)"));
  CHECK(contains(body, R"("node_no":3,)"));
}
