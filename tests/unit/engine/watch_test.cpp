// SPDX-License-Identifier: Apache-2.0
// Settled hosts: what probes, serf and notices lead to. Hosts, clouds and probes are fakes, the engine is the real one.
#include <array>

#include "support/engine_rig.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

using Targets = std::map<std::string, ProbeTarget>;

class FakeProber final : public Prober {
 public:
  explicit FakeProber(Targets& targets) : targets_(targets) { targets_.clear(); }
  void watch(const std::string& id, const ProbeTarget& target) override { targets_[id] = target; }
  void forget(const std::string& id) override { targets_.erase(id); }

 private:
  Targets& targets_;
};

constexpr char kServers[] = "cci_version: '1.0'\nfake:\n  default: {}\n";

/// Running nodes of one unit on real hosts: existing servers, or machines of a cloud.
struct WatchRig : EngineRig {
  Targets targets;
  ProbeReport report;
  std::string vcid;

  explicit WatchRig(int count, bool servers = true, const std::string& catalog_yaml = kServers)
      : EngineRig(servers ? catalog_yaml
                          : "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n") {
    driver->facts.simulated_hosts = false;
    std::string params;
    if (servers) {
      driver->facts.existence = Existence::kAsserted;
      driver->script = [this](const std::string&, const CallContext&, const MachineRef& ref) {
        driver->cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
        return FakeDriver::Fate{};
      };
      params = "        user_name: admin\n        ip_address_list: [";
      for (int i = 1; i <= count; ++i) params += fmt::format("{}'192.168.5.{}'", i > 1 ? ", " : "", i);
      params += "]\n";
    }
    makes_prober = [this](ProbeReport heard) {
      report = std::move(heard);
      return std::make_unique<FakeProber>(targets);
    };
    restart();
    vcid = newVc();
    const Status added = commands->addUnit(caller, vcid, "web", unitCci("web", count, params));
    REQUIRE_MESSAGE(added.ok(), added.toString());
    REQUIRE(runUntil([&] { return this->count(State::kRunning) == nodes().size() && nodes().size() == size(count); }));
    pass(3000);
    host.calls.clear();
  }

  static std::size_t size(int number) { return static_cast<std::size_t>(number); }
  void pass(std::int64_t ms) {
    runUntil([] { return false; }, ms);
  }
  Node node(std::int64_t number = 1) const {
    for (const Node& one : nodes()) {
      if (one.node_no == number) return one;
    }
    FAIL("no such node");
    return {};
  }
  std::string address(std::int64_t number = 1) const {
    const std::string machine_id = node(number).machine_id;
    for (const Machine& machine : machines()) {
      if (machine.machine_id == machine_id) return machine.address;
    }
    return {};
  }
  FoundContainer& container(std::int64_t number = 1) { return host.containers[address(number)].front(); }
  /// A probe of the port of the container ('r') or of the host ('s').
  void say(char part, bool answers, std::int64_t number = 1) {
    report({{node(number).node_id + part, answers, answers ? "" : "connection refused"}});
    decider->pump();
  }
  /// The host is away, with everything on it.
  void lose(std::int64_t number = 1) {
    host.unreachable[address(number)] = Status(Code::kUnavailable, "connect: no answer", Outcome::kNotApplied);
    say('s', false, number);
    say('r', false, number);
  }
  void giveBack(std::int64_t number = 1) {
    host.unreachable.erase(address(number));
    say('s', true, number);
    say('r', true, number);
  }
  void allAnswer() {
    for (const Node& one : nodes()) {
      say('s', true, one.node_no);
      say('r', true, one.node_no);
    }
    host.calls.clear();
  }
  std::size_t looks() const { return static_cast<std::size_t>(std::ranges::count(host.calls, std::string("inspect"))); }
  bool ever(const std::string& state) const {
    return std::ranges::any_of(events(),
                               [&](const std::string& e) { return e.find("> " + state) != std::string::npos; });
  }
  bool becomes(State state, std::int64_t within_ms, std::int64_t number = 1) {
    return runUntil([&] { return node(number).state == state; }, within_ms);
  }
  std::string fault(std::int64_t number = 1) const { return node(number).fault.text; }
  std::string monitorOf(std::int64_t number) {
    const auto check = decider->startCheck(vcid);
    REQUIRE(check.ok());
    std::string monitor;
    REQUIRE(runUntil([&] {
      const auto result = decider->checkReport(*check);
      if (!result.ok() || !result->done) return false;
      for (const CheckLine& line : result->lines) {
        if (line.node_no == number) monitor = line.monitor;
      }
      return true;
    }));
    return monitor;
  }
};

}  // namespace

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

TEST_CASE("a cut on the controller's side holds everything, says so, and ends by itself") {
  WatchRig rig(6);
  rig.allAnswer();
  for (int i = 1; i <= 5; ++i) rig.lose(i);
  rig.pass(1'000'000);
  CHECK(rig.count(State::kRunning) == 6);
  CHECK(rig.log.count("WATCH_HELD") == 1);
  const auto conditions = rig.decider->conditions();
  REQUIRE(conditions.size() == 1);
  CHECK(contains(conditions.front().text, "5 of 6 hosts stopped answering at once"));
  CHECK(contains(conditions.front().text, "check the network, VPN and firewall"));
  CHECK(rig.looks() < 5 * 10);  // their looks would only time out
  SUBCASE("all are back") {
    for (int i = 1; i <= 5; ++i) rig.giveBack(i);
    rig.pass(600000);
    CHECK(rig.decider->conditions().empty());
    CHECK_FALSE(rig.ever("HOST_ERROR"));
  }
  SUBCASE("they come back one by one, and those that wait are given time") {
    for (int i = 1; i <= 5; ++i) {
      rig.host.unreachable.erase(rig.address(i));
      rig.say('s', true, i);  // its container needs longer
      rig.pass(i < 5 ? 8000 : 1000);
    }
    for (int i = 1; i <= 5; ++i) rig.say('r', true, i);
    rig.pass(600000);
    CHECK(rig.decider->conditions().empty());
    CHECK_FALSE(rig.ever("HOST_ERROR"));
  }
  SUBCASE("two stay away, and are judged now") {
    for (int i = 1; i <= 3; ++i) rig.giveBack(i);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kHostError) == 2; }, 120000));
    CHECK(rig.count(State::kRunning) == 4);
    rig.pass(10000);
    CHECK(rig.decider->conditions().empty());
  }
  CHECK(rig.log.count("WATCH_RESUMED") == 1);
}

TEST_CASE("hosts that fail one after the other are not held back") {
  WatchRig rig(6);
  rig.allAnswer();
  for (int i = 1; i <= 6; ++i) {
    rig.lose(i);
    REQUIRE(rig.becomes(State::kHostError, 120000, i));
  }
  CHECK(rig.log.count("WATCH_HELD") == 0);
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
  hear(name, MemberStatus::kFailed);
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

TEST_CASE("hints without end make one look in seconds") {
  WatchRig rig(1);
  rig.allAnswer();
  for (int i = 0; i < 1000; ++i) rig.decider->lookAt({rig.node().node_id});
  rig.pass(60000);
  CHECK(rig.looks() <= 2);
}

TEST_CASE("an unwatched node stays what it is, whatever happens to its machine") {
  WatchRig rig(1, false);
  rig.allAnswer();
  REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", false).ok());
  rig.pass(5000);
  rig.driver->cloud.begin()->second.state = MachineState::kStopped;
  rig.host.unreachable[rig.address()] = unavailable("away");
  rig.decider->lookAt({rig.node().node_id});
  rig.pass(1'000'000);
  CHECK(rig.node().state == State::kRunning);
  REQUIRE(rig.commands->watchUnit(rig.caller, rig.vcid, "web", true).ok());
  CHECK(rig.becomes(State::kHostError, 700000));
}
