// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/file_system.h"
#include "base/random.h"
#include "host/ssh_host.h"
#include "host/ssh_wire.h"
#include "support/ssh_peer.h"
#include "support/temp_dir.h"

using namespace vcc;
using vcc::test::readFile;
using vcc::test::shell;
using vcc::test::TempDir;
using vcc::test::writeFile;

namespace {

Result<SshKey> open(const std::string& dir) {
  PosixFileSystem files;
  SystemRandom random;
  return openSshKey(files, dir, random);
}

/// Lets ssh-keygen make the key that the controller will find.
void makeKey(const TempDir& dir, const std::string& options) {
  REQUIRE(shell("ssh-keygen -q -f '" + dir.file("id_ed25519") + "' " + options).exit_code == 0);
}

}  // namespace

TEST_CASE("a first start makes a pair that OpenSSH reads, a second one finds it") {
  TempDir temp;
  auto key = open(temp.file("key"));
  REQUIRE_MESSAGE(key.ok(), key.status().toString());
  CHECK(key->public_line.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"));
  CHECK(key->public_line.ends_with(" vcc"));
  struct stat info {};
  REQUIRE(::stat(key->private_path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  auto derived = shell("ssh-keygen -y -f '" + key->private_path + "'");
  CHECK(derived.exit_code == 0);
  CHECK(derived.out == key->public_line + "\n");
  CHECK(readFile(key->public_path) == key->public_line + "\n");

  auto again = open(temp.file("key"));
  REQUIRE(again.ok());
  CHECK(again->public_line == key->public_line);
}

TEST_CASE("two controllers have two keys") {
  TempDir temp;
  CHECK(open(temp.file("a"))->public_line != open(temp.file("b"))->public_line);
}

TEST_CASE("a crash between the two files is mended from the private one") {
  TempDir temp;
  auto key = open(temp.path());
  REQUIRE(key.ok());
  for (const char* wrong : {"", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther vcc\n"}) {
    writeFile(key->public_path, wrong);
    REQUIRE(open(temp.path()).ok());
    CHECK(readFile(key->public_path) == key->public_line + "\n");
  }
}

TEST_CASE("a key that the administrator brought") {
  TempDir temp;
  makeKey(temp, "-t ed25519 -N '' -C mine");
  auto key = open(temp.path());
  REQUIRE(key.ok());
  CHECK(readFile(key->public_path) == key->public_line.substr(0, key->public_line.rfind(' ')) + " mine\n");
}

TEST_CASE("an RSA key is refused in both formats, with the reason and the remedy") {
  for (const char* format : {"", "-m PEM"}) {
    CAPTURE(format);
    TempDir temp;
    makeKey(temp, std::string("-t rsa -N '' ") + format);
    auto key = open(temp.path());
    REQUIRE(!key.ok());
    CHECK(key.status().code() == Code::kFailedPrecondition);
    CHECK(key.status().message().find("SHA-1") != std::string::npos);
    CHECK(key.status().message().find("ssh-keygen -t ed25519") != std::string::npos);
  }
}

TEST_CASE("files that are no usable key are refused and left alone") {
  TempDir temp;
  std::string path = temp.file("id_ed25519");
  std::string content;
  SUBCASE("with a pass phrase") {
    makeKey(temp, "-t ed25519 -N secret-words");
    content = readFile(path);
  }
  SUBCASE("of a type that libssh2 leaks") {
    makeKey(temp, "-t ecdsa -N ''");
    content = readFile(path);
  }
  SUBCASE("empty") {}
  SUBCASE("no base64") { content = "-----BEGIN OPENSSH PRIVATE KEY-----\n!!\n-----END OPENSSH PRIVATE KEY-----\n"; }
  SUBCASE("cut off") {
    makeKey(temp, "-t ed25519 -N ''");
    content = readFile(path).substr(0, 180) + "\n-----END OPENSSH PRIVATE KEY-----\n";
  }
  SUBCASE("ends in the wrong order") {
    content = "-----END OPENSSH PRIVATE KEY-----\n-----BEGIN OPENSSH PRIVATE KEY-----\n";
  }
  writeFile(path, content);
  auto key = open(temp.path());
  REQUIRE(!key.ok());
  CHECK(key.status().code() == Code::kFailedPrecondition);
  CHECK(key.status().message().find(path) != std::string::npos);
  CHECK(readFile(path) == content);
}

TEST_CASE("values of the ssh protocol are never read past their end") {
  std::string bytes = ssh_wire::string("abc") + ssh_wire::uint32(0xfffffff0U) + "xy";
  std::string_view rest = bytes;
  CHECK(ssh_wire::takeString(rest) == "abc");
  CHECK(!ssh_wire::takeString(rest));
  CHECK(rest.size() == 6);
  CHECK(ssh_wire::takeUint32(rest) == 0xfffffff0U);
  CHECK(!ssh_wire::takeUint32(rest));
  CHECK(ssh_wire::keyLine(ssh_wire::string("bad type")).empty());
  CHECK(ssh_wire::keyLine("").empty());
}
