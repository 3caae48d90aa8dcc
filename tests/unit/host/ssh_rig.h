// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "host/deadline.h"
#include "host/ssh_host.h"
#include "support/ssh_peer.h"

/// `Host` against OpenSSH servers and a container engine that are real.
namespace vcc::test {

inline constexpr char kBaseImage[] = "localhost/vcp/base:test";
inline constexpr std::int64_t kVisitMs = 20000;
inline const std::string kJobOp(32, 'a');

/// A controller's host layer and its key.
struct HostController {
  TempDir temp;
  SystemClock clock;
  NullLogger log;
  SshKey key = [this] {
    PosixFileSystem files;
    SystemRandom random;
    return *openSshKey(files, temp.path(), random);
  }();
  std::unique_ptr<Host> host = makeSshHost(key, clock, log);
};

/// Started once, because that takes most of the time; it ends with this program.
inline SshPeer& sharedPeer() {
  static SshPeer peer("--hosts 2");
  return peer;
}

/// Two servers in their first state, with one engine that has the base image, and a controller that may log in.
struct Site {
  SshPeer& peer = sharedPeer();
  HostController controller;
  Host& host = *controller.host;

  Site() {
    if (!peer.skipped.empty()) return;
    peer.authorize(controller.key.public_line);
    peer.docker("rm -f -a -t 0");
    if (peer.docker(std::string("image inspect --format found ") + kBaseImage).exit_code != 0) {
      REQUIRE(peer.importBaseImage(kBaseImage));
    }
    for (std::size_t i = 0; i < peer.hosts.size(); ++i) {
      for (const char* folder : {"/bin", "/home"}) {
        std::filesystem::remove_all(peer.hostDir(i) + folder);
        std::filesystem::create_directory(peer.hostDir(i) + folder);
      }
      std::filesystem::create_symlink(peer.dir() + "/docker", peer.hostDir(i) + "/bin/docker");
    }
    for (const char* file : {"/gate", "/calls", "/count", "/image.tar"}) std::filesystem::remove(peer.dir() + file);
  }
  HostTarget target(std::size_t index = 0) const { return {peer.hosts[index], peer.port, peer.user, ""}; }

  ContainerSpec spec(const std::string& name) const {
    ContainerSpec spec;
    spec.image = kBaseImage;
    spec.name = name;
    spec.labels = {{"vcp.vcc", "vcc-id"}, {"vcp.vcid", "vc-id"},       {"vcp.unit", "unit"}, {"vcp.node_id", "node-id"},
                   {"vcp.node_no", "1"},  {"vcp.address", "10.0.0.1"}, {"vcp.spec", "hash"}};
    spec.environment = {"PRIVATE_IP=" + peer.hosts[0], "BANNER_PORT=" + std::to_string(peer.port + 1)};
    return spec;
  }
  Result<JobReport> startPull(const std::string& image, const std::string& op = kJobOp, std::size_t index = 0) const {
    return host.startJob(target(index), op, {{HostStep::kImage}, {}, image}, kVisitMs);
  }
  /// Polls until the job has ended; each poll is a login, so this is no busy loop.
  JobReport finish(Result<JobReport> report) const {
    Deadline deadline(controller.clock, 60000);
    for (;;) {
      REQUIRE_MESSAGE(report.ok(), report.status().toString());
      if (report->state != JobState::kRunning) return *report;
      REQUIRE(!deadline.passed());
      report = host.pollJob(target(), kJobOp, kVisitMs);
    }
  }
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
inline bool has(const Status& status, const std::string& part) { return has(status.message(), part); }

}  // namespace vcc::test
