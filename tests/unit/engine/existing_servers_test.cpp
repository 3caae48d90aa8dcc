// SPDX-License-Identifier: Apache-2.0
#include "engine/existing_servers.h"

#include "engine/server_findings.h"
#include "support/engine_rig.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

using Level = ServerFinding::Level;

struct DeskRig : EngineRig {
  DeskRig() : EngineRig("cci_version: '1.0'\nonpremises:\n  default:\n    allowed_hosts: [192.168.5.0/24]\n") {
    driver->facts.existence = Existence::kAsserted;
    registry.serve("onpremises");
  }
  ExistingServers desk{{*store, registry, host, [this] { return catalog; },
                        [](const std::string&) { return Result<std::string>(std::string("192.168.0.1")); }},
                       {.vcc_id = "0123",
                        .controller_address = "",
                        .public_key = "ssh-ed25519 AAAA vcc",
                        .plain_registries = {"registry:5000"},
                        .own_addresses = {"192.168.5.9"},
                        .evaluation = false}};
  ServerReport check(const std::string& address = "192.168.5.1") {
    auto report = desk.check({.address = address});
    REQUIRE_MESSAGE(report.ok(), report.status().toString());
    return *report;
  }
  static ServerFinding of(const ServerReport& report, const std::string& name) {
    const auto found = std::ranges::find(report.findings, name, &ServerFinding::name);
    REQUIRE_MESSAGE(found != report.findings.end(), name);
    return *found;
  }
  /// The server has a node of ours.
  void claim() {
    REQUIRE(store
                ->transact([](Tx& tx) -> Status {
                  VCC_RETURN_IF_ERROR(tx.vcs().put({.vcid = "v", .name = "group"}));
                  VCC_RETURN_IF_ERROR(tx.units().put({.unit_id = "u", .vcid = "v", .name = "web"}));
                  VCC_RETURN_IF_ERROR(tx.nodes().put({.node_id = "n", .vcid = "v", .unit_id = "u", .node_no = 4}));
                  return tx.addresses().put({"fake", "*", "192.168.5.1", "n", "v"});
                })
                .ok());
  }
};

bool anyContains(const std::vector<std::string>& lines, const std::string& part) {
  return std::ranges::any_of(lines, [&](const std::string& line) { return contains(line, part); });
}

}  // namespace

TEST_CASE("a server that has everything is ready") {
  DeskRig rig;
  const ServerReport report = rig.check();
  CHECK(report.ready);
  CHECK(report.host_key == "ssh-ed25519 KEY");
  for (const ServerFinding& finding : report.findings) {
    CAPTURE(finding.name);
    CHECK(finding.level == Level::kOk);
    CHECK(finding.commands.empty());
  }
  CHECK(rig.host.calls == std::vector<std::string>{"inspect"});
  CHECK(rig.host.last_look == HostLook::kAll);
  CHECK(rig.host.last_needs.registries ==
        std::vector<std::string>{"192.168.0.1:5000", "192.168.0.1:5001", "registry:5000"});
  CHECK(rig.host.last_needs.ssh_port == 20022);
}

TEST_CASE("what a server lacks comes with the commands that mend it") {
  DeskRig rig;
  SUBCASE("docker") {
    rig.host.lacking = {HostStep::kDocker, HostStep::kRegistries};
    const ServerReport report = rig.check();
    CHECK_FALSE(report.ready);
    CHECK(DeskRig::of(report, "docker").level == Level::kMissing);
    CHECK(anyContains(DeskRig::of(report, "docker").commands, "apt-get install -y docker.io"));
    CHECK(anyContains(DeskRig::of(report, "registries").commands, "\"192.168.0.1:5000\", \"192.168.0.1:5001\""));
  }
  SUBCASE("registries are a note: an image may come from elsewhere") {
    rig.host.lacking = {HostStep::kRegistries};
    const ServerReport report = rig.check();
    CHECK(report.ready);
    CHECK(DeskRig::of(report, "registries").level == Level::kNote);
  }
  SUBCASE("sudo") {
    rig.host.facts.may_sudo = false;
    CHECK(rig.check().ready);
    CHECK(DeskRig::of(rig.check(), "sudo").level == Level::kNote);
    rig.host.lacking = {HostStep::kDocker};
    CHECK(DeskRig::of(rig.check(), "sudo").level == Level::kMissing);
    CHECK(anyContains(DeskRig::of(rig.check(), "sudo").commands, "ubuntu ALL=(ALL) NOPASSWD:ALL"));
  }
  SUBCASE("ports") {
    rig.host.facts.taken_ports = {22, 2375};
    const ServerReport report = rig.check();
    CHECK_FALSE(report.ready);
    CHECK(contains(DeskRig::of(report, "ports").text, "22, 2375"));
    CHECK(anyContains(DeskRig::of(report, "ports").commands, "echo 'Port 20022'"));
    CHECK(anyContains(DeskRig::of(report, "ports").commands, "sport = :2375"));
  }
  SUBCASE("commands, clock and disk") {
    rig.host.facts.missing_commands = {"flock"};
    rig.host.facts.clock_synchronised = false;
    rig.host.facts.free_mib = 100;
    const ServerReport report = rig.check();
    CHECK(DeskRig::of(report, "commands").level == Level::kMissing);
    CHECK(DeskRig::of(report, "clock").level == Level::kNote);
    CHECK(contains(DeskRig::of(report, "disk").text, "100 MiB"));
  }
  SUBCASE("the key") {
    rig.host.failure["inspect"] = unauthenticated("the key is refused");
    const ServerReport report = rig.check();
    CHECK_FALSE(report.ready);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].text == "the key is refused");
    CHECK(anyContains(report.findings[0].commands, "ssh-ed25519 AAAA vcc"));
    CHECK(anyContains(report.findings[0].commands, "sudo -u ubuntu "));
  }
  SUBCASE("sshd: both ports are tried") {
    rig.host.failure["inspect"] = unavailable("nobody answers");
    CHECK_FALSE(rig.check().ready);
    CHECK(rig.host.calls.size() == 2);
    CHECK(rig.host.last_target.ssh_port == 22);
  }
}

TEST_CASE("containers on a server are told apart") {
  DeskRig rig;
  FoundContainer found{.id = "c1", .name = "base", .running = true, .vcc = "other", .address = "192.168.5.1"};
  const auto use = [&] {
    rig.host.containers["192.168.5.1"] = {found};
    return DeskRig::of(rig.check(), "use");
  };
  CHECK(use().level == Level::kMissing);
  CHECK(contains(use().text, "another controller"));
  CHECK(anyContains(use().commands, "docker rm -f -v c1"));
  found.vcc = "0123";
  CHECK(contains(use().text, "no record of this controller knows"));
  found.address = "192.168.5.2";  // another host that shares the engine
  CHECK(use().level == Level::kOk);
  found.address = "192.168.5.1";
  rig.claim();
  CHECK(use().level == Level::kNote);
  CHECK(contains(use().text, "node 4 of unit web of UnitGroup v"));
  CHECK(rig.check().ready);
}

TEST_CASE("a preparation: by one job, never on a server in use") {
  DeskRig rig;
  const ServerQuestion question{.address = "192.168.5.1"};
  SUBCASE("it is done") {
    rig.host.lacking = {HostStep::kDocker};
    const auto begun = rig.desk.prepare(question);
    REQUIRE_MESSAGE(begun.ok(), begun.status().toString());
    CHECK(begun->report.state == JobState::kRunning);
    CHECK(rig.host.last_job.steps == std::vector{HostStep::kDocker, HostStep::kRegistries, HostStep::kSshPort});
    CHECK(rig.desk.prepare(question)->id == begun->id);  // it goes on with the one that runs
    const auto ended = rig.desk.poll({.address = "192.168.5.1", .host_key = begun->host_key}, begun->id);
    REQUIRE(ended.ok());
    CHECK(ended->report.state == JobState::kDone);
  }
  SUBCASE("a node has it") { rig.claim(); }
  SUBCASE("a base container is on it") {
    rig.host.containers["192.168.5.1"] = {{.id = "c1", .name = "base", .vcc = "x", .address = "192.168.5.1"}};
  }
  SUBCASE("the user may not") { rig.host.facts.may_sudo = false; }
  if (std::ranges::find(rig.host.calls, "startJob") != rig.host.calls.end()) return;
  const auto refused = rig.desk.prepare(question);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == Code::kFailedPrecondition);
  CHECK(std::ranges::find(rig.host.calls, "startJob") == rig.host.calls.end());
}

TEST_CASE("what may not be an existing server is not asked") {
  DeskRig rig;
  for (const char* address : {"", "10.0.0.1", "127.0.0.1", "169.254.0.1", "192.168.5.9", "host", "192.168.5.1; id"}) {
    CAPTURE(address);
    CHECK(rig.desk.check({.address = address}).status().code() == Code::kInvalidArgument);
    CHECK(rig.desk.prepare({.address = address}).status().code() == Code::kInvalidArgument);
  }
  for (const char* user : {"", "-x", "a b", "$(id)", "a'b"}) {
    CAPTURE(user);
    CHECK(rig.desk.check({.address = "192.168.5.1", .user = user}).status().code() == Code::kInvalidArgument);
  }
  CHECK(rig.desk.check({.address = "192.168.5.1", .network = "none"}).status().code() == Code::kInvalidArgument);
  CHECK(rig.host.calls.empty());
  rig.registry.unload();
  CHECK(rig.desk.check({.address = "192.168.5.1"}).status().code() == Code::kUnavailable);
}
