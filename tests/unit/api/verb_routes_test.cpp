// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct VerbApiRig : ApiRig {
  std::string vcid = makeVc(token, "g");
  std::string unit = "/vcs/" + vcid + "/web";

  explicit VerbApiRig(int nodes = 2) { makeUnit(vcid, "web", nodes); }
  HttpAnswer patch(const std::string& path, const std::string& who = "") {
    return call(who.empty() ? token : who, "PATCH", unit + path, "{}");
  }
  std::string read(const std::string& path = "") { return call(token, "GET", unit + path).body; }
  std::string firstNode() {
    const std::string body = read();
    return "/" + body.substr(body.find("\"node_id\":\"") + 11, 32);
  }
  /// What the engine would do.
  void settle(Goal goal) {
    REQUIRE(store
                ->transact([&](Tx& tx) -> Status {
                  std::vector<Node> nodes;
                  tx.nodes().scan([&](const Node& node) {
                    nodes.push_back(node);
                    return true;
                  });
                  for (Node& node : nodes) {
                    node.goal = goal;
                    node.reached_seq = node.goal_seq;
                    node.state = settledState(goal);
                    VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
                  }
                  return okStatus();
                })
                .ok());
  }
};

struct Operation {
  const char* name;
  Goal from;
  const char* shown;  // in the first read after the 202
  Goal refused_from;
};
constexpr Operation kOperations[] = {{"suspend", Goal::kRunning, "SUSPENDING", Goal::kStopped},
                                     {"resume", Goal::kSuspended, "RESUMING", Goal::kPowerOff},
                                     {"power_off", Goal::kRunning, "SHUTTING_DOWN", Goal::kStopped},
                                     {"power_on", Goal::kPowerOff, "BOOTING", Goal::kSuspended},
                                     {"stop", Goal::kPowerOff, "STOPPING", Goal::kGone},
                                     {"start", Goal::kStopped, "BOOTING", Goal::kSuspended}};

}  // namespace

TEST_CASE("each operation of a unit and of a node: 202, and the first read shows it; or the documented conflict") {
  for (const Operation& operation : kOperations) {
    CAPTURE(operation.name);
    const std::string verb = std::string("/") + operation.name;
    const std::string state = std::string("\"state\":\"") + operation.shown + "\"";
    VerbApiRig rig;
    rig.settle(operation.from);
    rig.woken.clear();
    const HttpAnswer of_node = rig.patch(rig.firstNode() + verb);
    CHECK(of_node.status == 202);
    CHECK(of_node.body == "{}");
    CHECK(contains(rig.read(rig.firstNode()), state));
    CHECK(rig.woken.size() == 1);
    CHECK(contains(rig.read(), "\"state\":\"INDEFINITE\""));
    CHECK(rig.patch(verb).status == 202);
    CHECK(contains(rig.read(), state));
    CHECK(rig.woken.size() == 2);
    CHECK(rig.patch(rig.firstNode() + verb).status == 202);  // asked again: nothing changes
    CHECK(rig.woken.size() == 2);

    rig.settle(operation.refused_from);
    for (const std::string& path : {verb, rig.firstNode() + verb}) {
      const HttpAnswer refused = rig.patch(path);
      CHECK(refused.status == 409);
      CHECK(contains(refused.body, "UTC: VCPStateConflictException: " + rig.vcid + ":web:| Conflict: node "));
    }
    CHECK(rig.woken.size() == 2);
  }
}

TEST_CASE("watch and unwatch") {
  VerbApiRig rig;
  CHECK(rig.patch(rig.firstNode() + "/unwatch").status == 202);
  CHECK(contains(rig.read(rig.firstNode()), "\"watch_mode\":false"));
  CHECK(contains(rig.read(), "\"watch_mode\":true"));
  CHECK(rig.patch("/unwatch").status == 202);
  CHECK_FALSE(contains(rig.read(), "\"watch_mode\":true"));
  CHECK(rig.patch("/watch").status == 202);
  CHECK_FALSE(contains(rig.read(), "\"watch_mode\":false"));
  CHECK(contains(rig.read(), "\"state\":\"BOOTING\""));
}

TEST_CASE("clear_processing settles what is under way") {
  VerbApiRig rig;
  CHECK(contains(rig.read(), "\"state\":\"BOOTING\""));
  CHECK(rig.patch("/clear_processing").status == 202);
  CHECK(contains(rig.read(), "\"state\":\"STOPPED\""));
  CHECK(rig.patch("/clear_processing").status == 202);
  CHECK(rig.patch(rig.firstNode() + "/clear_processing").status == 404);
}

TEST_CASE("a backup is a conflict that says what to do instead") {
  VerbApiRig rig;
  const HttpAnswer refused = rig.call(rig.token, "GET", rig.unit + rig.firstNode() + "/backup");
  CHECK(refused.status == 409);
  CHECK(contains(refused.body, "VCPStateConflictException"));
  CHECK(contains(refused.body, "push it to a registry"));
  CHECK(rig.call(rig.token, "GET", rig.unit + "/0123/backup").status == 404);
}

TEST_CASE("who may not see or change a group may not operate it either") {
  VerbApiRig rig;
  const std::string node = rig.firstNode();
  for (const std::string verb : {"suspend", "resume", "power_off", "power_on", "stop", "start", "watch", "unwatch"}) {
    CAPTURE(verb);
    for (const std::string& path : {"/" + verb, node + "/" + verb}) {
      CHECK(rig.patch(path, rig.other).status == 403);
      CHECK(rig.patch(path, rig.reader).status == 403);
      CHECK(rig.call("", "PATCH", rig.unit + path, "{}").status == 403);
    }
  }
  CHECK(rig.patch("/clear_processing", rig.other).status == 403);
  CHECK(rig.call(rig.other, "GET", rig.unit + node + "/backup").status == 403);
  CHECK(contains(rig.read(), "\"state\":\"BOOTING\""));
}

TEST_CASE("ten nodes are switched off one by one while the unit is of two minds") {
  VerbApiRig rig(10);
  rig.settle(Goal::kRunning);
  const std::string body = rig.read();
  std::size_t off = 0;
  for (std::size_t at = body.find("\"node_id\":\""); at != std::string::npos;
       at = body.find("\"node_id\":\"", at + 1)) {
    CHECK(rig.patch("/" + body.substr(at + 11, 32) + "/power_off").status == 202);
    ++off;
  }
  CHECK(off == 10);
  CHECK(contains(rig.read(), "\"state\":\"SHUTTING_DOWN\""));
}

TEST_CASE("administrators clear processing and set states of any user's nodes") {
  VerbApiRig rig;
  const std::string unit = "/vcs/" + rig.vcid + "/web";
  CHECK(rig.administer("POST", unit + "/clear_processing").status == 200);
  CHECK(contains(rig.read(), "\"state\":\"STOPPED\""));
  CHECK(rig.administer("POST", "/vcs/" + rig.vcid + "/nope/clear_processing").status == 404);
  CHECK(rig.administer("POST", unit + "/2/state", R"({"state": "POWER_OFF"})").status == 200);
  CHECK(contains(rig.read(), "\"state\":\"INDEFINITE\""));
  CHECK(contains(rig.read(), "\"state\":\"POWER_OFF\""));
  CHECK(contains(rig.administer("GET", "/events").body, "set by administrator (uid=0 pid=1)"));
  CHECK(rig.administer("POST", unit + "/2/state", R"({"state": "HOST_ERROR"})").status == 200);
  CHECK(contains(rig.read(), "\"state\":\"HOST_ERROR\""));
  CHECK(rig.administer("POST", unit + "/9/state", R"({"state": "RUNNING"})").status == 404);
  CHECK(rig.administer("POST", unit + "/x/state", R"({"state": "RUNNING"})").status == 400);
  for (const char* state : {"BOOTING", "DELETING", "INDEFINITE", "running", ""}) {
    CHECK(rig.administer("POST", unit + "/1/state", std::string(R"({"state": ")") + state + "\"}").status == 400);
  }
  CHECK(rig.call(rig.token, "DELETE", rig.unit, R"({"force": "true"})").status == 202);
  CHECK(rig.administer("POST", unit + "/1/state", R"({"state": "RUNNING"})").status == 409);
  CHECK(rig.administer("POST", unit + "/clear_processing").status == 409);
}

TEST_CASE("a state that an administrator sets with a check behind it is one that the cloud admits") {
  VerbApiRig rig;
  const std::string path = "/vcs/" + rig.vcid + "/web/2/state";
  const auto set = [&](const std::string& state) {
    return rig.administer("POST", path, R"({"check": "c1", "state": ")" + state + "\"}");
  };
  CheckLine line;
  line.vcid = rig.vcid;
  line.unit = "web";
  line.cloud = "STOPPED";
  line.node_no = 1;
  rig.check_report.lines.push_back(line);
  CHECK(contains(set("RUNNING").body, "has not ended yet"));
  rig.check_report.done = true;
  CHECK(set("RUNNING").status == 404);  // it knows of the other node only
  line.node_no = 2;
  rig.check_report.lines.push_back(line);
  const HttpAnswer refused = set("RUNNING");
  CHECK(refused.status == 409);
  CHECK(contains(refused.body, "node 2 of unit web was not set: the cloud says STOPPED"));
  CHECK_FALSE(contains(rig.read(), "\"state\":\"RUNNING\""));
  rig.check_report.lines.back().cloud = "not known";
  CHECK(set("POWER_OFF").status == 503);
  rig.check_report.lines.back().cloud = "STOPPED";
  CHECK(set("POWER_OFF").status == 200);
  CHECK(contains(rig.read(), "\"state\":\"POWER_OFF\""));
  CHECK(rig.administer("POST", path, R"({"check": "c2", "state": "POWER_OFF"})").status == 404);
}
