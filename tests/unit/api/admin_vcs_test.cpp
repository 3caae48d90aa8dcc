// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// The text behind the last `"key":"` of `json`.
std::string lastText(const std::string& json, const std::string& key) {
  const std::string head = "\"" + key + "\":\"";
  const std::size_t at = json.rfind(head);
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at + head.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

std::size_t countOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// A store that keeps few events, and somebody who writes them.
struct EventRig : ApiRig {
  EventRig() {
    options.events_keep = 10;
    start();
  }
  void write(int count, const std::string& vcid = "v") {
    REQUIRE(store
                ->transact([&](Tx& tx) {
                  for (int i = 0; i < count; ++i) {
                    VCC_RETURN_IF_ERROR(tx.events().put({.seq = tx.nextCounter("event"), .at = 5, .vcid = vcid}));
                  }
                  return okStatus();
                })
                .ok());
  }
  std::string events(const std::string& query) {
    const HttpAnswer answer = administer("GET", "/events" + query);
    INFO(answer.body);
    REQUIRE(answer.status == 200);
    return answer.body;
  }
};

}  // namespace

TEST_CASE("events: a UnitGroup's life, oldest first") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "group");
  rig.makeUnit(vcid, "web", 1);
  rig.makeVc(rig.other, "another");
  const std::string all = rig.administer("GET", "/events").body;
  CHECK(countOf(all, "\"at_ms\":1664292777000") == 4);
  const std::string own = rig.administer("GET", "/events?vcid=" + vcid).body;
  CHECK(countOf(own, "\"at_ms\"") == 3);
  CHECK(contains(own, R"("object":"vc group","object_id":")" + vcid +
                          R"(","from":"","to":"RUNNING","reason":"created by nobody","op":""},{"cursor")"));
  CHECK(own.find("unit web") < own.find("node 1 of unit web"));
  CHECK(contains(own, R"("lost":false)"));
  CHECK_FALSE(contains(own, "another"));
  CHECK(rig.administer("GET", "/events?vcid=nothing").body.starts_with(R"({"events":[],"cursor":")"));
}

TEST_CASE("events: a cursor leads through all of them, in pages") {
  EventRig rig;
  const std::string start = lastText(rig.events(""), "cursor");
  CHECK(contains(rig.events("?after=" + start), R"({"events":[],)"));
  rig.write(5);
  const std::string first = rig.events("?limit=2&after=" + start);
  CHECK(countOf(first, "\"at_ms\"") == 2);
  CHECK_FALSE(contains(first, "\"lost\":true"));
  const std::string second = rig.events("?limit=100&after=" + lastText(first, "cursor"));
  CHECK(countOf(second, "\"at_ms\"") == 3);
  const std::string end = lastText(second, "cursor");
  CHECK(countOf(rig.events("?after=" + end), "\"at_ms\"") == 0);
  CHECK(lastText(rig.events("?after=" + end), "cursor") == end);
  CHECK(countOf(rig.events("?limit=3"), "\"at_ms\"") == 3);  // the latest
  CHECK(lastText(rig.events("?limit=3"), "cursor") == end);
}

TEST_CASE("events: a cursor goes on past what a filter leaves out") {
  EventRig rig;
  rig.write(1, "a");
  const std::string before = lastText(rig.events(""), "cursor");
  rig.write(3, "b");
  const std::string none = rig.events("?vcid=a&after=" + before);
  CHECK(contains(none, R"({"events":[],)"));
  CHECK(lastText(none, "cursor") != before);
  rig.write(1, "a");
  CHECK(countOf(rig.events("?vcid=a&after=" + lastText(none, "cursor")), "\"at_ms\"") == 1);
}

TEST_CASE("events: what was dropped before it was asked for is said to be lost") {
  EventRig rig;
  const std::string beginning = lastText(rig.events(""), "cursor");
  rig.write(1);
  const std::string old = lastText(rig.events(""), "cursor");
  rig.write(10);  // drops just the one that `old` stands at
  const std::string whole = rig.events("?after=" + old);
  CHECK(countOf(whole, "\"at_ms\"") == 10);
  CHECK(contains(whole, "\"lost\":false"));
  CHECK(contains(rig.events("?after=" + beginning), "\"lost\":true"));
  rig.write(1);
  const std::string rest = rig.events("?after=" + old);
  CHECK(countOf(rest, "\"at_ms\"") == 10);
  CHECK(contains(rest, "\"lost\":true"));
  CHECK(contains(rig.events("?after=" + lastText(rest, "cursor")), "\"lost\":false"));
}

TEST_CASE("events: a cursor from ahead of the store begins anew at its end") {
  EventRig rig;
  rig.write(5);
  const std::string ahead = lastText(rig.events(""), "cursor");
  rig.start();  // as if an older copy of the data had been put in place
  rig.write(2);
  const std::string answer = rig.events("?after=" + ahead);
  CHECK(contains(answer, R"({"events":[],)"));
  CHECK(contains(answer, "\"lost\":true"));
  rig.write(1);
  CHECK(countOf(rig.events("?after=" + lastText(answer, "cursor")), "\"at_ms\"") == 1);
}

TEST_CASE("events: wrong queries are refused by name") {
  ApiRig rig;
  for (const std::string query : {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=5x", "after=x", "after=%20",
                                  "after=ZTEu", "after=ZTEuLTE", "after=ZTEuMXg", "since=1"}) {
    CAPTURE(query);
    const HttpAnswer answer = rig.administer("GET", "/events?" + query);
    CHECK(answer.status == 400);
    CHECK(contains(answer.body, query.substr(0, query.find('='))));
  }
}

TEST_CASE("UnitGroups are listed with their owners, states and sizes") {
  ApiRig rig;
  CHECK(rig.administer("GET", "/vcs").body == R"({"vcs":[],"conditions":[]})");
  const std::string vcid = rig.makeVc(rig.token, "group");
  rig.makeUnit(vcid, "web", 2);
  rig.makeUnit(vcid, "db", 1);
  const std::string empty = rig.makeVc(rig.other, "empty");
  const std::string list = rig.administer("GET", "/vcs").body;
  CHECK(contains(list, "{\"vcid\":\"" + vcid +
                           R"(","name":"group","owner":"nobody","type":"compute","state":"APPLYING","units":2,)" +
                           R"("nodes":3,"cdate":"2022/09/27 15:32:57 UTC"})"));
  CHECK(contains(list,
                 "{\"vcid\":\"" + empty +
                     R"(","name":"empty","owner":"other","type":"compute","state":"RUNNING","units":0,"nodes":0,)"));
}

TEST_CASE("progress shows each unit and node") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "group");
  rig.makeUnit(vcid, "web", 2);
  REQUIRE(rig.store
              ->transact([&](Tx& tx) -> Status {
                std::vector<Node> nodes;
                tx.nodes().scan([&](const Node& node) {
                  nodes.push_back(node);
                  return true;
                });
                for (Node& node : nodes) {
                  if (node.node_no == 1) {
                    node.state = State::kError;
                    node.reached_seq = node.goal_seq;
                    node.fault = {7, "it \"broke\""};
                  } else {
                    node.step = Step::kAddress;
                    node.step_at = 11;
                    node.attempts = 2;
                    node.next_at = 12;
                    node.progress = "waiting for a nic";
                    node.machine_id = "m";
                    VCC_RETURN_IF_ERROR(tx.machines().put({.machine_id = "m",
                                                           .node_id = node.node_id,
                                                           .unit_id = node.unit_id,
                                                           .vcid = vcid,
                                                           .name = "vcp-m",
                                                           .open_op = "o",
                                                           .cloud_id = "i-1",
                                                           .address = "10.0.0.9",
                                                           .observed = MachineState::kProvisioning}));
                    VCC_RETURN_IF_ERROR(tx.ops().put({.op_id = "o", .verb = OpVerb::kCreate, .vcid = vcid}));
                  }
                  VCC_RETURN_IF_ERROR(tx.nodes().put(node));
                }
                return okStatus();
              })
              .ok());
  const HttpAnswer answer = rig.administer("GET", "/vcs/" + vcid + "/progress");
  CAPTURE(answer.body);
  CHECK(answer.status == 200);
  CHECK(contains(answer.body, R"("name":"group","owner":"nobody","state":"ERROR","now_ms":1664292777000,"units":[)"
                              R"({"name":"web","provider":"fake","network":"default","state":"ERROR","verb":"create",)"
                              R"("nodes":2,"reached":0,"failed":1,"percent":7,"fault":"","node":[{)"));
  CHECK(contains(answer.body, R"("node_no":1,"state":"ERROR","goal":"RUNNING","outcome":"failed","percent":0,)"));
  CHECK(contains(answer.body, R"("fault":"it \"broke\"","fault_ms":7,"machine":"","cloud_id":"","address":"",)"));
  CHECK(contains(answer.body,
                 R"("node_no":2,"state":"BOOTING","goal":"RUNNING","outcome":"pending","percent":15,"step":"address",)"
                 R"("step_ms":11,"since_ms":1664292777000,"attempts":2,"next_ms":12,"progress":"waiting for a nic",)"
                 R"("fault":"","fault_ms":0,"machine":"vcp-m","cloud_id":"i-1","address":"10.0.0.9",)"
                 R"("observed":"PROVISIONING","op":"create"})"));
  CHECK(rig.administer("GET", "/vcs/nothing/progress").status == 404);
  CHECK(rig.administer("POST", "/vcs/" + vcid + "/progress").status == 405);
}

TEST_CASE("purge: a look, then the deletion, or the records alone") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "group");
  rig.makeUnit(vcid, "web", 2);
  REQUIRE(rig.store
              ->transact([&](Tx& tx) -> Status {
                const Node* first = nullptr;
                tx.nodes().scan([&](const Node& node) {
                  first = &node;
                  return node.node_no != 1;
                });
                Node node = *first;
                node.machine_id = "m";
                node.container_spec_hash = "h";
                VCC_RETURN_IF_ERROR(tx.machines().put({.machine_id = "m",
                                                       .node_id = node.node_id,
                                                       .unit_id = node.unit_id,
                                                       .vcid = vcid,
                                                       .instance = "fake",
                                                       .name = "vcp-m",
                                                       .network = "default",
                                                       .cloud_id = "i-1",
                                                       .address = "10.0.0.9",
                                                       .resources = {{"nic", "vcp-m-nic", "eni-1"}},
                                                       .observed = MachineState::kRunning}));
                return tx.nodes().put(std::move(node));
              })
              .ok());
  const std::string path = "/vcs/" + vcid + "/purge";
  const HttpAnswer look = rig.administer("POST", path, R"({"keep_cloud": true, "dry_run": true})");
  CAPTURE(look.body);
  CHECK(look.status == 200);
  CHECK(look.body.starts_with(
      "{\"vcid\":\"" + vcid + R"(","name":"group","owner":"nobody","units":1,"nodes":2,)" +
      R"("objects":[{"kind":"machine","unit":"web","node_no":1,"provider":"fake","instance":"fake",)"
      R"("network":"default","name":"vcp-m","cloud_id":"i-1","address":"10.0.0.9",)"
      R"("container":"label vcp.node_id=)"));
  CHECK(contains(look.body, R"("observed":"RUNNING","certain":true,)"
                            R"("resources":[{"kind":"nic","name":"vcp-m-nic","id":"eni-1"}]}]})"));
  CHECK(contains(rig.administer("GET", "/vcs").body, "APPLYING"));

  rig.woken.clear();
  CHECK(rig.administer("POST", path).body == look.body);
  CHECK(rig.woken.size() == 2);
  CHECK(contains(rig.administer("GET", "/vcs").body, "DELETING"));
  CHECK(contains(rig.administer("GET", "/events").body, "deleted by administrator (uid=0 pid=1)"));

  CHECK(rig.administer("POST", path, R"({"keep_cloud": "true"})").body == look.body);
  CHECK(rig.administer("GET", "/vcs").body == R"({"vcs":[],"conditions":[]})");
  CHECK(rig.administer("POST", path, R"({"keep_cloud": "true"})").status == 404);
  CHECK(rig.administer("POST", path, R"({"keep_cloud": 5})").status == 400);
}
