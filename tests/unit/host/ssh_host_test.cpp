// SPDX-License-Identifier: Apache-2.0
// The whole of `Host` against OpenSSH servers and a container engine that are real.
#include "base/executor.h"
#include "ssh_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("a container's life") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  auto report = site.host.inspect(site.target(), kBaseImage, kVisitMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->host_key == site.peer.host_keys[0]);
  CHECK(report->engine == "docker");
  CHECK(!report->engine_version.empty());
  CHECK(report->image_present);
  CHECK(report->containers.empty());
  CHECK(!site.host.inspect(site.target(), "localhost/vcp/other:1", kVisitMs)->image_present);
  // The release of a server asks for no image.
  const auto without_image = site.host.inspect(site.target(), "", kVisitMs);
  REQUIRE_MESSAGE(without_image.ok(), without_image.status().toString());
  CHECK_FALSE(without_image->image_present);

  auto begin_ms = site.controller.clock.wallMs();
  auto id = site.host.runContainer(site.target(), site.spec("vcp-1"), kVisitMs);
  REQUIRE_MESSAGE(id.ok(), id.status().toString());
  report = site.host.inspect(site.target(), kBaseImage, kVisitMs);
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

  auto again = site.host.runContainer(site.target(), site.spec("vcp-1"), kVisitMs);
  REQUIRE(!again.ok());
  CHECK(again.status().code() == Code::kAlreadyExists);
  CHECK(again.status().outcome() == Outcome::kNotApplied);

  for (int i = 0; i < 2; ++i) CHECK(site.host.stopContainer(site.target(), *id, kVisitMs).ok());
  report = site.host.inspect(site.target(), kBaseImage, kVisitMs);
  CHECK(!report->containers.at(0).running);
  CHECK(report->containers.at(0).status == "exited");
  for (int i = 0; i < 2; ++i) CHECK(site.host.startContainer(site.target(), *id, kVisitMs).ok());
  CHECK(site.host.inspect(site.target(), kBaseImage, kVisitMs)->containers.at(0).running);
  for (int i = 0; i < 2; ++i) CHECK(site.host.removeContainer(site.target(), *id, kVisitMs).ok());
  CHECK(site.host.inspect(site.target(), kBaseImage, kVisitMs)->containers.empty());

  Status gone = site.host.startContainer(site.target(), *id, kVisitMs);
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
  auto id = site.host.runContainer(site.target(), spec, kVisitMs);
  REQUIRE_MESSAGE(id.ok(), id.status().toString());

  std::string variables = site.peer.docker("exec " + *id + " cat /proc/1/environ").out;
  for (const auto& item : odd) {
    CAPTURE(item.substr(0, 40));
    CHECK(has(std::string(1, '\0') + variables, std::string(1, '\0') + item + std::string(1, '\0')));
  }
  auto report = site.host.inspect(site.target(), kBaseImage, kVisitMs);
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
                           [&, i] { results[i] = site.host.inspect(site.target(i % 2), kBaseImage, 60000).status(); });
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
  auto id = site.host.runContainer(site.target(), spec, kVisitMs);
  REQUIRE(!id.ok());
  CHECK(id.status().code() == Code::kInvalidArgument);
  CHECK(has(id.status(), "no-such-option"));
  CHECK(!has(id.status(), "TOPSECRET"));
  CHECK(has(id.status(), site.peer.hosts[0]));

  ContainerSpec missing = site.spec("vcp-missing");
  missing.image = "localhost/vcp/missing:1";
  CHECK(site.host.runContainer(site.target(), missing, kVisitMs).status().code() == Code::kNotFound);

  ContainerSpec large = site.spec("vcp-large");
  large.environment.push_back("LARGE=" + std::string(131072, 'x'));
  auto refused = site.host.runContainer(site.target(), large, kVisitMs).status();
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
  auto id = site.host.runContainer(site.target(), spec, kVisitMs);
  REQUIRE_MESSAGE(id.ok(), id.status().toString());
  CHECK(readFile(site.peer.dir() + "/calls") == "called\n");
  // run -d --pull never --privileged --network host --restart unless-stopped, --name, seven labels, /dev, the items,
  // --.
  CHECK(readFile(site.peer.dir() + "/count") == std::to_string(9 + 2 + 14 + 2 + 26 + 4000 + 2) + "\n");
}

TEST_CASE("ids that are none never leave this machine") {
  HostController controller;
  HostTarget target{"192.0.2.1", 22, "user", ""};
  const auto start = [&](const std::string& op, const HostJob& job) {
    return controller.host->startJob(target, op, job, 100).status().code();
  };
  for (const char* op : {"", "../../etc", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    CHECK(start(op, {{HostStep::kImage}, {}, "image:1"}) == Code::kInvalidArgument);
    CHECK(controller.host->pollJob(target, op, 100).status().code() == Code::kInvalidArgument);
  }
  CHECK(controller.host->removeContainer(target, "-a", 100).code() == Code::kInvalidArgument);
  CHECK(start(kJobOp, {{HostStep::kImage}, {}, "--all-tags"}) == Code::kInvalidArgument);
}

TEST_CASE("needs that are no words never leave this machine") {
  HostController controller;
  HostTarget target{"192.0.2.1", 22, "user", ""};
  for (const char* word : {"", "a b", "a;b", "$(id)", "a\nb", "`id`", "a/b", "\xe3\x83\x8e"}) {
    CAPTURE(word);
    for (int which = 0; which < 3; ++which) {
      HostNeeds needs;
      (which == 0 ? needs.dns_servers : which == 1 ? needs.ntp_servers : needs.registries) = {word};
      CHECK(controller.host->inspect(target, "", needs, HostLook::kNeeds, 100).status().code() ==
            Code::kInvalidArgument);
      CHECK(controller.host->startJob(target, kJobOp, {{HostStep::kDns}, needs, ""}, 100).status().code() ==
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
  auto report = site.host.inspect(site.target(), kBaseImage, needs, HostLook::kAll, kVisitMs);
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
    CHECK(site.host.inspect(site.target(), kBaseImage, needs, HostLook::kNeeds, kVisitMs)->lacking.empty());
    // Another address that begins alike is another registry.
    needs.registries = {"192.0.2.9:500"};
    CHECK(site.host.inspect(site.target(), kBaseImage, needs, HostLook::kNeeds, kVisitMs)->lacking.size() == 1);
  }
  SUBCASE("a step that was begun and not ended") {
    std::filesystem::create_directory(site.peer.hostDir(0) + "/home/.vcp-jobs");
    writeFile(site.peer.hostDir(0) + "/home/.vcp-jobs/pending.docker", "");
    report = site.host.inspect(site.target(), kBaseImage, {}, HostLook::kNeeds, kVisitMs);
    REQUIRE(report.ok());
    CHECK(report->lacking == std::vector{HostStep::kDocker});
  }
  SUBCASE("no docker is a lack, not an error") {
    std::filesystem::remove(site.peer.hostDir(0) + "/bin/docker");
    report = site.host.inspect(site.target(), kBaseImage, {}, HostLook::kNeeds, kVisitMs);
    REQUIRE_MESSAGE(report.ok(), report.status().toString());
    CHECK(report->lacking == std::vector{HostStep::kDocker});
    CHECK(has(report->engine_trouble, "install docker"));
    CHECK(report->engine.empty());
    CHECK_FALSE(report->image_present);
  }
}
