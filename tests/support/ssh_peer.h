// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace vcc::test {

/// What a shell command printed (stdout only) and its exit code. For fixed commands of tests.
struct ShellResult {
  int exit_code = -1;
  std::string out;
};

inline ShellResult shell(const std::string& command) {
  ShellResult result;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) result.out.append(buffer, got);
  int status = ::pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

inline std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void writeFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Real ssh servers with a real container engine (tests/support/ssh-peer). They end with this object, or with this
/// process if it dies. Where they cannot run, `skipped` says why.
class SshPeer {
 public:
  explicit SshPeer(const std::string& options = "") {
    auto answer = shell("'" VCC_SOURCE_DIR "/tests/support/ssh-peer' up '" + dir() + "' --owner " +
                        std::to_string(::getpid()) + " " + options);
    if (answer.exit_code == 77) {
      skipped = answer.out.substr(0, answer.out.find_last_not_of('\n') + 1);
      return;
    }
    if (answer.exit_code != 0) throw std::runtime_error("ssh-peer up failed");
    auto json = Poco::JSON::Parser().parse(answer.out).extract<Poco::JSON::Object::Ptr>();
    port = json->getValue<int>("port");
    user = json->getValue<std::string>("user");
    for (const auto& host : *json->getArray("hosts")) hosts.push_back(host.convert<std::string>());
    for (const auto& key : *json->getArray("host_keys")) host_keys.push_back(key.convert<std::string>());
  }
  ~SshPeer() { shell("'" VCC_SOURCE_DIR "/tests/support/ssh-peer' down '" + dir() + "'"); }
  SshPeer(const SshPeer&) = delete;
  SshPeer& operator=(const SshPeer&) = delete;

  std::string dir() const { return temp_.file("peer"); }
  std::string hostDir(std::size_t index) const { return dir() + "/host-" + std::to_string(index + 1); }
  /// The engine's command, with `arguments` as a shell reads them.
  ShellResult docker(const std::string& arguments) const { return shell("'" + dir() + "/docker' " + arguments); }
  void authorize(const std::string& public_line) const {
    std::ofstream(dir() + "/authorized_keys", std::ios::app) << public_line << "\n";
  }
  bool importBaseImage(const std::string& name) const {
    return shell("'" VCC_SOURCE_DIR "/tests/support/base-image' '" + dir() + "' '" + name + "'").exit_code == 0;
  }

  std::string skipped;
  std::vector<std::string> hosts, host_keys;
  int port = 0;
  std::string user;

 private:
  TempDir temp_;
};

/// Puts a program of its own first on the PATH of one server for as long as this object lives.
class FakeProgram {
 public:
  FakeProgram(const SshPeer& peer, std::size_t host, const std::string& name, const std::string& script)
      : path_(peer.hostDir(host) + "/bin/" + name), engine_(peer.dir() + "/docker"), restore_(name == "docker") {
    std::filesystem::remove(path_);
    writeFile(path_, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~FakeProgram() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    if (restore_) std::filesystem::create_symlink(engine_, path_, ignored);
  }
  FakeProgram(const FakeProgram&) = delete;
  FakeProgram& operator=(const FakeProgram&) = delete;

 private:
  std::string path_, engine_;
  bool restore_;
};

}  // namespace vcc::test

/// Leaves a test case, visibly, when the peer cannot run on this machine.
#define VCC_SKIP_WITHOUT(peer)                \
  if (!(peer).skipped.empty()) {              \
    MESSAGE((peer).skipped);                  \
    std::cout << (peer).skipped << std::endl; \
    return;                                   \
  }
