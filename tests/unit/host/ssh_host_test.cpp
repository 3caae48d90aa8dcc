// SPDX-License-Identifier: Apache-2.0
// The whole of `Host` against OpenSSH servers and a container engine that are real.
#include "host/ssh_host.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <sstream>

#include "base/executor.h"
#include "base/file_system.h"
#include "host/deadline.h"
#include "support/ssh_peer.h"

using namespace vcc;
using vcc::test::FakeProgram;
using vcc::test::readFile;
using vcc::test::SshPeer;
using vcc::test::TempDir;
using vcc::test::writeFile;

namespace {

constexpr char kImage[] = "localhost/vcp/base:test";
constexpr std::int64_t kDeadlineMs = 20000;
const std::string kOp(32, 'a');

/// A controller's host layer and its key.
struct Controller {
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
SshPeer& sharedPeer() {
  static SshPeer peer("--hosts 2");
  return peer;
}

/// Two servers in their first state, with one engine that has the base image, and a controller that may log in.
struct Site {
  SshPeer& peer = sharedPeer();
  Controller controller;
  Host& host = *controller.host;

  Site() {
    if (!peer.skipped.empty()) return;
    peer.authorize(controller.key.public_line);
    peer.docker("rm -f -a -t 0");
    if (peer.docker(std::string("image inspect --format found ") + kImage).exit_code != 0) {
      REQUIRE(peer.importBaseImage(kImage));
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
    spec.image = kImage;
    spec.name = name;
    spec.labels = {{"vcp.vcc", "vcc-id"}, {"vcp.vcid", "vc-id"},       {"vcp.unit", "unit"}, {"vcp.node_id", "node-id"},
                   {"vcp.node_no", "1"},  {"vcp.address", "10.0.0.1"}, {"vcp.spec", "hash"}};
    spec.environment = {"PRIVATE_IP=" + peer.hosts[0], "BANNER_PORT=" + std::to_string(peer.port + 1)};
    return spec;
  }
  Result<JobReport> startPull(const std::string& image, const std::string& op = kOp, std::size_t index = 0) const {
    return host.startJob(target(index), op, {{HostStep::kImage}, {}, image}, kDeadlineMs);
  }
  /// Polls until the job has ended; each poll is a login, so this is no busy loop.
  JobReport finish(Result<JobReport> report) const {
    Deadline deadline(controller.clock, 60000);
    for (;;) {
      REQUIRE_MESSAGE(report.ok(), report.status().toString());
      if (report->state != JobState::kRunning) return *report;
      REQUIRE(!deadline.passed());
      report = host.pollJob(target(), kOp, kDeadlineMs);
    }
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
bool has(const Status& status, const std::string& part) { return has(status.message(), part); }

}  // namespace

TEST_CASE("a container's life") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  auto report = site.host.inspect(site.target(), kImage, kDeadlineMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->host_key == site.peer.host_keys[0]);
  CHECK(report->engine == "docker");
  CHECK(!report->engine_version.empty());
  CHECK(report->image_present);
  CHECK(report->containers.empty());
  CHECK(!site.host.inspect(site.target(), "localhost/vcp/other:1", kDeadlineMs)->image_present);
  // The release of a server asks for no image.
  const auto without_image = site.host.inspect(site.target(), "", kDeadlineMs);
  REQUIRE_MESSAGE(without_image.ok(), without_image.status().toString());
  CHECK_FALSE(without_image->image_present);

  auto begin_ms = site.controller.clock.wallMs();
  auto id = site.host.runContainer(site.target(), site.spec("vcp-1"), kDeadlineMs);
  REQUIRE_MESSAGE(id.ok(), id.status().toString());
  report = site.host.inspect(site.target(), kImage, kDeadlineMs);
  REQUIRE(report.ok());
  REQUIRE(report->containers.size() == 1);
  FoundContainer found = report->containers[0];
  CHECK(found.id == *id);
  CHECK(found.name == "vcp-1");
  CHECK(found.running);
  CHECK(found.status == "running");
  CHECK(found.started_at >= begin_ms - 1000);
  CHECK(found.started_at <= site.controller.clock.wallMs() + 1000);
  CHECK(found.vcc == "vcc-id");
  CHECK(found.vcid == "vc-id");
  CHECK(found.unit == "unit");
  CHECK(found.node_id == "node-id");
  CHECK(found.address == "10.0.0.1");
  CHECK(found.spec_hash == "hash");
  // The base image answers like a node whose sshd is up.
  Deadline deadline(site.controller.clock, 10000);
  Status banner;
  do {
    banner = site.host.probeBanner(site.peer.hosts[0], site.peer.port + 1, 2000);
  } while (!banner.ok() && !deadline.passed());
  CHECK_MESSAGE(banner.ok(), banner.toString());

  auto again = site.host.runContainer(site.target(), site.spec("vcp-1"), kDeadlineMs);
  REQUIRE(!again.ok());
  CHECK(again.status().code() == Code::kAlreadyExists);
  CHECK(again.status().outcome() == Outcome::kNotApplied);

  for (int i = 0; i < 2; ++i) CHECK(site.host.stopContainer(site.target(), *id, kDeadlineMs).ok());
  report = site.host.inspect(site.target(), kImage, kDeadlineMs);
  CHECK(!report->containers.at(0).running);
  CHECK(report->containers.at(0).status == "exited");
  for (int i = 0; i < 2; ++i) CHECK(site.host.startContainer(site.target(), *id, kDeadlineMs).ok());
  CHECK(site.host.inspect(site.target(), kImage, kDeadlineMs)->containers.at(0).running);
  for (int i = 0; i < 2; ++i) CHECK(site.host.removeContainer(site.target(), *id, kDeadlineMs).ok());
  CHECK(site.host.inspect(site.target(), kImage, kDeadlineMs)->containers.empty());

  Status gone = site.host.startContainer(site.target(), *id, kDeadlineMs);
  CHECK(gone.code() == Code::kNotFound);
  CHECK(has(gone, site.peer.hosts[0]));
}

TEST_CASE("odd characters reach the container byte for byte") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  ContainerSpec spec = site.spec("vcp-odd");
  std::vector<std::string> odd{"SPACES=  a  b ",
                               "QUOTES='a' \"b\" `c`",
                               "EQUALS==a=b=",
                               "DOLLAR=$HOME ${PATH} $(id) $$",
                               "LINES=first\nsecond\n\nlast\n",
                               "CARRIAGE=a\rb\tc",
                               "COMMA=a,b,\"c",
                               "BACK=\\n \\\\ \\",
                               "EMPTY=",
                               "GLOB=* ? [a] {b,c} ~ !x",
                               "SHELL=; rm -rf / & | > <",
                               "UTF8=\xe5\xa4\xa7\xe5\xad\xa6",
                               "OPTION=--help",
                               "LARGE=" + std::string(100000, 'x')};
  spec.environment.insert(spec.environment.end(), odd.begin(), odd.end());
  spec.labels[2].second = "unit 'x' \"y\"\t$z\n\\";
  spec.volumes = {"/tmp:/mnt/a b:ro", "/var/lib/anonymous"};
  spec.add_host = {"db.example:10.0.0.9"};
  spec.hostname = "node-1";
  auto id = site.host.runContainer(site.target(), spec, kDeadlineMs);
  REQUIRE_MESSAGE(id.ok(), id.status().toString());

  std::string variables = site.peer.docker("exec " + *id + " cat /proc/1/environ").out;
  for (const auto& item : odd) {
    CAPTURE(item.substr(0, 40));
    CHECK(has(std::string(1, '\0') + variables, std::string(1, '\0') + item + std::string(1, '\0')));
  }
  auto report = site.host.inspect(site.target(), kImage, kDeadlineMs);
  REQUIRE(report.ok());
  CHECK(report->containers.at(0).unit == "unit 'x' \"y\"\t$z\n\\");
  CHECK(has(site.peer.docker("exec " + *id + " cat /etc/hosts").out, "10.0.0.9"));
  CHECK(site.peer.docker("exec " + *id + " ls -d '/mnt/a b' /var/lib/anonymous").exit_code == 0);
  CHECK(site.peer.docker("exec " + *id + " hostname").exit_code == 0);
  auto form = site.peer
                  .docker(
                      "container inspect --format '{{.HostConfig.Privileged}} {{.HostConfig.NetworkMode}} "
                      "{{.HostConfig.RestartPolicy.Name}} {{.Config.Hostname}}' " +
                      *id)
                  .out;
  CHECK(form == "true host unless-stopped node-1\n");
}

TEST_CASE("two servers are worked on at once") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  std::vector<Status> results(16, unavailable("not run"));
  {
    std::vector<Thread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back("visitor",
                           [&, i] { results[i] = site.host.inspect(site.target(i % 2), kImage, 60000).status(); });
    }
  }
  for (const auto& result : results) CHECK_MESSAGE(result.ok(), result.toString());
}

TEST_CASE("options that the engine refuses come back in its words, without the environment") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  ContainerSpec spec = site.spec("vcp-bad");
  spec.volumes = {"/tmp:/mnt:no-such-option,TOPSECRET"};
  spec.environment.push_back("KEY=TOPSECRET");
  auto id = site.host.runContainer(site.target(), spec, kDeadlineMs);
  REQUIRE(!id.ok());
  CHECK(id.status().code() == Code::kInvalidArgument);
  CHECK(has(id.status(), "no-such-option"));
  CHECK(!has(id.status(), "TOPSECRET"));
  CHECK(has(id.status(), site.peer.hosts[0]));

  ContainerSpec missing = site.spec("vcp-missing");
  missing.image = "localhost/vcp/missing:1";
  CHECK(site.host.runContainer(site.target(), missing, kDeadlineMs).status().code() == Code::kNotFound);

  ContainerSpec large = site.spec("vcp-large");
  large.environment.push_back("LARGE=" + std::string(131072, 'x'));
  auto refused = site.host.runContainer(site.target(), large, kDeadlineMs).status();
  CHECK(refused.code() == Code::kInvalidArgument);
  CHECK(refused.outcome() == Outcome::kNotApplied);
}

TEST_CASE("an argument vector near the limit is one command") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  FakeProgram docker(site.peer, 0, "docker",
                     "[ \"$1\" = ps ] && exit 0\necho called >>'" + site.peer.dir() + "/calls'\necho \"$#\" >'" +
                         site.peer.dir() + "/count'\necho 0123");
  ContainerSpec spec = site.spec("vcp-many");
  spec.environment.clear();
  for (int i = 0; i < 13; ++i) spec.environment.push_back("N" + std::to_string(i) + "=" + std::string(130000, 'x'));
  for (int i = 0; i < 2000; ++i) spec.add_host.push_back("h" + std::to_string(i) + ":10.0.0.1");
  auto id = site.host.runContainer(site.target(), spec, kDeadlineMs);
  REQUIRE_MESSAGE(id.ok(), id.status().toString());
  CHECK(readFile(site.peer.dir() + "/calls") == "called\n");
  // run -d --pull never --privileged --network host --restart unless-stopped, --name, seven labels, /dev, the items,
  // --.
  CHECK(readFile(site.peer.dir() + "/count") == std::to_string(9 + 2 + 14 + 2 + 26 + 4000 + 2) + "\n");
}

TEST_CASE("a pull") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  SUBCASE("that succeeds") {
    std::string archive = site.peer.dir() + "/image.tar";
    REQUIRE(site.peer.docker(std::string("save -q -o '") + archive + "' " + kImage).exit_code == 0);
    REQUIRE(site.peer.docker(std::string("rmi ") + kImage).exit_code == 0);
    CHECK(!site.host.inspect(site.target(), kImage, kDeadlineMs)->image_present);
    // podman pulls from an archive too: a real pull without a registry.
    JobReport report = site.finish(site.startPull("docker-archive:" + archive));
    CHECK_MESSAGE(report.state == JobState::kDone, report.detail);
    CHECK(report.step == HostStep::kImage);
    CHECK(report.containers.empty());
    CHECK(report.lacking.empty());
    const auto id = site.host.runContainer(site.target(), site.spec("vcp-1"), kDeadlineMs);
    REQUIRE_MESSAGE(id.ok(), id.status().toString());
    // One that is there is not pulled again: nobody would answer.
    REQUIRE(site.peer.docker(std::string("tag ") + kImage + " 127.0.0.1:1/vcp/base:there").exit_code == 0);
    report = site.finish(site.startPull("127.0.0.1:1/vcp/base:there"));
    CHECK_MESSAGE(report.state == JobState::kDone, report.detail);
    // Its end says what is on the host now.
    REQUIRE(report.containers.size() == 1);
    CHECK(report.containers[0].id == *id);
    CHECK(report.containers[0].running);
    CHECK(site.host.inspect(site.target(), kImage, kDeadlineMs)->image_present);
  }
  SUBCASE("that fails") {
    JobReport report = site.finish(site.startPull("127.0.0.1:1/vcp/base:1"));
    CHECK(report.state == JobState::kFailed);
    CHECK(report.step == HostStep::kImage);
    CHECK(has(report.detail, "connection refused"));
  }
  // Its traces are gone with the report.
  CHECK(site.host.pollJob(site.target(), kOp, kDeadlineMs)->state == JobState::kUnknown);
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
      site.finish(site.host.startJob(site.target(), kOp, {{HostStep::kDocker}, {}, ""}, kDeadlineMs));
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
  CHECK(site.host.pollJob(site.target(), kOp, kDeadlineMs)->state == JobState::kUnknown);
  for (int i = 0; i < 2; ++i) {
    const auto started = site.startPull("image:1");
    REQUIRE_MESSAGE(started.ok(), started.status().toString());
    CHECK(started->state == JobState::kRunning);
  }
  CHECK(site.host.pollJob(site.target(1), kOp, kDeadlineMs)->state == JobState::kUnknown);
  Deadline deadline(site.controller.clock, 20000);
  JobReport report;
  while (!has(report.detail, "pulling image:1")) {
    REQUIRE(!deadline.passed());
    report = *site.host.pollJob(site.target(), kOp, kDeadlineMs);
    CHECK(report.state == JobState::kRunning);
  }
  CHECK(report.progress == "2 of 3 layers");
  std::istringstream call(readFile(calls));
  std::string line;
  REQUIRE(std::getline(call, line));
  CHECK(!std::getline(call, line));

  SUBCASE("it ends") {
    writeFile(gate, "0\n");
    CHECK(site.finish(site.host.pollJob(site.target(), kOp, kDeadlineMs)).state == JobState::kDone);
  }
  SUBCASE("it fails") {
    writeFile(gate, "3\n");
    CHECK(site.finish(site.host.pollJob(site.target(), kOp, kDeadlineMs)).state == JobState::kFailed);
  }
  SUBCASE("the host dies") {
    std::istringstream pids(readFile(calls));
    for (pid_t pid; pids >> pid;) ::kill(pid, SIGKILL);
    CHECK(site.finish(site.host.pollJob(site.target(), kOp, kDeadlineMs)).state == JobState::kUnknown);
    REQUIRE(site.startPull("image:1").ok());
    writeFile(gate, "0\n");
    CHECK(site.finish(site.host.pollJob(site.target(), kOp, kDeadlineMs)).state == JobState::kDone);
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
  const std::filesystem::path out = site.peer.hostDir(0) + "/home/.vcp-jobs/" + kOp + "/out";
  Deadline deadline(site.controller.clock, 60000);
  while (report.ok() && std::filesystem::file_size(out) < 4096000 && !deadline.passed()) {
    report = site.host.pollJob(site.target(), kOp, kDeadlineMs);
  }
  CHECK(std::filesystem::file_size(out) == 4096000);
  report = site.host.pollJob(site.target(), kOp, kDeadlineMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->state == JobState::kRunning);
  CHECK(report->detail.size() <= 2048);
  CHECK(std::filesystem::file_size(out) == 4096000);
  ::kill(static_cast<pid_t>(std::stol(readFile(calls))), SIGKILL);
  CHECK(site.finish(site.host.pollJob(site.target(), kOp, kDeadlineMs)).state == JobState::kFailed);
}

TEST_CASE("the host key is pinned") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  HostTarget target = site.target();
  target.host_key = site.peer.host_keys[0];
  CHECK(site.host.inspect(target, kImage, kDeadlineMs).ok());
  target.host_key = site.peer.host_keys[1];
  Status status = site.host.inspect(target, kImage, kDeadlineMs).status();
  CHECK(status.code() == Code::kPermissionDenied);
  CHECK(has(status, "another key"));
  target.host_key = "ecdsa-sha2-nistp256 AAAA";
  status = site.host.inspect(target, kImage, kDeadlineMs).status();
  CHECK(status.code() == Code::kPermissionDenied);
  CHECK(has(status, "ecdsa-sha2-nistp256"));
  target.host_key = "garbage";
  CHECK(!site.host.inspect(target, kImage, kDeadlineMs).ok());
}

TEST_CASE("a login that is refused") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  HostTarget target = site.target();
  target.user = "nobody-of-this-name";
  Status status = site.host.inspect(target, kImage, kDeadlineMs).status();
  CHECK(status.code() == Code::kUnauthenticated);
  CHECK(has(status, "nobody-of-this-name"));
  CHECK(has(status, "authorized_keys"));
  target.user = "";
  CHECK(site.host.inspect(target, kImage, kDeadlineMs).status().code() == Code::kInvalidArgument);
  // Another controller, whose key is not installed.
  Controller stranger;
  CHECK(stranger.host->inspect(site.target(), kImage, kDeadlineMs).status().code() == Code::kUnauthenticated);
}

TEST_CASE("a key of the administrator logs in, and a server may have an ecdsa key") {
  SshPeer peer("--key-type ecdsa");
  VCC_SKIP_WITHOUT(peer);
  TempDir temp;
  REQUIRE(vcc::test::shell("ssh-keygen -q -N '' -t ed25519 -f '" + temp.file("id_ed25519") + "'").exit_code == 0);
  PosixFileSystem files;
  SystemRandom random;
  SystemClock clock;
  NullLogger log;
  auto key = openSshKey(files, temp.path(), random);
  REQUIRE(key.ok());
  peer.authorize(key->public_line);
  HostTarget target{peer.hosts[0], peer.port, peer.user, ""};
  auto report = makeSshHost(*key, clock, log)->inspect(target, kImage, kDeadlineMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->host_key == peer.host_keys[0]);
  CHECK(report->host_key.starts_with("ecdsa-sha2-nistp256 "));
}

TEST_CASE("a server with an RSA host key only") {
  SshPeer peer("--key-type rsa");
  VCC_SKIP_WITHOUT(peer);
  Controller controller;
  peer.authorize(controller.key.public_line);
  Status status = controller.host->inspect({peer.hosts[0], peer.port, peer.user, ""}, kImage, kDeadlineMs).status();
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK(has(status, "RSA"));
  CHECK(has(status, "ssh-keygen -A"));
}

TEST_CASE("a server that wants a password") {
  SshPeer peer("--set 'PubkeyAuthentication no' --set 'PasswordAuthentication yes'");
  VCC_SKIP_WITHOUT(peer);
  Controller controller;
  peer.authorize(controller.key.public_line);
  CHECK(controller.host->inspect({peer.hosts[0], peer.port, peer.user, ""}, kImage, kDeadlineMs).status().code() ==
        Code::kUnauthenticated);
}

TEST_CASE("engines that are missing, denied or broken") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  auto look = [&] { return site.host.inspect(site.target(), kImage, kDeadlineMs); };
  const std::string denied = "echo 'permission denied while trying to connect to the Docker daemon socket' >&2\nexit 1";
  SUBCASE("no docker") {
    std::filesystem::remove(site.peer.hostDir(0) + "/bin/docker");
    Status status = look().status();
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(has(status, "install docker"));
    CHECK(has(status, "usermod -aG docker"));
    CHECK(has(status, "sudo"));
    CHECK(site.startPull("image:1").status().code() == Code::kFailedPrecondition);
    CHECK(site.host.runContainer(site.target(), site.spec("x"), kDeadlineMs).status().code() ==
          Code::kFailedPrecondition);
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
    auto id = site.host.runContainer(site.target(), site.spec("vcp-sudo"), kDeadlineMs);
    REQUIRE_MESSAGE(id.ok(), id.status().toString());
    CHECK(look()->containers.at(0).id == *id);
    CHECK(has(site.finish(site.startPull("127.0.0.1:1/vcp/base:1")).detail, "connection refused"));
    CHECK(site.host.removeContainer(site.target(), *id, kDeadlineMs).ok());
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
      Status status = run(kDeadlineMs);
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
    Status status = run(kDeadlineMs);
    CHECK(status.code() == Code::kUnavailable);
    CHECK(status.outcome() == Outcome::kUnknown);
    CHECK(has(status, site.peer.hosts[0]));
  }
  SUBCASE("the command is killed") {
    FakeProgram docker(site.peer, 0, "docker",
                       "[ \"$1\" = ps ] && exit 0\nread -r _ _ _ shell _ </proc/$PPID/stat\nkill -9 $shell");
    Status status = run(kDeadlineMs);
    CHECK(status.code() == Code::kUnavailable);
    CHECK(has(status, "KILL"));
  }
  SUBCASE("an engine that prints no id") {
    FakeProgram docker(site.peer, 0, "docker", "[ \"$1\" = ps ] || echo what a nice day");
    CHECK(run(kDeadlineMs).code() == Code::kInternal);
  }
  SUBCASE("start-up files that talk") {
    writeFile(site.peer.hostDir(0) + "/home/.bashrc", "echo welcome; echo welcome >&2\n");
    CHECK(site.host.inspect(site.target(), kImage, kDeadlineMs).ok());
  }
}

TEST_CASE("ids that are none never leave this machine") {
  Controller controller;
  HostTarget target{"192.0.2.1", 22, "user", ""};
  const auto start = [&](const std::string& op, const HostJob& job) {
    return controller.host->startJob(target, op, job, 100).status().code();
  };
  for (const char* op : {"", "../../etc", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    CHECK(start(op, {{HostStep::kImage}, {}, "image:1"}) == Code::kInvalidArgument);
    CHECK(controller.host->pollJob(target, op, 100).status().code() == Code::kInvalidArgument);
  }
  CHECK(controller.host->removeContainer(target, "-a", 100).code() == Code::kInvalidArgument);
  CHECK(start(kOp, {{HostStep::kImage}, {}, "--all-tags"}) == Code::kInvalidArgument);
}

TEST_CASE("needs that are no words never leave this machine") {
  Controller controller;
  HostTarget target{"192.0.2.1", 22, "user", ""};
  for (const char* word : {"", "a b", "a;b", "$(id)", "a\nb", "`id`", "a/b", "\xe3\x83\x8e"}) {
    CAPTURE(word);
    for (int which = 0; which < 3; ++which) {
      HostNeeds needs;
      (which == 0 ? needs.dns_servers : which == 1 ? needs.ntp_servers : needs.registries) = {word};
      CHECK(controller.host->inspect(target, "", needs, HostLook::kNeeds, 100).status().code() ==
            Code::kInvalidArgument);
      CHECK(controller.host->startJob(target, kOp, {{HostStep::kDns}, needs, ""}, 100).status().code() ==
            Code::kInvalidArgument);
    }
  }
  HostNeeds many;
  many.ntp_servers.assign(33, "a");
  CHECK(controller.host->inspect(target, "", many, HostLook::kNeeds, 100).status().code() == Code::kInvalidArgument);
}

TEST_CASE("a look at all says what a server lacks and what it is") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  HostNeeds needs;
  needs.registries = {"192.0.2.9:5000"};
  auto report = site.host.inspect(site.target(), kImage, needs, HostLook::kAll, kDeadlineMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->image_present);
  CHECK(report->engine_trouble.empty());
  CHECK(report->lacking == std::vector{HostStep::kRegistries});
  CHECK(!report->facts.system.empty());
  CHECK(!report->facts.machine.empty());
  CHECK(report->facts.may_sudo);  // it is root
  CHECK(report->facts.free_mib > 0);
  CHECK(report->facts.missing_commands.empty());

  SUBCASE("docker that knows the registry") {
    FakeProgram docker(site.peer, 0, "docker",
                       "[ \"$1\" = info ] && printf ' Insecure Registries:\\n  192.0.2.9:5000\\n' && exit 0\n"
                       "exec '" +
                           site.peer.dir() + "/docker' \"$@\"");
    CHECK(site.host.inspect(site.target(), kImage, needs, HostLook::kNeeds, kDeadlineMs)->lacking.empty());
    // Another address that begins alike is another registry.
    needs.registries = {"192.0.2.9:500"};
    CHECK(site.host.inspect(site.target(), kImage, needs, HostLook::kNeeds, kDeadlineMs)->lacking.size() == 1);
  }
  SUBCASE("a step that was begun and not ended") {
    std::filesystem::create_directory(site.peer.hostDir(0) + "/home/.vcp-jobs");
    writeFile(site.peer.hostDir(0) + "/home/.vcp-jobs/pending.docker", "");
    report = site.host.inspect(site.target(), kImage, {}, HostLook::kNeeds, kDeadlineMs);
    REQUIRE(report.ok());
    CHECK(report->lacking == std::vector{HostStep::kDocker});
  }
  SUBCASE("no docker is a lack, not an error") {
    std::filesystem::remove(site.peer.hostDir(0) + "/bin/docker");
    report = site.host.inspect(site.target(), kImage, {}, HostLook::kNeeds, kDeadlineMs);
    REQUIRE_MESSAGE(report.ok(), report.status().toString());
    CHECK(report->lacking == std::vector{HostStep::kDocker});
    CHECK(has(report->engine_trouble, "install docker"));
    CHECK(report->engine.empty());
    CHECK_FALSE(report->image_present);
  }
}
