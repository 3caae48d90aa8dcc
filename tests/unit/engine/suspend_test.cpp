// SPDX-License-Identifier: Apache-2.0
// Suspend, resume, power and stop of nodes with real steps on (fake) hosts.
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct HostRig : EngineRig {
  std::string vcid;
  explicit HostRig(bool existing = false) {
    driver->facts.simulated_hosts = false;
    if (existing) {
      driver->facts.existence = Existence::kAsserted;
      driver->facts.can_power = false;
      driver->script = [this](const std::string&, const CallContext&, const MachineRef& ref) {
        driver->cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
        return FakeDriver::Fate{};
      };
    }
    vcid = newVc();
    const Status added = commands->addUnit(
        caller, vcid, "web",
        unitCci("web", 1, existing ? "        user_name: admin\n        ip_address_list: ['10.0.0.9']\n" : ""));
    REQUIRE_MESSAGE(added.ok(), added.toString());
  }
  void boot() {
    REQUIRE(reaches(State::kRunning));
    host.calls.clear();
  }
  Node first() const { return nodes().front(); }
  Status ask(Verb verb) { return commands->changeNode(caller, vcid, "web", first().node_id, verb); }
  bool reaches(State state, std::int64_t limit_ms = 2'000'000) {
    return runUntil([&] { return first().state == state && first().settled(); }, limit_ms);
  }
  void go(Verb verb, State state) {
    const Status asked = ask(verb);
    REQUIRE_MESSAGE(asked.ok(), asked.toString());
    REQUIRE(reaches(state));
  }
  std::vector<FoundContainer>& containers() { return host.containers[machines().front().address]; }
  std::size_t called(const std::string& call) const {
    return static_cast<std::size_t>(std::ranges::count(host.calls, call));
  }
};

}  // namespace

TEST_CASE("suspend stops the container, resume starts the same one") {
  for (const bool existing : {false, true}) {
    CAPTURE(existing);
    HostRig rig(existing);
    rig.boot();
    REQUIRE(rig.containers().size() == 1);
    const std::string id = rig.containers().front().id;
    const Node up = rig.first();
    rig.go(Verb::kSuspend, State::kSuspended);
    CHECK_FALSE(rig.containers().front().running);
    CHECK(rig.host.calls == std::vector<std::string>{"inspect", "stop"});
    rig.clock.advance(5000);
    rig.go(Verb::kResume, State::kRunning);
    REQUIRE(rig.containers().size() == 1);
    CHECK(rig.containers().front().id == id);
    CHECK(rig.containers().front().running);
    CHECK(rig.called("start") == 1);
    CHECK(rig.called("run") == 0);
    CHECK(rig.called("probe") > 0);
    CHECK(rig.first().container_started > up.container_started);
    CHECK(rig.first().boot_at == up.boot_at);
  }
}

TEST_CASE("a resumed container stays itself although it would be made otherwise today") {
  HostRig rig;
  rig.boot();
  const std::string id = rig.containers().front().id;
  rig.go(Verb::kSuspend, State::kSuspended);
  rig.options.controller_address = "192.168.0.250";
  rig.crash();
  rig.go(Verb::kResume, State::kRunning);
  REQUIRE(rig.containers().size() == 1);
  CHECK(rig.containers().front().id == id);
  CHECK(rig.called("run") == 0);
}

TEST_CASE("suspend while booting: the container comes up, and is stopped") {
  HostRig rig;
  Step at = Step::kSsh;
  SUBCASE("at ssh") {}
  SUBCASE("at ready") { at = Step::kReady; }
  rig.host.failure[at == Step::kSsh ? "inspect" : "probe"] = unavailable("not yet");
  REQUIRE(rig.runUntil([&] { return rig.first().step == at; }));
  REQUIRE(rig.ask(Verb::kSuspend).ok());
  CHECK(rig.first().state == State::kSuspending);
  rig.runUntil([] { return false; }, 2000);
  rig.host.failure.clear();
  REQUIRE(rig.reaches(State::kSuspended));
  REQUIRE(rig.containers().size() == 1);
  CHECK_FALSE(rig.containers().front().running);
}

TEST_CASE("resume while suspending, and the other way round: the last one wins") {
  HostRig rig;
  rig.boot();
  rig.host.failure["stop"] = unavailable("slow");
  REQUIRE(rig.ask(Verb::kSuspend).ok());
  rig.runUntil([&] { return rig.called("stop") > 0; });
  REQUIRE(rig.ask(Verb::kResume).ok());
  CHECK(rig.first().state == State::kResuming);
  REQUIRE(rig.reaches(State::kRunning));
  CHECK(rig.containers().front().running);
  rig.host.failure.clear();
  rig.go(Verb::kSuspend, State::kSuspended);
  rig.host.failure["start"] = unavailable("slow");
  REQUIRE(rig.ask(Verb::kResume).ok());
  rig.runUntil([&] { return rig.called("start") > 0; });
  REQUIRE(rig.ask(Verb::kSuspend).ok());
  REQUIRE(rig.reaches(State::kSuspended));
  CHECK_FALSE(rig.containers().front().running);
}

TEST_CASE("suspend and resume that cannot end become ERROR with step, cause and remedy; a retry comes back") {
  HostRig rig;
  rig.boot();
  const std::int64_t began = rig.clock.monoMs();
  SUBCASE("ssh does not answer") {
    rig.host.failure["inspect"] = unavailable("connection refused");
    REQUIRE(rig.ask(Verb::kSuspend).ok());
    REQUIRE(rig.reaches(State::kError));
    CHECK(rig.first().fault.text.find("did not become SUSPENDED within 300 s") != std::string::npos);
    CHECK(rig.first().fault.text.find("step `suspend`") != std::string::npos);
    CHECK(rig.first().fault.text.find("connection refused") != std::string::npos);
  }
  SUBCASE("the container does not start") {
    rig.go(Verb::kSuspend, State::kSuspended);
    rig.host.failure["start"] = internalError("the engine is broken");
    REQUIRE(rig.ask(Verb::kResume).ok());
    REQUIRE(rig.reaches(State::kError));
    CHECK(rig.first().fault.text.find("step `container`") != std::string::npos);
    CHECK(rig.first().fault.text.find("the engine is broken") != std::string::npos);
  }
  CHECK(rig.clock.monoMs() - began < 1'000'000);
  CHECK(rig.driver->cloud.size() == 1);  // kept
  CHECK(rig.containers().size() == 1);
  rig.host.failure.clear();
  rig.go(Verb::kResume, State::kRunning);
  CHECK(rig.containers().front().running);
}

TEST_CASE("the container is gone") {
  HostRig rig;
  rig.boot();
  SUBCASE("at suspend: CONTAINER_ERROR, and resume starts another one") {
    rig.containers().clear();
    REQUIRE(rig.ask(Verb::kSuspend).ok());
    REQUIRE(rig.reaches(State::kContainerError));
    CHECK(rig.first().fault.text.find("the base container is not on 10.0.0.1 any more") == 0);
    rig.go(Verb::kResume, State::kRunning);
  }
  SUBCASE("at resume: another one") {
    rig.go(Verb::kSuspend, State::kSuspended);
    rig.containers().clear();
    rig.go(Verb::kResume, State::kRunning);
  }
  CHECK(rig.called("run") == 1);
  REQUIRE(rig.containers().size() == 1);
  CHECK(rig.first().container_id == rig.containers().front().id);
}

TEST_CASE("after power_on the container is waited for, and started when it stays down") {
  HostRig rig;
  rig.boot();
  const std::string id = rig.containers().front().id;
  rig.go(Verb::kPowerOff, State::kPowerOff);
  CHECK(rig.host.calls.empty());  // nobody logs in to switch a machine off
  SUBCASE("it comes back by itself") {
    rig.containers().front().started_at = rig.clock.wallMs() + 7000;
    rig.go(Verb::kPowerOn, State::kRunning);
    CHECK(rig.called("start") == 0);
    CHECK(rig.first().container_started == rig.containers().front().started_at);
  }
  SUBCASE("it stays down, as after a suspend") {
    rig.containers().front().running = false;
    rig.go(Verb::kPowerOn, State::kRunning);
    CHECK(rig.called("start") == 1);
  }
  SUBCASE("ssh comes late") {
    rig.host.failure["inspect"] = unavailable("connection refused");
    REQUIRE(rig.ask(Verb::kPowerOn).ok());
    rig.runUntil([] { return false; }, 120000);
    CHECK(rig.first().state == State::kBooting);
    rig.host.failure.clear();
    REQUIRE(rig.reaches(State::kRunning));
  }
  REQUIRE(rig.containers().size() == 1);
  CHECK(rig.containers().front().id == id);
  CHECK(rig.containers().front().running);
}

TEST_CASE("stop and start of an existing server release it and take it again") {
  HostRig rig(true);
  rig.boot();
  const std::string address = rig.machines().front().address;
  rig.go(Verb::kStop, State::kStopped);
  CHECK(rig.host.containers[address].empty());
  CHECK(rig.machines().empty());
  rig.go(Verb::kStart, State::kRunning);
  CHECK(rig.containers().size() == 1);
  CHECK(rig.machines().front().address == address);
  SUBCASE("unreachable: never abandoned, ERROR in time, and the next try ends it") {
    rig.host.failure["inspect"] = unavailable("no route");
    REQUIRE(rig.ask(Verb::kStop).ok());
    REQUIRE(rig.reaches(State::kError));
    CHECK(rig.first().fault.text.find("no route") != std::string::npos);
    CHECK(rig.machines().size() == 1);
    CHECK(rig.log.count("HOST_ABANDONED") == 0);
    rig.host.failure.clear();
    rig.go(Verb::kStart, State::kRunning);
    rig.go(Verb::kStop, State::kStopped);
    CHECK(rig.host.containers[address].empty());
  }
}
