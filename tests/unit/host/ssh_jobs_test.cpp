// SPDX-License-Identifier: Apache-2.0
// Detached jobs on real servers.
#include <signal.h>
#include <sys/stat.h>

#include <sstream>

#include "ssh_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("a pull") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  SUBCASE("that succeeds") {
    std::string archive = site.peer.dir() + "/image.tar";
    REQUIRE(site.peer.docker(std::string("save -q -o '") + archive + "' " + kBaseImage).exit_code == 0);
    REQUIRE(site.peer.docker(std::string("rmi ") + kBaseImage).exit_code == 0);
    CHECK(!site.host.inspect(site.target(), kBaseImage, kVisitMs)->image_present);
    // podman pulls from an archive too: a real pull without a registry.
    JobReport report = site.finish(site.startPull("docker-archive:" + archive));
    CHECK_MESSAGE(report.state == JobState::kDone, report.detail);
    CHECK(report.step == HostStep::kImage);
    CHECK(report.containers.empty());
    CHECK(report.lacking.empty());
    const auto id = site.host.runContainer(site.target(), site.spec("vcp-1"), kVisitMs);
    REQUIRE_MESSAGE(id.ok(), id.status().toString());
    // One that is there is not pulled again: nobody would answer.
    REQUIRE(site.peer.docker(std::string("tag ") + kBaseImage + " 127.0.0.1:1/vcp/base:there").exit_code == 0);
    report = site.finish(site.startPull("127.0.0.1:1/vcp/base:there"));
    CHECK_MESSAGE(report.state == JobState::kDone, report.detail);
    // Its end says what is on the host now.
    REQUIRE(report.containers.size() == 1);
    CHECK(report.containers[0].id == *id);
    CHECK(report.containers[0].running);
    CHECK(site.host.inspect(site.target(), kBaseImage, kVisitMs)->image_present);
  }
  SUBCASE("that fails") {
    JobReport report = site.finish(site.startPull("127.0.0.1:1/vcp/base:1"));
    CHECK(report.state == JobState::kFailed);
    CHECK(report.step == HostStep::kImage);
    CHECK(has(report.detail, "connection refused"));
  }
  // Its traces are gone with the report.
  CHECK(site.host.pollJob(site.target(), kJobOp, kVisitMs)->state == JobState::kUnknown);
  CHECK(std::filesystem::is_empty(site.peer.hostDir(0) + "/home/.vcp-jobs"));
}

TEST_CASE("a job that has done its work, and what it did is gone at once") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  const std::string count = site.peer.dir() + "/count";
  writeFile(count, "0\n");
  // It answers when the job is started, and to the job.
  FakeProgram docker(
      site.peer, 0, "docker",
      "[ \"$1\" = ps ] || exit 0\nread -r n <'" + count + "'\necho $((n+1)) >'" + count + "'\n[ $n -lt 2 ]");
  const JobReport report =
      site.finish(site.host.startJob(site.target(), kJobOp, {{HostStep::kDocker}, {}, ""}, kVisitMs));
  CHECK_MESSAGE(report.state == JobState::kDone, report.detail);
  CHECK(report.lacking == std::vector{HostStep::kDocker});
}

TEST_CASE("a pull runs on without us, once, and survives no reboot") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  std::string gate = site.peer.dir() + "/gate", calls = site.peer.dir() + "/calls";
  REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  // The job is a shell that runs timeout, which runs xargs, which runs this.
  FakeProgram docker(
      site.peer, 0, "docker",
      "[ \"$1\" = pull ] || exec '" + site.peer.dir() + "/docker' \"$@\"\n" +
          "read -r _ _ _ timeout _ </proc/$PPID/stat\nread -r _ _ _ shell _ </proc/$timeout/stat\n" +
          "echo $shell $timeout $PPID $$ >>'" + calls + "'\n" +
          "echo a: Pulling fs layer; echo b: Pulling fs layer; echo c: Already exists; echo a: Pull complete\n" +
          "echo pulling \"$3\"\nread -r end <'" + gate + "'\nexit $end");
  CHECK(site.host.pollJob(site.target(), kJobOp, kVisitMs)->state == JobState::kUnknown);
  for (int i = 0; i < 2; ++i) {
    const auto started = site.startPull("image:1");
    REQUIRE_MESSAGE(started.ok(), started.status().toString());
    CHECK(started->state == JobState::kRunning);
  }
  CHECK(site.host.pollJob(site.target(1), kJobOp, kVisitMs)->state == JobState::kUnknown);
  Deadline deadline(site.controller.clock, 20000);
  JobReport report;
  while (!has(report.detail, "pulling image:1")) {
    REQUIRE(!deadline.passed());
    report = *site.host.pollJob(site.target(), kJobOp, kVisitMs);
    CHECK(report.state == JobState::kRunning);
  }
  CHECK(report.progress == "2 of 3 layers");
  std::istringstream call(readFile(calls));
  std::string line;
  REQUIRE(std::getline(call, line));
  CHECK(!std::getline(call, line));

  SUBCASE("it ends") {
    writeFile(gate, "0\n");
    CHECK(site.finish(site.host.pollJob(site.target(), kJobOp, kVisitMs)).state == JobState::kDone);
  }
  SUBCASE("it fails") {
    writeFile(gate, "3\n");
    CHECK(site.finish(site.host.pollJob(site.target(), kJobOp, kVisitMs)).state == JobState::kFailed);
  }
  SUBCASE("the host dies") {
    std::istringstream pids(readFile(calls));
    for (pid_t pid; pids >> pid;) ::kill(pid, SIGKILL);
    CHECK(site.finish(site.host.pollJob(site.target(), kJobOp, kVisitMs)).state == JobState::kUnknown);
    REQUIRE(site.startPull("image:1").ok());
    writeFile(gate, "0\n");
    CHECK(site.finish(site.host.pollJob(site.target(), kJobOp, kVisitMs)).state == JobState::kDone);
  }
}

TEST_CASE("a job that never stops printing fills no disk") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  const std::string calls = site.peer.dir() + "/calls";
  FakeProgram docker(
      site.peer, 0, "docker",
      "[ \"$1\" = pull ] || exec '" + site.peer.dir() + "/docker' \"$@\"\necho $$ >'" + calls + "'\nexec yes vcp end");
  auto report = site.startPull("image:1");
  const std::filesystem::path out = site.peer.hostDir(0) + "/home/.vcp-jobs/" + kJobOp + "/out";
  Deadline deadline(site.controller.clock, 60000);
  while (report.ok() && std::filesystem::file_size(out) < 4096000 && !deadline.passed()) {
    report = site.host.pollJob(site.target(), kJobOp, kVisitMs);
  }
  CHECK(std::filesystem::file_size(out) == 4096000);
  report = site.host.pollJob(site.target(), kJobOp, kVisitMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->state == JobState::kRunning);
  CHECK(report->detail.size() <= 2048);
  CHECK(std::filesystem::file_size(out) == 4096000);
  ::kill(static_cast<pid_t>(std::stol(readFile(calls))), SIGKILL);
  CHECK(site.finish(site.host.pollJob(site.target(), kJobOp, kVisitMs)).state == JobState::kFailed);
}
