// SPDX-License-Identifier: Apache-2.0
// Settled hosts: what probes lead to. Hosts, clouds and probes are fakes, the engine is the real one.
#include "watch_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("settled hosts are asked on the ports of their catalog entry, as long as somebody wants them watched") {
  WatchRig rig(2, true, "cci_version: '1.0'\nfake:\n  default:\n    ssh_port: 2222\n    ready_port: 222\n");
  const std::string first = rig.node(1).node_id;
  const std::string second = rig.node(2).node_id;
  REQUIRE(rig.targets.size() == 4);
  CHECK(rig.targets.at(first + "s").port == 2222);
  CHECK(rig.targets.at(first + "s").address == "192.168.5.1");
  CHECK(rig.targets.at(first + "s").interval_ms == 30000);
  CHECK(rig.targets.at(first + "r").port == 222);
  REQUIRE(rig.commands->watchNode(rig.caller, rig.vcid, "web", first, false).ok());
  rig.pass(5000);
  CHECK(rig.targets.size() == 2);
  CHECK(rig.monitorOf(1) == "off");
  CHECK(rig.monitorOf(2) == "not asked yet");
  REQUIRE(rig.commands->watchNode(rig.caller, rig.vcid, "web", first, true).ok());
  REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", second, Verb::kSuspend).ok());
  rig.pass(5000);
  CHECK(rig.node(2).state == State::kSuspended);
  CHECK(rig.targets.size() == 3);  // nothing is to answer on the container's port
  CHECK_FALSE(rig.targets.contains(second + "r"));
  CHECK(rig.decider->status().watched == 2);
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
  rig.pass(5000);
  CHECK(rig.targets.empty());
}

TEST_CASE("simulated hosts, and images without sshd, are not asked for what they do not have") {
  SUBCASE("simulated") {
    EngineRig rig;
    Targets targets;
    rig.makes_prober = [&](const ProbeReport&) { return std::make_unique<FakeProber>(targets); };
    rig.restart();
    REQUIRE(rig.commands->addUnit(rig.caller, rig.newVc(), "u", unitCci("u", 2)).ok());
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
    rig.runUntil([] { return false; }, 10000);
    CHECK(targets.empty());
  }
  SUBCASE("ready_port: none") {
    WatchRig rig(1, true, "cci_version: '1.0'\nfake:\n  default:\n    ready_port: none\n");
    CHECK(rig.targets.size() == 1);
    CHECK(rig.targets.contains(rig.node().node_id + "s"));
  }
}

TEST_CASE("a container that is down makes CONTAINER_ERROR at the second look, and is well when it is back") {
  WatchRig rig(2);
  rig.allAnswer();
  rig.container().running = false;
  rig.container().status = "exited";
  rig.say('r', false);
  CHECK(rig.looks() == 1);
  rig.pass(3000);
  CHECK(rig.node().state == State::kRunning);  // one look changes nothing
  REQUIRE(rig.becomes(State::kContainerError, 5000));
  CHECK(rig.looks() == 2);
  CHECK(contains(rig.fault(), "does not run (exited)"));
  CHECK(rig.node(2).state == State::kRunning);
  const std::int64_t before = rig.node().container_started;
  rig.container().running = true;
  rig.container().started_at = rig.clock.wallMs();
  rig.say('r', true);
  REQUIRE(rig.becomes(State::kRunning, 10000));
  CHECK(rig.fault().empty());
  CHECK(rig.node().container_started == rig.container().started_at);
  CHECK(rig.node().container_started > before);
}

TEST_CASE("a container that is gone says so; one that nobody knows the status of is looked at until it is back") {
  WatchRig rig(1, true, "cci_version: '1.0'\nfake:\n  default:\n    ready_port: none\n");
  rig.say('s', true);
  const FoundContainer kept = rig.container();
  rig.host.containers["192.168.5.1"].clear();
  rig.decider->lookAt({rig.node().node_id});
  REQUIRE(rig.becomes(State::kContainerError, 8000));
  CHECK(contains(rig.fault(), "is not on 192.168.5.1 any more"));
  // It comes back and nothing says so: it is looked at now and then.
  rig.host.containers["192.168.5.1"] = {kept};
  rig.host.containers["192.168.5.1"].front().id = "c-another";
  CHECK(rig.becomes(State::kRunning, 60000));
  CHECK(rig.node().container_id == "c-another");
}

TEST_CASE("a probe that failed once is looked into and changes nothing") {
  WatchRig rig(1);
  rig.allAnswer();
  const auto before = rig.events();
  rig.say('r', false);
  rig.say('r', true);
  rig.pass(300000);
  CHECK(rig.events() == before);
  CHECK(rig.looks() <= 2);
}

TEST_CASE("a dead sshd in a container that runs gets more time, then it is CONTAINER_ERROR") {
  WatchRig rig(1);
  rig.allAnswer();
  rig.say('r', false);
  rig.pass(80000);
  CHECK(rig.node().state == State::kRunning);
  REQUIRE(rig.becomes(State::kContainerError, 20000));
  CHECK(contains(rig.fault(), "nobody answers in the base container on 192.168.5.1 (port 22: connection refused)"));
  rig.say('r', true);
  CHECK(rig.becomes(State::kRunning, 10000));
}

TEST_CASE("a host that nothing answers on is HOST_ERROR, not before all others were asked, and back when it answers") {
  for (const bool servers : {true, false}) {
    CAPTURE(servers);
    WatchRig rig(2, servers);
    rig.allAnswer();
    rig.lose();
    rig.pass(35000);
    CHECK(rig.node().state == State::kRunning);
    REQUIRE(rig.becomes(State::kHostError, 15000));
    CHECK(contains(rig.fault(), "does not answer (port 20022: connection refused; port 22: connection refused)"));
    CHECK(contains(rig.fault(), "its cloud shows no trouble") == !servers);
    CHECK(rig.node(2).state == State::kRunning);
    // The cloud goes on saying that it runs, also to a controller that starts anew: that alone mends nothing.
    rig.pass(700000);
    rig.crash();
    rig.pass(700000);
    CHECK(rig.node().state == State::kHostError);
    const std::size_t changes = rig.events("node 1 of unit web").size();
    rig.giveBack();
    REQUIRE(rig.becomes(State::kRunning, 10000));
    CHECK(rig.events("node 1 of unit web").size() == changes + 1);
    CHECK(rig.fault().empty());
  }
}

TEST_CASE("a host that comes back without its container is CONTAINER_ERROR") {
  WatchRig rig(1);
  rig.allAnswer();
  rig.lose();
  REQUIRE(rig.becomes(State::kHostError, 60000));
  rig.container().running = false;
  rig.host.unreachable.clear();
  rig.say('s', true);
  REQUIRE(rig.becomes(State::kContainerError, 60000));
  rig.container().running = true;
  rig.say('r', true);
  CHECK(rig.becomes(State::kRunning, 10000));
}

TEST_CASE("a host whose sshd is dead while its container lives is a condition, and no state") {
  WatchRig rig(2);
  rig.allAnswer();
  rig.host.unreachable["192.168.5.1"] = Status(Code::kUnavailable, "connection refused", Outcome::kNotApplied);
  rig.say('s', false);
  rig.pass(300000);
  CHECK(rig.node().state == State::kRunning);
  auto conditions = rig.decider->conditions();
  REQUIRE(conditions.size() == 1);
  CHECK(conditions.front().about == "hosts of fake/default");
  CHECK(contains(conditions.front().text, "1 of 2 cannot be looked into"));
  CHECK(conditions.front().vcids.contains(rig.vcid));
  CHECK(rig.monitorOf(1) == "20022 silent");
  rig.host.unreachable.clear();
  rig.say('s', true);
  rig.pass(5000);
  CHECK(rig.decider->conditions().empty());
  CHECK_FALSE(rig.ever("HOST_ERROR"));
}

TEST_CASE("a refused login and a changed host key are conditions; a dead engine shows by its container") {
  WatchRig rig(1);
  rig.allAnswer();
  SUBCASE("login") { rig.host.unreachable["192.168.5.1"] = unauthenticated("login: the key is refused"); }
  SUBCASE("host key") { rig.host.unreachable["192.168.5.1"] = permissionDenied("host key: another one"); }
  SUBCASE("a command that broke off") {
    rig.host.unreachable["192.168.5.1"] = Status(Code::kUnavailable, "cut off", Outcome::kUnknown);
  }
  SUBCASE("engine") { rig.host.unreachable["192.168.5.1"] = failedPrecondition("docker does not work"); }
  const bool stranger = rig.host.unreachable["192.168.5.1"].code() == Code::kPermissionDenied;
  rig.decider->lookAt({rig.node().node_id});
  rig.pass(5000);
  REQUIRE(rig.decider->conditions().size() == 1);
  CHECK(rig.node().state == State::kRunning);
  rig.say('r', false);
  rig.pass(200000);
  CHECK(rig.node().state == (stranger ? State::kRunning : State::kContainerError));
  CHECK_FALSE(rig.ever("HOST_ERROR"));
}

TEST_CASE("what a cloud says of its machine goes first, and recovery waits for the host") {
  WatchRig rig(1, false);
  rig.allAnswer();
  rig.driver->cloud.begin()->second.state = MachineState::kStopped;
  rig.lose();
  REQUIRE(rig.becomes(State::kHostError, 15000));  // two looks at the cloud; the ports alone would take longer
  CHECK(contains(rig.fault(), "was switched off"));
  rig.driver->cloud.begin()->second.state = MachineState::kRunning;
  rig.pass(700000);
  CHECK(rig.machines().front().observed == MachineState::kRunning);
  CHECK(rig.node().state == State::kHostError);  // it is on, and nobody knows whether it works
  rig.giveBack();
  CHECK(rig.becomes(State::kRunning, 10000));
}

TEST_CASE("a host that answers though its cloud says it is gone stays HOST_ERROR") {
  WatchRig rig(1, false);
  rig.allAnswer();
  rig.driver->cloud.begin()->second.state = MachineState::kStopped;
  rig.decider->lookAt({rig.node().node_id});
  REQUIRE(rig.becomes(State::kHostError, 15000));
  rig.pass(700000);
  CHECK(rig.node().state == State::kHostError);
  CHECK(std::ranges::count_if(rig.events(), [](const std::string& e) { return e.find("HOST_ERROR") != e.npos; }) == 1);
}

TEST_CASE("a GPU exporter that answers is a target of Prometheus") {
  WatchRig rig(1);
  CHECK_FALSE(rig.targets.contains(rig.node().node_id + "g"));  // nobody wants to know
  std::string written;
  rig.writes_targets = [&](const std::string& content) {
    written = content;
    return okStatus();
  };
  rig.restart();
  rig.pass(10000);
  const ProbeTarget target = rig.targets.at(rig.node().node_id + "g");
  CHECK(target.port == 9400);
  CHECK_FALSE(target.banner);
  CHECK(target.interval_ms == 300000);
  CHECK(contains(written, "\"192.168.5.1:18083\"]"));
  rig.say('g', true);
  rig.pass(10000);
  CHECK(contains(written, "\"192.168.5.1:18083\", \"192.168.5.1:9400\"]"));
  rig.say('g', false);
  rig.pass(10000);
  CHECK(contains(written, "\"192.168.5.1:18083\"]"));
  CHECK(rig.looks() == 0);
}

TEST_CASE("an unwatched node stays what it is, whatever happens to its machine") {
  WatchRig rig(1, false);
  rig.allAnswer();
  REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", false).ok());
  rig.pass(5000);
  SUBCASE("switched off") { rig.driver->cloud.begin()->second.state = MachineState::kStopped; }
  SUBCASE("gone") { rig.driver->cloud.clear(); }
  rig.host.unreachable[rig.address()] = unavailable("away");
  rig.decider->lookAt({rig.node().node_id});
  rig.pass(1'000'000);
  CHECK(rig.node().state == State::kRunning);
  REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", true).ok());
  CHECK(rig.becomes(State::kHostError, 700000));
}
