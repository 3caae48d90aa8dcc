// SPDX-License-Identifier: Apache-2.0
// What serf, notices and probes say lead to looks, whatever else is under way, and to no more.
#include <deque>

#include "support/held_threads.h"
#include "watch_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("notices and serf are hints: they lead to looks, and a restarted container gets a new date") {
  WatchRig rig(2);
  rig.allAnswer();
  const std::string name = fmt::format("{}:web:1", rig.vcid);
  const auto hear = [&](const std::string& who, MemberStatus status) {
    rig.decider->hearOfMembers({{who, status}});
    rig.pass(10000);
  };
  hear(name, MemberStatus::kAlive);
  CHECK(rig.looks() == 0);  // it is there, as it should be
  rig.decider->hearOfMembers({{name, MemberStatus::kFailed}});
  rig.decider->pump();
  CHECK(rig.looks() == 1);  // at once
  rig.pass(10000);
  CHECK(rig.looks() == 1);
  CHECK(rig.node().state == State::kRunning);
  CHECK(rig.monitorOf(1) == "answers, serf failed");
  const auto changes = rig.events().size();
  rig.host.calls.clear();
  rig.container().started_at = rig.clock.wallMs() + 5000;
  hear(name, MemberStatus::kAlive);
  CHECK(rig.looks() == 1);
  CHECK(rig.node().container_started == rig.container().started_at);
  REQUIRE(rig.events().size() == changes + 1);
  CHECK(contains(rig.events().back(), "RUNNING > RUNNING (its host has started the base container again)"));
  CHECK(rig.monitorOf(1) == "answers, serf alive");
  rig.host.calls.clear();
  for (const char* who : {"", "serf", "a:b", "::", "no:such:node", "x:web:1"}) hear(who, MemberStatus::kFailed);
  CHECK(rig.looks() == 0);
  rig.decider->lookAt({rig.node(2).node_id, "no such node"});
  rig.pass(10000);
  CHECK(rig.looks() == 1);
}

TEST_CASE("members that nobody knows, however many came and went, do not keep a node from being heard") {
  WatchRig rig(1);
  rig.allAnswer();
  std::vector<SerfMember> strangers;
  for (int i = 0; i < 60000; ++i) strangers.push_back({fmt::format("v:{}:1", i), MemberStatus::kLeft});
  rig.decider->hearOfMembers(strangers);
  rig.pass(10000);
  CHECK(rig.looks() == 0);
  rig.decider->hearOfMembers({{fmt::format("{}:web:1", rig.vcid), MemberStatus::kFailed}});
  rig.pass(10000);
  CHECK(rig.looks() == 1);
  CHECK(rig.monitorOf(1) == "answers, serf failed");
}

TEST_CASE("hints without end make one look in seconds") {
  WatchRig rig(1);
  rig.allAnswer();
  for (int i = 0; i < 1000; ++i) rig.decider->lookAt({rig.node().node_id});
  rig.pass(60000);
  CHECK(rig.looks() <= 2);
}

TEST_CASE("what we do ourselves is never taken for a failure") {
  WatchRig rig(1, false);
  rig.allAnswer();
  const std::string id = rig.node().node_id;
  const auto change = [&](Verb verb, State settled) {
    REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", id, verb).ok());
    // A probe that was under way, and notices, come in while it changes and after.
    rig.report({{id + "r", false, "connection refused"}, {id + "s", false, "connection refused"}});
    REQUIRE(rig.becomes(settled, 100000));
    rig.report({{id + "r", false, "connection refused"}, {id + "s", false, "connection refused"}});
    rig.decider->lookAt({id});
    rig.pass(1'000'000);  // several rounds of looks at the cloud
    CHECK(rig.node().state == settled);
  };
  change(Verb::kPowerOff, State::kPowerOff);
  REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", id, Verb::kPowerOn).ok());
  REQUIRE(rig.becomes(State::kRunning, 100000));
  rig.pass(3000);
  rig.say('s', true);
  rig.say('r', true);
  change(Verb::kSuspend, State::kSuspended);
  REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", id, Verb::kResume).ok());
  REQUIRE(rig.becomes(State::kRunning, 100000));
  change(Verb::kStop, State::kStopped);
  CHECK_FALSE(rig.ever("HOST_ERROR"));
  CHECK_FALSE(rig.ever("CONTAINER_ERROR"));
}

TEST_CASE("a machine that goes off after the processing was cleared is no lost host") {
  WatchRig rig(1, false);
  rig.allAnswer();
  bool asked = false;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    fate.apply = call != "power_off";
    asked = asked || !fate.apply;
    if (!fate.apply) fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
    return fate;
  };
  REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", rig.node().node_id, Verb::kPowerOff).ok());
  REQUIRE(rig.runUntil([&] { return asked; }));
  REQUIRE(rig.commands->clearProcessing(rig.caller, rig.vcid, "web").ok());
  rig.pass(3000);
  rig.lose();  // its system goes down first, and its cloud says so later
  rig.decider->lookAt({rig.node().node_id});
  rig.pass(200000);
  CHECK(rig.node().state == State::kRunning);
  rig.driver->cloud.begin()->second.state = MachineState::kStopped;
  REQUIRE(rig.becomes(State::kPowerOff, 20000));
  CHECK_FALSE(rig.ever("HOST_ERROR"));
}

TEST_CASE("a verb that comes while a host is looked into wins") {
  WatchRig rig(1);
  rig.allAnswer();
  rig.container().running = false;
  rig.say('r', false);
  rig.pass(3000);
  bool asked = false;
  rig.host.on_inspect = [&] {
    if (asked) return;
    asked = true;  // the second look, which would make it CONTAINER_ERROR
    REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", rig.node().node_id, Verb::kSuspend).ok());
  };
  REQUIRE(rig.becomes(State::kSuspended, 20000));
  CHECK(asked);
  CHECK_FALSE(rig.ever("CONTAINER_ERROR"));
}

TEST_CASE("a user whose hosts do not answer when they are looked at leaves the threads for hosts to others as well") {
  WatchRig rig(20);
  Caller second = rig.caller;
  second.principal.user = "second";
  const auto vc =
      rig.commands->createVc(second, base64Encode("- vc:\n    type: compute\n    name: s\n    description: \"s\"\n"));
  REQUIRE(vc.ok());
  const std::string params = "        user_name: admin\n        ip_address_list: ['192.168.6.1']\n";
  REQUIRE(rig.commands->addUnit(second, *vc, "other", unitCci("other", 1, params)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 21; }));

  std::deque<Job> held;
  rig.options.ssh_threads = 4;
  rig.makes_executor = [&](const std::string& name, std::size_t threads) -> std::unique_ptr<Executor> {
    if (name == "ssh") return std::make_unique<HeldThreads>(held, threads);
    return std::make_unique<InlineExecutor>();
  };
  rig.restart();
  rig.pass(3000);
  std::vector<std::string> firsts;
  std::string other;
  for (const Node& node : rig.nodes()) {
    if (node.vcid == *vc) {
      other = node.node_id;
    } else {
      firsts.push_back(node.node_id);
    }
  }
  rig.decider->lookAt(firsts);
  rig.pass(1000);
  CHECK(held.size() == 3);
  rig.decider->lookAt({other});
  rig.pass(1000);
  CHECK(held.size() == 4);
  rig.host.calls.clear();
  while (!held.empty()) {
    const Job job = std::move(held.front());
    held.pop_front();
    job();
    rig.pass(1);
  }
  CHECK(rig.looks() == 21);
}
