// SPDX-License-Identifier: Apache-2.0
// Real servers on which something is wrong: each call ends in time with an error that says what to do.
#include "ssh_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("engines that are missing, denied or broken") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  auto look = [&] { return site.host.inspect(site.target(), kBaseImage, kVisitMs); };
  const std::string denied = "echo 'permission denied while trying to connect to the Docker daemon socket' >&2\nexit 1";
  SUBCASE("no docker") {
    std::filesystem::remove(site.peer.hostDir(0) + "/bin/docker");
    Status status = look().status();
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(has(status, "install docker"));
    CHECK(has(status, "usermod -aG docker"));
    CHECK(has(status, "sudo"));
    CHECK(site.startPull("image:1").status().code() == Code::kFailedPrecondition);
    CHECK(site.host.runContainer(site.target(), site.spec("x"), kVisitMs).status().code() == Code::kFailedPrecondition);
  }
  SUBCASE("the socket is denied and sudo too") {
    FakeProgram docker(site.peer, 0, "docker", denied);
    FakeProgram sudo(site.peer, 0, "sudo", "echo 'sudo: a password is required' >&2\nexit 1");
    Status status = look().status();
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(has(status, "a password is required"));
    CHECK(has(status, "usermod -aG docker"));
    CHECK(has(status, "NOPASSWD"));
  }
  SUBCASE("the socket is denied and sudo helps") {
    FakeProgram docker(site.peer, 0, "docker", denied);
    FakeProgram sudo(site.peer, 0, "sudo",
                     "[ \"$1\" = -n ] || exit 9\nshift\nmkdir -p '" + site.peer.dir() + "/root'\nln -sf '" +
                         site.peer.dir() + "/docker' '" + site.peer.dir() + "/root/docker'\nPATH='" + site.peer.dir() +
                         "/root':$PATH exec \"$@\"");
    auto report = look();
    REQUIRE_MESSAGE(report.ok(), report.status().toString());
    CHECK(report->engine == "sudo -n docker");
    CHECK(report->image_present);
    auto id = site.host.runContainer(site.target(), site.spec("vcp-sudo"), kVisitMs);
    REQUIRE_MESSAGE(id.ok(), id.status().toString());
    CHECK(look()->containers.at(0).id == *id);
    CHECK(has(site.finish(site.startPull("127.0.0.1:1/vcp/base:1")).detail, "connection refused"));
    CHECK(site.host.removeContainer(site.target(), *id, kVisitMs).ok());
  }
  SUBCASE("the daemon is down") {
    FakeProgram docker(site.peer, 0, "docker", "echo 'Cannot connect to the Docker daemon' >&2\nexit 1");
    Status status = look().status();
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(has(status, "Cannot connect to the Docker daemon"));
  }
  SUBCASE("no room for a job") {
    writeFile(site.peer.hostDir(0) + "/home/.vcp-jobs", "in the way");
    CHECK(has(site.startPull("image:1").status(), ".vcp-jobs"));
  }
  SUBCASE("it describes containers in its own way") {
    FakeProgram docker(site.peer, 0, "docker", "case $1 in ps) echo 0123;; container) echo 'vcp container {}';; esac");
    CHECK(look().status().code() == Code::kInternal);
  }
}

TEST_CASE("commands that go wrong") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  auto run = [&](std::int64_t deadline_ms) {
    return site.host.runContainer(site.target(), site.spec("vcp-x"), deadline_ms).status();
  };
  SUBCASE("endless output") {
    for (const char* where : {"", " >&2"}) {
      FakeProgram docker(site.peer, 0, "docker", std::string("[ \"$1\" = ps ] || exec yes") + where);
      Status status = run(kVisitMs);
      CHECK(status.code() == Code::kUnavailable);
      CHECK(has(status, "far more than it should"));
      CHECK(status.outcome() == Outcome::kUnknown);
    }
  }
  SUBCASE("no end") {
    FakeProgram docker(site.peer, 0, "docker", "[ \"$1\" = ps ] || exec sleep 100");
    auto begin_ms = site.controller.clock.monoMs();
    Status status = run(5000);
    CHECK(status.code() == Code::kDeadlineExceeded);
    CHECK(status.outcome() == Outcome::kUnknown);
    CHECK(site.controller.clock.monoMs() - begin_ms < 10000);
  }
  SUBCASE("the connection breaks") {
    FakeProgram docker(site.peer, 0, "docker",
                       "[ \"$1\" = ps ] && exit 0\np=$PPID\nuntil [ \"$(cat /proc/$p/comm)\" = sshd ]; do\n"
                       "read -r _ _ _ p _ </proc/$p/stat\ndone\nkill -9 $p");
    Status status = run(kVisitMs);
    CHECK(status.code() == Code::kUnavailable);
    CHECK(status.outcome() == Outcome::kUnknown);
    CHECK(has(status, site.peer.hosts[0]));
  }
  SUBCASE("the command is killed") {
    FakeProgram docker(site.peer, 0, "docker",
                       "[ \"$1\" = ps ] && exit 0\nread -r _ _ _ shell _ </proc/$PPID/stat\nkill -9 $shell");
    Status status = run(kVisitMs);
    CHECK(status.code() == Code::kUnavailable);
    CHECK(has(status, "KILL"));
  }
  SUBCASE("an engine that prints no id") {
    FakeProgram docker(site.peer, 0, "docker", "[ \"$1\" = ps ] || echo what a nice day");
    CHECK(run(kVisitMs).code() == Code::kInternal);
  }
  SUBCASE("start-up files that talk") {
    writeFile(site.peer.hostDir(0) + "/home/.bashrc", "echo welcome; echo welcome >&2\n");
    CHECK(site.host.inspect(site.target(), kBaseImage, kVisitMs).ok());
  }
}
