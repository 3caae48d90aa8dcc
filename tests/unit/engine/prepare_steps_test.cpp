// SPDX-License-Identifier: Apache-2.0
// Machines that a cloud has made are prepared before their base container is started; existing servers are not.
#include "support/engine_rig.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr char kCatalog[] =
    "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n"
    "    ntp_servers: [10.0.0.251, ntp.example.org]\n    cloud_instance_dns_servers: 10.0.0.252\n    ssh_port: 2022\n"
    "    boot_deadline_s: 600\n";

const std::vector<HostStep> kAllSteps{HostStep::kDns,        HostStep::kTime,    HostStep::kDocker,
                                      HostStep::kRegistries, HostStep::kSshPort, HostStep::kImage};

struct CloudRig : EngineRig {
  CloudRig() : EngineRig(kCatalog) {
    driver->facts.simulated_hosts = false;
    host.image_present = false;
    host.lacking = {HostStep::kDocker, HostStep::kRegistries};
    options.plain_registries = {"registry.example.org:5000"};
    restart();
  }
  void boot() {
    const Status added = commands->addUnit(caller, newVc(), "web", unitCci("web", 1));
    REQUIRE_MESSAGE(added.ok(), added.toString());
  }
  std::size_t calls(const std::string& name) const {
    return static_cast<std::size_t>(std::ranges::count(host.calls, name));
  }
  bool fails(std::int64_t limit_ms = 1'000'000) {
    return runUntil([&] { return count(State::kError) == 1; }, limit_ms);
  }
  bool runs(std::int64_t limit_ms = 1'000'000) {
    return runUntil([&] { return count(State::kRunning) == 1; }, limit_ms);
  }
  std::string fault() const { return nodes().front().fault.text; }
};

}  // namespace

TEST_CASE("a machine is prepared by one job, whose end says what is there, and then gets its container") {
  CloudRig rig;
  rig.boot();
  REQUIRE(rig.runs());
  CHECK(rig.host.calls == std::vector<std::string>{"inspect", "startJob", "pollJob", "run", "probe"});
  CHECK(rig.host.last_job.steps == kAllSteps);
  CHECK(rig.host.last_job.image == "localhost/vcp/base:1");
  CHECK(rig.host.last_look == HostLook::kNeeds);
  CHECK(rig.host.last_target.ssh_port == 2022);
  for (const HostNeeds* needs : {&rig.host.last_needs, &rig.host.last_job.needs}) {
    CHECK(needs->ntp_servers == std::vector<std::string>{"10.0.0.251", "ntp.example.org"});
    CHECK(needs->dns_servers == std::vector<std::string>{"10.0.0.252"});
    CHECK(needs->registries ==
          std::vector<std::string>{"192.168.0.1:5000", "192.168.0.1:5001", "registry.example.org:5000"});
    CHECK(needs->ssh_port == 2022);
  }
  CHECK(rig.fault().empty());
}

TEST_CASE("a job of seconds costs six logins at most, and a long one is asked for ever more rarely") {
  CloudRig rig;
  std::int64_t lasts_ms = 0;
  std::size_t logins = 0;
  SUBCASE("that ends while its start waits for it") {
    lasts_ms = 1500;
    logins = 3;
  }
  SUBCASE("of some seconds") {
    lasts_ms = 12500;
    logins = 6;
  }
  SUBCASE("of minutes: its end is known within some seconds") {
    lasts_ms = 400000;
    logins = 45;
  }
  const std::int64_t begun = rig.clock.monoMs();
  // A real host waits a moment for the job before it answers.
  rig.host.job_ends = [&] {
    const std::int64_t left = begun + lasts_ms - rig.clock.monoMs();
    rig.clock.advance(std::clamp<std::int64_t>(left, 0, 2000));
    return left <= 2000;
  };
  rig.boot();
  REQUIRE(rig.runs());
  const std::size_t counted = rig.host.calls.size() - rig.calls("probe");
  CHECK(counted <= logins);
  CHECK(rig.clock.monoMs() - begun < lasts_ms + 15000);
}

TEST_CASE("what the end of a job shows on the machine is heeded") {
  CloudRig before;
  before.boot();
  REQUIRE(before.runs());
  FoundContainer found = before.host.containers.begin()->second.front();
  CloudRig rig;  // everything has the same names in it
  rig.host.job_ends = [&] {
    rig.host.containers[found.address] = {found};
    return true;
  };
  SUBCASE("a container of another controller is left alone") {
    found.vcc = "another";
    rig.boot();
    REQUIRE(rig.fails());
    CHECK(contains(rig.fault(), "is in use: it runs container " + found.name + " of another controller (another)"));
    CHECK(rig.host.containers[found.address].size() == 1);
  }
  SUBCASE("one that an earlier try has started is kept") {
    rig.boot();
    REQUIRE(rig.runs());
    CHECK(rig.nodes().front().container_id == found.id);
  }
  CHECK(rig.calls("inspect") == 1);
  CHECK(rig.calls("run") == 0);
}

TEST_CASE("a machine whose image brings everything is not prepared") {
  CloudRig rig;
  rig.host.lacking.clear();
  rig.host.image_present = true;
  rig.boot();
  REQUIRE(rig.runs());
  CHECK(rig.host.calls == std::vector<std::string>{"inspect", "run", "probe"});
}

TEST_CASE("an image alone is pulled by a job of its own") {
  CloudRig rig;
  rig.host.lacking.clear();
  rig.boot();
  REQUIRE(rig.runs());
  CHECK(rig.host.calls == std::vector<std::string>{"inspect", "startJob", "pollJob", "run", "probe"});
  CHECK(rig.host.last_job.steps == std::vector{HostStep::kImage});
}

TEST_CASE("an existing server is never asked for its needs, and no job changes it") {
  CloudRig rig;
  rig.driver->facts.existence = Existence::kAsserted;
  rig.driver->script = [&](const std::string&, const CallContext&, const MachineRef& ref) {
    rig.driver->cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
    return FakeDriver::Fate{};
  };
  const Status added = rig.commands->addUnit(rig.caller, rig.newVc(), "web",
                                             unitCci("web", 1, "        ip_address_list: ['10.0.0.5']\n"));
  REQUIRE_MESSAGE(added.ok(), added.toString());
  REQUIRE(rig.runs());
  CHECK(rig.host.last_look == HostLook::kContainers);
  CHECK(rig.host.last_needs.registries.empty());
  CHECK(rig.host.last_needs.ssh_port == 0);
  CHECK(rig.host.last_job.steps == std::vector{HostStep::kImage});
}

TEST_CASE("what a job is at is shown while it runs") {
  CloudRig rig;
  rig.host.failure["pollJob"] = unavailable("held up");
  rig.boot();
  REQUIRE(rig.runUntil([&] { return !rig.nodes().empty() && !rig.nodes().front().progress.empty(); }));
  CHECK(rig.nodes().front().step == Step::kPrepare);
  CHECK(rig.nodes().front().progress == "pulling the image localhost/vcp/base:1");
  rig.host.failure.clear();
  REQUIRE(rig.runs());
}

TEST_CASE("a controller that dies while a job runs finds it again and begins none") {
  CloudRig rig;
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.calls("startJob") == 1; }));
  rig.runUntil([&] { return !rig.nodes().front().progress.empty(); });
  rig.crash();
  REQUIRE(rig.runs());
  CHECK(rig.calls("startJob") == 1);
}

TEST_CASE("a job that was killed is begun again") {
  CloudRig rig;
  rig.boot();
  REQUIRE(rig.runUntil([&] { return rig.calls("startJob") == 1; }));
  rig.host.job = JobState::kDone;
  rig.host.failure["startJob"] = unavailable("the host is rebooting");
  rig.host.failure["pollJob"] = unavailable("the host is rebooting");
  REQUIRE(rig.runUntil([&] { return rig.calls("startJob") > 2; }));
  rig.host.job = JobState::kUnknown;  // the reboot ended it
  rig.host.failure.erase("pollJob");
  rig.host.failure.erase("startJob");
  REQUIRE(rig.runs());
  CHECK(rig.fault().empty());
}

TEST_CASE("a step that fails three times ends in ERROR with its words and a remedy; the machine is kept") {
  CloudRig rig;
  rig.host.job = JobState::kFailed;
  rig.boot();
  REQUIRE(rig.fails(60000));
  CHECK(rig.calls("startJob") == 3);
  CHECK(contains(rig.fault(), "pulling image localhost/vcp/base:1 on 10.0.0."));
  CHECK(contains(rig.fault(), "the registry said no"));
  CHECK(contains(rig.fault(), "reaches its registry"));
  CHECK_FALSE(contains(rig.fault(), "onprem"));
  CHECK_FALSE(rig.machines().front().want_destroy);
}

TEST_CASE("a machine that lacks the same after its preparation says so") {
  CloudRig rig;
  rig.host.stubborn = true;
  rig.boot();
  REQUIRE(rig.fails(60000));
  CHECK(contains(rig.fault(), "was prepared, and still docker is missing or does not work (there is no docker)"));
  CHECK(rig.calls("run") == 0);
  CHECK(rig.calls("startJob") == 1);
  CHECK(rig.calls("inspect") == 4);
}
