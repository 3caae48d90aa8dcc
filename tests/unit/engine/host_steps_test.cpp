// SPDX-License-Identifier: Apache-2.0
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr char kTwoServers[] = "        user_name: admin\n        ip_address_list: ['192.168.5.1', '192.168.5.2']\n";
constexpr char kOneServer[] = "        user_name: admin\n        ip_address_list: ['192.168.5.1']\n";

/// Existing servers: a driver that asserts them, real steps on (fake) hosts.
struct ServerRig : EngineRig {
  explicit ServerRig(const std::string& catalog_yaml = "cci_version: '1.0'\nfake:\n  default: {}\n")
      : EngineRig(catalog_yaml) {
    driver->facts.existence = Existence::kAsserted;
    driver->facts.simulated_hosts = false;
    driver->script = [this](const std::string&, const CallContext&, const MachineRef& ref) {
      driver->cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
      return FakeDriver::Fate{};
    };
  }
  std::string boot(const std::string& params) {
    const std::string vcid = newVc();
    const Status added = commands->addUnit(caller, vcid, "web", unitCci("web", 1, params));
    REQUIRE_MESSAGE(added.ok(), added.toString());
    return vcid;
  }
  std::string faultOfFirst() const { return nodes().front().fault.text; }
};

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

TEST_CASE("existing servers get their container and give it back") {
  ServerRig rig;
  const std::string vcid = rig.boot(kTwoServers);
  CHECK(rig.nodes().size() == 2);  // the list counts, not num_nodes
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));
  REQUIRE(rig.host.containers["192.168.5.1"].size() == 1);
  REQUIRE(rig.host.containers["192.168.5.2"].size() == 1);
  CHECK(rig.host.last_target.user == "admin");
  CHECK(rig.host.last_target.ssh_port == 20022);
  CHECK(rig.machines().front().host_key == "ssh-ed25519 KEY");
  const auto& env = rig.host.last_spec.environment;
  const std::string last_address = rig.host.last_target.address;
  const Node last = rig.nodes().front().requested_address == last_address ? rig.nodes().front() : rig.nodes().back();
  CHECK(last.requested_address == last_address);
  REQUIRE(env.size() == 6);
  CHECK(contains(env, "PRIVATE_IP=" + last_address));
  CHECK(contains(env, "MY_PRIVATE_IP=" + last_address));
  CHECK(contains(env, "VCCCTR_IPADDR=192.168.0.1"));
  CHECK(contains(env, "VCCC_ID=" + vcid));
  CHECK(contains(env, fmt::format("SERF_NODE_ID={}:web:{}", vcid, last.node_no)));
  CHECK(contains(env, "A=b c"));

  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.host.containers["192.168.5.1"].empty());
  CHECK(rig.host.containers["192.168.5.2"].empty());
}

TEST_CASE("an image that is missing is pulled; one that cannot be pulled ends in ERROR with the registry's words") {
  ServerRig rig;
  rig.host.image_present = false;
  SUBCASE("pulled") {
    rig.boot(kOneServer);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
    CHECK(contains(rig.host.calls, "startJob"));
  }
  SUBCASE("refused") {
    rig.host.job = JobState::kFailed;
    rig.boot(kOneServer);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 60000));
    CHECK(rig.faultOfFirst().find("the registry said no") != std::string::npos);
    CHECK(rig.faultOfFirst().find("localhost/vcp/base:1") != std::string::npos);
  }
}

TEST_CASE("a server that does not answer is given a minute, a wrong user none") {
  ServerRig rig;
  SUBCASE("unreachable") {
    rig.host.failure["inspect"] = unavailable("connection refused");
    const std::int64_t began = rig.clock.monoMs();
    rig.boot(kOneServer);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));
    CHECK(rig.clock.monoMs() - began >= 60000);
    CHECK(rig.clock.monoMs() - began < 180000);
    CHECK(rig.faultOfFirst().find("connection refused") != std::string::npos);
  }
  SUBCASE("wrong user") {
    rig.host.failure["inspect"] = unauthenticated("user admin was refused");
    rig.boot(kOneServer);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 5000));
    CHECK(rig.faultOfFirst().find("user admin was refused") != std::string::npos);
  }
  SUBCASE("late") {
    rig.host.failure["inspect"] = unavailable("connection refused");
    rig.boot(kOneServer);
    rig.runUntil([] { return false; }, 20000);
    rig.host.failure.clear();
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 60000));
    CHECK(rig.faultOfFirst().empty());
  }
}

TEST_CASE("somebody else's container is neither removed nor joined; our own leftover is replaced") {
  ServerRig rig;
  FoundContainer other{
      .id = "c1", .name = "base", .running = true, .vcc = "fedcba98", .node_id = "x", .address = "192.168.5.1"};
  SUBCASE("another controller's") {
    rig.host.containers["192.168.5.1"] = {other};
    rig.boot(kOneServer);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 5000));
    CHECK(rig.faultOfFirst().find("another controller") != std::string::npos);
    CHECK(rig.host.containers["192.168.5.1"].size() == 1);
    CHECK_FALSE(contains(rig.host.calls, "remove"));
  }
  SUBCASE("another address that shares the engine") {
    other.address = "192.168.5.9";
    rig.host.containers["192.168.5.1"] = {other};
    rig.boot(kOneServer);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 60000));
    CHECK(rig.host.containers["192.168.5.1"].size() == 2);
  }
}

TEST_CASE("a container that an earlier life started is taken over") {
  ServerRig rig;
  const std::string vcid = rig.boot(kOneServer);
  REQUIRE(rig.runUntil([&] { return contains(rig.host.calls, "run"); }));
  rig.crash();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.host.containers["192.168.5.1"].size() == 1);
  CHECK_FALSE(rig.nodes().front().container_id.empty());
}

TEST_CASE("options that the engine refuses end in ERROR with its words") {
  ServerRig rig;
  rig.host.failure["run"] = invalidArgument("unknown flag");
  rig.boot(kOneServer);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }, 5000));
  CHECK(rig.faultOfFirst().find("unknown flag") != std::string::npos);
}

TEST_CASE("RUNNING waits for the banner") {
  ServerRig rig;
  rig.host.failure["probe"] = unavailable("no banner");
  rig.boot(kOneServer);
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kBooting) == 0; }, 30000));
  rig.host.failure.clear();
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 10000));
}

TEST_CASE("a server that stays away after DELETE is given up after its time, with an event") {
  ServerRig rig("cci_version: '1.0'\nfake:\n  default:\n    release_timeout_s: 60\n");
  const std::string vcid = rig.boot(kOneServer);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  rig.host.failure["inspect"] = unavailable("no route");
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  CHECK_FALSE(rig.runUntil([&] { return !rig.hasVc(vcid); }, 50000));
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }, 120000));
  bool told = false;
  rig.store->read([&](const ReadTx& tx) {
    tx.events().scan([&](const Event& event) {
      told = told || event.reason.find("container left on 192.168.5.1") != std::string::npos;
      return true;
    });
  });
  CHECK(told);
}
