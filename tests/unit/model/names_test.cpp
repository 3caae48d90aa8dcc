// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "model/cci.h"

using namespace vcc;

TEST_CASE("IPv4 addresses") {
  for (const char* good : {"0.0.0.0", "10.0.0.1", "255.255.255.255", "192.168.10.11"}) {
    CAPTURE(good);
    CHECK(isIpv4(good));
    CHECK(ipv4FromNumber(ipv4ToNumber(good)) == good);
  }
  CHECK(ipv4ToNumber("192.168.1.2") == 0xC0A80102U);
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "a.b.c.d",
                          "1..2.3", "-1.2.3.4", "1.2.3.0004", "::1", "1.2.3.4/24"}) {
    CAPTURE(bad);
    CHECK_FALSE(isIpv4(bad));
  }
}

TEST_CASE("IPv4 ranges") {
  const Cidr range = parseCidr("192.168.1.5/24").value();
  CHECK(ipv4FromNumber(range.base) == "192.168.1.0");
  CHECK(range.contains(ipv4ToNumber("192.168.1.255")));
  CHECK_FALSE(range.contains(ipv4ToNumber("192.168.2.0")));
  CHECK(ipv4FromNumber(range.firstHost()) == "192.168.1.1");
  CHECK(ipv4FromNumber(range.lastHost()) == "192.168.1.254");

  const Cidr pair = parseCidr("10.0.0.2/31").value();
  CHECK(ipv4FromNumber(pair.firstHost()) == "10.0.0.2");
  CHECK(ipv4FromNumber(pair.lastHost()) == "10.0.0.3");
  const Cidr one = parseCidr("10.0.0.9/32").value();
  CHECK(one.firstHost() == one.lastHost());
  CHECK_FALSE(one.contains(ipv4ToNumber("10.0.0.8")));
  const Cidr all = parseCidr("1.2.3.4/0").value();
  CHECK(all.base == 0);
  CHECK(all.contains(ipv4ToNumber("255.255.255.255")));
  CHECK(ipv4FromNumber(all.lastHost()) == "255.255.255.254");

  for (const char* bad :
       {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/08", "10.0.0.0/8/8", "/8"}) {
    CAPTURE(bad);
    CHECK(parseCidr(bad).status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("unit names") {
  for (const char* good : {"web", "a", "001", "yes", "node_1-b"}) CHECK(checkUnitName(good).ok());
  CHECK(checkUnitName(std::string(64, 'a')).ok());
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a/b"),
                                 std::string("\xe3\x81\x82"), std::string("a.b"), std::string("..")}) {
    CAPTURE(bad);
    CHECK(checkUnitName(bad).code() == Code::kInvalidArgument);
  }
}

TEST_CASE("VC names") {
  for (const char* good : {"my group", "001", "\xe8\xac\x9b\xe7\xbe\xa9", "a/b:c#d", "\xc2\xa9"}) {
    CHECK(checkVcName(good).ok());
  }
  CHECK(checkVcName(std::string(255, 'a')).ok());
  for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string("a\nb"), std::string("\x7f"),
                                 std::string("\xff"), std::string("\xc2\x85"), std::string("a\0b", 3)}) {
    CAPTURE(bad);
    CHECK(checkVcName(bad).code() == Code::kInvalidArgument);
  }
}

TEST_CASE("image names") {
  for (const char* good : {"vcp/base:1.8.1-alpine3.13-x86_64", "base", "base:1", "harbor.example.jp/vcp/openhpc:tag",
                           "localhost/x", "192.168.1.1:5001/my/base:tag", "[::1]:5000/x", "a__b/c-d.e/f", "HARBOR/x",
                           "a--b", "r.io/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                           "r.io/x:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    CAPTURE(good);
    CHECK(checkImageName(good).ok());
  }
  for (const char* bad : {"",
                          "Base",
                          "-v",
                          "--privileged",
                          "a b",
                          "a/",
                          "/a",
                          "a//b",
                          "a:",
                          "a:b:c",
                          "a:-x",
                          "a;b",
                          "a$(b)",
                          "x/-y",
                          "host:port/x",
                          "host:/x",
                          "host:999999/x",
                          ".a/b",
                          "a./b",
                          "a..b",
                          "a___b",
                          "a.-b",
                          "x@sha256:123",
                          "x@",
                          "@",
                          "x@:0123456789abcdef0123456789abcdef",
                          "[::1/x",
                          "[::1]x/y",
                          "http://host/x",
                          "a\nb",
                          "a_"}) {
    CAPTURE(bad);
    CHECK(checkImageName(bad).code() == Code::kInvalidArgument);
  }
  CHECK(checkImageName(std::string(255, 'a')).ok());
  CHECK_FALSE(checkImageName(std::string(256, 'a')).ok());
  CHECK_FALSE(checkImageName("a:" + std::string(129, 't')).ok());
  CHECK_FALSE(checkImageName(std::string(1 << 20, 'a')).ok());
}

TEST_CASE("volumes") {
  const VolumeMount pair = parseVolume("/sys/fs/cgroup:/sys/fs/cgroup:ro").value();
  CHECK(pair.host == "/sys/fs/cgroup");
  CHECK(pair.container == "/sys/fs/cgroup");
  CHECK(pair.mode == "ro");
  CHECK(parseVolume("/var/lib/docker")->host.empty());
  CHECK(parseVolume("/var/lib/docker")->container == "/var/lib/docker");
  CHECK(parseVolume("/a:/b")->mode.empty());
  CHECK(parseVolume("data:/data:rw,z")->host == "data");
  CHECK(parseVolume("/a b/..c:/x..y").ok());
  for (const char* bad : {"", "data", ":", "/a:", ":/a", "/a:b", "/a:/b:", "/a:/b:xx", "/a:/b:ro,", "/a:/b:ro:rw",
                          "/a/../etc:/b", "/a:/b/..", "..:/b", "-v:/b", "/a:/", "/", "//", "/a:/./", "./a:/b"}) {
    CAPTURE(bad);
    CHECK(parseVolume(bad).status().code() == Code::kInvalidArgument);
  }
}
