// SPDX-License-Identifier: Apache-2.0
// Logins at real servers: keys, and what refuses them.
#include "ssh_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("the host key is pinned") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  HostTarget target = site.target();
  target.host_key = site.peer.host_keys[0];
  CHECK(site.host.inspect(target, kBaseImage, kVisitMs).ok());
  target.host_key = site.peer.host_keys[1];
  Status status = site.host.inspect(target, kBaseImage, kVisitMs).status();
  CHECK(status.code() == Code::kPermissionDenied);
  CHECK(has(status, "another key"));
  target.host_key = "ecdsa-sha2-nistp256 AAAA";
  status = site.host.inspect(target, kBaseImage, kVisitMs).status();
  CHECK(status.code() == Code::kPermissionDenied);
  CHECK(has(status, "ecdsa-sha2-nistp256"));
  target.host_key = "garbage";
  CHECK(!site.host.inspect(target, kBaseImage, kVisitMs).ok());
}

TEST_CASE("a login that is refused") {
  Site site;
  VCC_SKIP_WITHOUT(site.peer);
  HostTarget target = site.target();
  target.user = "nobody-of-this-name";
  Status status = site.host.inspect(target, kBaseImage, kVisitMs).status();
  CHECK(status.code() == Code::kUnauthenticated);
  CHECK(has(status, "nobody-of-this-name"));
  CHECK(has(status, "authorized_keys"));
  target.user = "";
  CHECK(site.host.inspect(target, kBaseImage, kVisitMs).status().code() == Code::kInvalidArgument);
  // Another controller, whose key is not installed.
  HostController stranger;
  CHECK(stranger.host->inspect(site.target(), kBaseImage, kVisitMs).status().code() == Code::kUnauthenticated);
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
  auto report = makeSshHost(*key, clock, log)->inspect(target, kBaseImage, kVisitMs);
  REQUIRE_MESSAGE(report.ok(), report.status().toString());
  CHECK(report->host_key == peer.host_keys[0]);
  CHECK(report->host_key.starts_with("ecdsa-sha2-nistp256 "));
}

TEST_CASE("a server with an RSA host key only") {
  SshPeer peer("--key-type rsa");
  VCC_SKIP_WITHOUT(peer);
  HostController controller;
  peer.authorize(controller.key.public_line);
  Status status = controller.host->inspect({peer.hosts[0], peer.port, peer.user, ""}, kBaseImage, kVisitMs).status();
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK(has(status, "RSA"));
  CHECK(has(status, "ssh-keygen -A"));
}

TEST_CASE("a server that wants a password") {
  SshPeer peer("--set 'PubkeyAuthentication no' --set 'PasswordAuthentication yes'");
  VCC_SKIP_WITHOUT(peer);
  HostController controller;
  peer.authorize(controller.key.public_line);
  CHECK(controller.host->inspect({peer.hosts[0], peer.port, peer.user, ""}, kBaseImage, kVisitMs).status().code() ==
        Code::kUnauthenticated);
}
