// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/temp_dir.h"

using namespace vcc;

namespace {

constexpr std::string_view kText = R"(
cci_version: '1.0'
aws:
  default:
    private_network_ipmask: 172.30.2.0/24
    aws_region: ap-northeast-1
    aws_vcp_subnet_id: subnet-0aaa
    aws_vpc_security_group_id: sg-0bbb
    ntp_servers: [ntp.example.jp, 172.30.2.9]
    cloud_instance_dns_servers: 172.30.2.2
    ssh_port: 22022
    ready_port: none
    boot_deadline_s: 600
  second:
    aws_region: us-east-1
mock:
  default:
    private_network_ipmask: 10.9.0.0/16
    mock_boot_ms: 250
    mock_access_key: letmein
    mock_fail: {create: {probability: 0.1, code: RESOURCE_EXHAUSTED}}
onpremises:
  default: {allowed_hosts: [192.168.1.0/24, 10.0.0.7], allow_host_mounts: no, host_mount_prefix: /data,
            release_timeout_s: 5}
own-openstack:
  default: {auth_url: https://keystone.example.jp:5000/v3, network_uuid: abc, own_openstack_image: x}
)";

// The message of a refusal of one entry.
std::string refusal(const std::string& provider, const std::string& entry) {
  const auto catalog = Catalog::parse(provider + ":\n  default: " + entry + "\n");
  if (catalog.ok()) return "accepted";
  CHECK(catalog.status().code() == Code::kInvalidArgument);
  return catalog.status().message();
}

class RecordingLogger final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view, std::initializer_list<LogField>) override {
    ids.emplace_back(id);
  }
  std::vector<std::string> ids;
};

}  // namespace

TEST_CASE("core's keys of an entry") {
  const Catalog catalog = Catalog::parse(kText).value();
  CHECK(catalog.providers() == std::vector<std::string>{"aws", "mock", "onpremises", "own-openstack"});
  const CatalogEntry aws = catalog.entry("aws", "default").value();
  CHECK(aws.provider == "aws");
  CHECK(aws.name == "default");
  REQUIRE(aws.private_network.has_value());
  CHECK(ipv4FromNumber(aws.private_network->base) == "172.30.2.0");
  CHECK(aws.ntp_servers == std::vector<std::string>{"ntp.example.jp", "172.30.2.9"});
  CHECK(aws.dns_servers == std::vector<std::string>{"172.30.2.2"});
  CHECK(aws.ssh_port == 22022);
  CHECK(aws.ready_port == 0);
  CHECK(aws.boot_deadline_s == 600);

  const CatalogEntry host = catalog.entry("onpremises", "default").value();
  CHECK(host.ssh_port == 20022);
  CHECK(host.ready_port == 22);
  CHECK(host.boot_deadline_s == 960);
  CHECK(host.release_timeout_s == 5);
  CHECK(host.allowed_hosts == std::vector<std::string>{"192.168.1.0/24", "10.0.0.7"});
  CHECK(host.allow_host_mounts == false);
  CHECK(host.host_mount_prefix == "/data");
  CHECK_FALSE(catalog.entry("mock", "default")->allow_host_mounts.has_value());
}

TEST_CASE("the driver gets the whole entry, with misspelt keys corrected") {
  const Catalog catalog = Catalog::parse(kText).value();
  const std::string aws = catalog.entry("aws", "default")->json;
  CHECK(aws.find(R"("aws_vpc_subnet_id":"subnet-0aaa")") != std::string::npos);
  CHECK(aws.find("aws_vcp") == std::string::npos);
  CHECK(aws.find(R"("ssh_port":"22022")") != std::string::npos);
  const std::string mock = catalog.entry("mock", "default")->json;
  CHECK(mock.find(R"("mock_access_key":"letmein")") != std::string::npos);
  CHECK(mock.find(R"("mock_fail":{"create":{"probability":"0.1")") != std::string::npos);
  CHECK(refusal("aws", "{aws_vcp_subnet_id: a, aws_vpc_subnet_id: b}").find("aws.default.aws_vcp_subnet_id") !=
        std::string::npos);
}

TEST_CASE("the tree of the wire, without secrets") {
  const Catalog catalog = Catalog::parse(
                              "mock:\n  default: {mock_access_key: letmein, mock_boot_ms: 1, mock_x: {Password: p2, l: "
                              "[{client_secret: p3}]}, ntp_servers: [a, b]}\nonpremises:\n  default:\naws:\n")
                              .value();
  CHECK(catalog.wireJson() ==
        R"({"cci_version":"1.0","mock":{"default":{"mock_access_key":"********","mock_boot_ms":"1",)"
        R"("mock_x":{"Password":"********","l":[{"client_secret":"********"}]},"ntp_servers":["a","b"]}},)"
        R"("onpremises":{"default":{}},"aws":{}})");
  CHECK(Catalog::parse("cci_version: '1.1'\n")->wireJson() == R"({"cci_version":"1.1"})");
  CHECK(Catalog::parse("")->wireJson() == R"({"cci_version":"1.0"})");
  CHECK(Catalog().wireJson() == R"({"cci_version":"1.0"})");
}

TEST_CASE("entries that are missing") {
  const Catalog catalog = Catalog::parse(kText).value();
  CHECK(catalog.entry("aws_spot", "second")->provider == "aws_spot");
  CHECK(catalog.entry("aws_spot", "second")->json.find("us-east-1") != std::string::npos);
  const auto missing = catalog.entry("aws", "third");
  CHECK(missing.status().code() == Code::kInvalidArgument);
  for (const char* part : {"private_network", "\"third\"", "\"aws\"", "vpn_catalog.yml"}) {
    CHECK(missing.status().message().find(part) != std::string::npos);
  }
  CHECK_FALSE(catalog.entry("azure", "default").ok());
  CHECK_FALSE(catalog.entry("aws_spot", "third").ok());

  const Catalog own = Catalog::parse("aws: {default: {aws_region: a}}\naws_spot: {default: {aws_region: b}}\n").value();
  CHECK(own.entry("aws_spot", "default")->json == R"({"aws_region":"b"})");
}

TEST_CASE("existing servers need no entry, but a name must not pass by a narrowing entry") {
  for (const char* text : {"", "onpremises:\n", "onpremises: {}\n"}) {
    const CatalogEntry entry = Catalog::parse(text)->entry("onpremises", "default").value();
    CHECK(entry.json == "{}");
    CHECK(entry.allowed_hosts.empty());
    CHECK_FALSE(entry.private_network.has_value());
  }
  CHECK_FALSE(Catalog::parse("onpremises: {default: {allowed_hosts: 10.0.0.0/8}}")->entry("onpremises", "x").ok());
}

TEST_CASE("mistakes name provider, entry and key") {
  const auto names = [](const std::string& message, const std::string& field) {
    CAPTURE(message);
    CHECK(message.starts_with("VPN catalog: " + field + ": "));
  };
  names(refusal("aws", "{private_network_ipmask: 10.0.0.0}"), "aws.default.private_network_ipmask");
  names(refusal("aws", "{ssh_port: 0}"), "aws.default.ssh_port");
  names(refusal("aws", "{ssh_port: 65536}"), "aws.default.ssh_port");
  names(refusal("aws", "{ssh_port: [22]}"), "aws.default.ssh_port");
  names(refusal("aws", "{ready_port: maybe}"), "aws.default.ready_port");
  names(refusal("aws", "{ready_port: 0}"), "aws.default.ready_port");
  names(refusal("aws", "{boot_deadline_s: 16m}"), "aws.default.boot_deadline_s");
  names(refusal("aws", "{boot_deadline_s: 0}"), "aws.default.boot_deadline_s");
  names(refusal("aws", "{release_timeout_s: -1}"), "aws.default.release_timeout_s");
  names(refusal("aws", "{ntp_servers: [a, 'b c']}"), "aws.default.ntp_servers[1]");
  names(refusal("aws", "{ntp_servers: {a: b}}"), "aws.default.ntp_servers");
  names(refusal("aws", "{cloud_instance_dns_servers: ['$(id)']}"), "aws.default.cloud_instance_dns_servers[0]");
  names(refusal("onpremises", "{allowed_hosts: [10.0.0.0/8, host]}"), "onpremises.default.allowed_hosts[1]");
  names(refusal("onpremises", "{allow_host_mounts: maybe}"), "onpremises.default.allow_host_mounts");
  names(refusal("onpremises", "{host_mount_prefix: data}"), "onpremises.default.host_mount_prefix");
  names(refusal("onpremises", "{host_mount_prefix: /a/../b}"), "onpremises.default.host_mount_prefix");
  names(refusal("aws", "[a]"), "aws.default");
  names(refusal("aws", "text"), "aws.default");
}

TEST_CASE("unknown keys are errors; a driver's keys are not") {
  CHECK(refusal("aws", "{aws_anything: 1}") == "accepted");
  CHECK(refusal("aws_spot", "{aws_region: a, aws_spot_x: b}") == "accepted");
  CHECK(refusal("mdx2", "{tenant_name: a, network_name: b, security_group: c, domain_id: d}") == "accepted");
  CHECK(refusal("chameleon", "{chameleon_auth_url: a, region: b}") == "accepted");
  CHECK(refusal("proxmox", "{proxmox_bridge: a, pm_parallel: 2}") == "accepted");
  CHECK(refusal("my-cloud", "{my_cloud_x: a, openstack_y: b}") == "accepted");
  CHECK(refusal("aws", "{ssh_prot: 22}").starts_with("VPN catalog: aws.default.ssh_prot: "));
  CHECK(refusal("aws", "{azure_location: x}").starts_with("VPN catalog: aws.default.azure_location: "));
  CHECK(refusal("aws", "{auth_url: x}").starts_with("VPN catalog: aws.default.auth_url: "));
  CHECK(refusal("mock", "{openstack_y: x}").starts_with("VPN catalog: mock.default.openstack_y: "));
  CHECK(refusal("mdx2", "{tenant: x}").starts_with("VPN catalog: mdx2.default.tenant: "));
}

TEST_CASE("shapes that are no catalog") {
  for (const char* text : {"[a]", "text", "aws: text", "aws: [a]", "'a b': {default: {}}", "aws: {'a b': {}}",
                           "cci_version: [1]", "aws: {default: &x {}}", "aws: {default: {a: b}", "aws: {}\naws: {}"}) {
    CAPTURE(text);
    CHECK(Catalog::parse(text).status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("the file") {
  vcc::test::TempDir folder;
  PosixFileSystem files;
  RecordingLogger log;
  const std::string path = folder.file("vpn_catalog.yml");
  const auto missing = Catalog::load(files, path, log);
  REQUIRE(missing.ok());
  CHECK(missing->providers().empty());
  CHECK(log.ids == std::vector<std::string>{"CATALOG_MISSING"});

  REQUIRE(files.writeAtomic(path, kText, 0600).ok());
  CHECK(Catalog::load(files, path, log)->providers().size() == 4);
  REQUIRE(files.writeAtomic(path, "aws: {default: {ssh_prot: 1}}", 0600).ok());
  const auto bad = Catalog::load(files, path, log);
  CHECK(bad.status().code() == Code::kInvalidArgument);
  CHECK(bad.status().message().find(path + ": ") == 0);
  REQUIRE(files.writeAtomic(path, std::string(2U << 20U, '#'), 0600).ok());
  CHECK(Catalog::load(files, path, log).status().code() == Code::kOutOfRange);
  CHECK(log.ids.size() == 1);
}
