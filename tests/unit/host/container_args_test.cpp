// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "host/container_args.h"

using namespace vcc;

namespace {

ContainerSpec smallSpec() {
  ContainerSpec spec;
  spec.image = "registry:5000/vcp/base:1";
  spec.name = "vcp-1";
  return spec;
}

}  // namespace

TEST_CASE("the arguments stand in the order of spec/operations 8.2") {
  ContainerSpec spec = smallSpec();
  spec.labels = {{"vcp.vcc", "a b"}, {"vcp.address", "10.0.0.1"}};
  spec.volumes = {"/sys/fs/cgroup:/sys/fs/cgroup:ro", "/var/lib/docker"};
  spec.environment = {"A=x y \"q\" 'r' $HOME \\ =\nnext", "EMPTY="};
  spec.dns = {"8.8.8.8", "1.1.1.1"};
  spec.dns_search = {"example.org"};
  spec.dns_opt = {"ndots:2"};
  spec.add_host = {"db:10.0.0.9"};
  spec.hostname = "node1";
  spec.gpus = "all";
  auto args = runArgs(spec);
  REQUIRE(args.ok());
  CHECK(*args == std::vector<std::string>{"run",
                                          "-d",
                                          "--pull",
                                          "never",
                                          "--privileged",
                                          "--network",
                                          "host",
                                          "--restart",
                                          "unless-stopped",
                                          "--name",
                                          "vcp-1",
                                          "--label",
                                          "vcp.vcc=a b",
                                          "--label",
                                          "vcp.address=10.0.0.1",
                                          "-v",
                                          "/dev:/dev",
                                          "-v",
                                          "/sys/fs/cgroup:/sys/fs/cgroup:ro",
                                          "-v",
                                          "/var/lib/docker",
                                          "-e",
                                          "A=x y \"q\" 'r' $HOME \\ =\nnext",
                                          "-e",
                                          "EMPTY=",
                                          "--dns",
                                          "8.8.8.8",
                                          "--dns",
                                          "1.1.1.1",
                                          "--dns-search",
                                          "example.org",
                                          "--dns-opt",
                                          "ndots:2",
                                          "--add-host",
                                          "db:10.0.0.9",
                                          "--hostname",
                                          "node1",
                                          "--gpus",
                                          "all",
                                          "--",
                                          "registry:5000/vcp/base:1"});
}

TEST_CASE("nothing is given that was not asked for") {
  auto args = runArgs(smallSpec());
  REQUIRE(args.ok());
  CHECK(args->size() == 15);
}

TEST_CASE("an environment item that would leak a variable of the host is refused by name") {
  for (const char* item : {"HOME", "=secret-value", ""}) {
    ContainerSpec spec = smallSpec();
    spec.environment = {item};
    auto args = runArgs(spec);
    REQUIRE(!args.ok());
    CHECK(args.status().code() == Code::kInvalidArgument);
    CHECK(args.status().message().find("secret-value") == std::string::npos);
  }
}

TEST_CASE("an image or an id that the engine would take for something else is refused") {
  for (const char* image : {"", "-v", "a b", "a\nb", "a\x7f"}) CHECK(!checkImage(image).ok());
  CHECK(checkImage("host:5000/a/b@sha256:0123").ok());
  for (const char* id : {"", "-f", "a b", "a/b", "$(x)"}) CHECK(!checkContainerId(id).ok());
  CHECK(checkContainerId("0123abc").ok());
  CHECK(!checkContainerId(std::string(129, 'a')).ok());
}

TEST_CASE("arguments are joined byte for byte, within the kernel's limits") {
  CHECK(*joinArgs({"a", "", "b\nc"}) == std::string("a\0\0b\nc\0", 7));
  CHECK(joinArgs({std::string(131071, 'x')}).ok());

  auto large = joinArgs({"run", "KEY=" + std::string(131072 - 4, 's')});
  REQUIRE(!large.ok());
  CHECK(large.status().code() == Code::kInvalidArgument);
  CHECK(large.status().message().find("'KEY'") != std::string::npos);
  CHECK(large.status().message().find("sss") == std::string::npos);

  CHECK(!joinArgs({std::string("a\0b", 3)}).ok());
  CHECK(!joinArgs(std::vector<std::string>(9001, "x")).ok());
  CHECK(joinArgs(std::vector<std::string>(13, std::string(131071, 'x'))).ok());
  CHECK(!joinArgs(std::vector<std::string>(14, std::string(131071, 'x'))).ok());
}
