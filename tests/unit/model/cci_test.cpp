// SPDX-License-Identifier: Apache-2.0
#include "model/cci.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/encoding.h"
#include "cci_documents.h"
#include "model/yaml_reader.h"

using namespace vcc;
using namespace vcc::test;

namespace {

Result<UnitCci> unit(std::string_view text) { return parseUnitCci(base64Encode(text)); }
Result<VcCci> vc(std::string_view text) { return parseVcCci(base64Encode(text)); }

// The whole message of a refusal.
template <typename T>
std::string refusal(const Result<T>& result) {
  if (result.ok()) return "accepted";
  CHECK(result.status().code() == Code::kInvalidArgument);
  return result.status().message();
}

// A refusal of the AWS document with one change, as "field" when the message begins with it.
std::string change(std::string_view from, std::string_view to) { return refusal(unit(with(kAwsText, from, to))); }

std::string docker(const std::string& options) { return change("docker_opt: {}", "docker_opt: " + options); }

bool begins(const std::string& message, std::string_view field) {
  CAPTURE(message);
  CHECK(message.starts_with(field));
  return message.starts_with(field);
}

std::string vcText(const std::string& name, const std::string& description) {
  return "- vc:\n    type: storage\n    description: \"" + description + "\"\n    name: " + name + "\n";
}

}  // namespace

TEST_CASE("the VC document of the SDK") {
  const VcCci cci = vc(kVcText).value();
  CHECK(cci.name == "my-group");
  CHECK(cci.description == "my-group");
  CHECK(cci.kind == UnitKind::kCompute);
  CHECK(vc(vcText("g", "g"))->kind == UnitKind::kStorage);
}

TEST_CASE("VC names that YAML would change") {
  for (const std::string name : {"null", "~", "yes", "001", "2024-01-01", "1e3", "None", "[a]", "{x}", "'a b'", "a #1",
                                 "\xe8\xac\x9b\xe7\xbe\xa9"}) {
    CAPTURE(name);
    const auto cci = vc(vcText(name, name));
    CHECK(cci.ok());
    if (cci.ok()) CHECK(cci->name == name);
  }
  CHECK(vc(vcText("web", "servers of the lab"))->name == "web");
  CHECK(vc(vcText("", "from description"))->name == "from description");
}

TEST_CASE("VC documents that are refused, with the field") {
  begins(refusal(parseVcCci("%%%")), "cci: ");
  begins(refusal(parseVcCci(base64Encode("a: [") + "\n")), "cci: ");
  begins(refusal(parseVcCci("")), "cci: the document must be a list of one map with the one key \"vc\"");
  begins(refusal(vc("vc: {name: a}")), "cci: ");
  begins(refusal(vc("- unit: {name: a}")), "cci: ");
  begins(refusal(vc("- vc: {name: a}\n- vc: {name: b}")), "cci: ");
  begins(refusal(vc("- vc: {name: a}\n  unit: {}")), "cci: ");
  begins(refusal(vc("- vc: [a]")), "cci: ");
  begins(refusal(vc("- vc: {type: compute}")), "vc.name: ");
  begins(refusal(vc("- vc: {name: [a]}")), "vc.name: this must be a text, but it is a list");
  begins(refusal(vc("- vc: {name: a, type: disk}")), "vc.type: ");
  begins(refusal(vc("- vc: {name: " + std::string(256, 'a') + "}")), "vc.name: ");
  begins(refusal(vc("- vc: {name: \"a\\nb\"}")), "vc.name: ");
  begins(refusal(vc("- vc: {name: a, description: " + std::string(5000, 'a') + "}")), "vc.description: ");
  begins(refusal(vc("- vc: {name: a, description: [b]}")), "vc.description: ");
}

TEST_CASE("the unit document of the SDK") {
  const UnitCci cci = parseUnitCci(base64Encode(kAwsText)).value();
  CHECK(cci.name == "web");
  CHECK(cci.network == "default");
  CHECK(cci.kind == UnitKind::kCompute);
  CHECK(cci.count == 2);
  CHECK(cci.count_given);
  CHECK(cci.image == "vcp/base:1.8.1-alpine3.13-x86_64");
  CHECK(cci.docker_opt == DockerOptions{});
  CHECK(cci.volumes == std::vector<std::string>{"/sys/fs/cgroup:/sys/fs/cgroup:ro", "/var/lib/docker"});
  CHECK(cci.environment == std::vector<std::string>{"AUTHORIZED_KEYS=c3NoLXJzYSBBQUFBRVhBTVBMRSB1c2VyQGV4YW1wbGUK",
                                                    "MY_ROLE=web server, \"a\" 'b' = $HOME"});
  CHECK(cci.provider == "aws");
  CHECK(cci.addresses == std::vector<std::string>{"172.30.2.101", "172.30.2.102"});
  CHECK(cci.cloud_params ==
        R"({"cci_version":"1.2","instance_type":"m5.large","volume_size":"16","volume_type":"gp2",)"
        R"("cloud_image":"default","ip_address_list":["172.30.2.101","172.30.2.102"],)"
        R"("access_key":"vault://cubbyhole/aws/access_key","volume_id":[],"secret_key":"plainsecretvalue",)"
        R"("tags":{"project":"demo","n":null}})");
  CHECK(cci.unknown_keys.empty());
}

TEST_CASE("existing servers: the list counts, None and null are unset, options as Python writes them") {
  UnitCci cci = unit(kOnpremisesText).value();
  CHECK(cci.count == 1);
  CHECK(settleCount(cci, true).ok());
  CHECK(cci.count == 2);
  CHECK(cci.volumes.empty());
  CHECK(cci.environment.empty());
  CHECK(cci.docker_opt.dns == std::vector<std::string>{"8.8.8.8"});
  CHECK(cci.docker_opt.gpus == "all");
  CHECK(cci.cloud_params.find(R"("network_if":null)") != std::string::npos);
}

TEST_CASE("storage units are known by num_disks") {
  const UnitCci cci = unit(kStorageText).value();
  CHECK(cci.kind == UnitKind::kStorage);
  CHECK(cci.count == 3);
  CHECK(cci.image.empty());
  begins(refusal(unit(with(kStorageText, "num_disks: 3", "num_disks: 3\n    num_nodes: 1"))), "unit.num_disks: ");
  begins(refusal(unit(with(kStorageText, "num_disks: 3", "num_disks: 0"))), "unit.num_disks: ");
}

TEST_CASE("missing parts have the defaults of the SDK") {
  const UnitCci cci = unit("- unit: {name: a, image: b, cloud_provider: mock}").value();
  CHECK(cci.count == 1);
  CHECK_FALSE(cci.count_given);
  CHECK(cci.network == "default");
  CHECK(cci.cloud_params == "{}");
  const UnitCci nulls =
      unit(
          "- unit: {name: null, image: b, cloud_provider: mock, params: None, docker_opt: , cloud_params: ~, "
          "num_nodes: None, private_network: null, description: }")
          .value();
  CHECK(nulls.name.empty());
  CHECK(nulls.count == 1);
  CHECK(nulls.cloud_params == "{}");
  CHECK(unit("- unit: {name: 001, image: b, cloud_provider: mock}")->name == "001");
}

TEST_CASE("addresses and the number of nodes") {
  UnitCci three = unit(with(kAwsText, "num_nodes: 2", "num_nodes: 3")).value();
  begins(settleCount(three, false).message(), "unit.cloud_params.ip_address_list: 2 addresses are given for 3");
  CHECK(settleCount(three, true).ok());  // existing servers: the list counts
  CHECK(three.count == 2);
  UnitCci unsaid = unit(with(kAwsText, "    num_nodes: 2\n", "")).value();
  CHECK(settleCount(unsaid, false).ok());
  CHECK(unsaid.count == 2);
  CHECK(unit(with(kAwsText, "num_nodes: 2", "num_nodes: \"2\""))->count == 2);
  CHECK(unit(with(kAwsText, "['172.30.2.101', '172.30.2.102']", "[]"))->count == 2);
  CHECK(unit(with(kAwsText, "['172.30.2.101', '172.30.2.102']", "None"))->addresses.empty());
  begins(change("'172.30.2.102'", "'172.30.2'"), "unit.cloud_params.ip_address_list[1]: \"172.30.2\" is not an IPv4");
  begins(change("'172.30.2.102'", "'172.30.2.101'"), "unit.cloud_params.ip_address_list[1]: ");
  begins(change("'172.30.2.102'", "None"), "unit.cloud_params.ip_address_list[1]: ");
  begins(change("['172.30.2.101', '172.30.2.102']", "172.30.2.101"), "unit.cloud_params.ip_address_list: ");
  for (const char* bad : {"0", "-1", "2.0", "0x2", "two", "9999999999", "1 2", "[2]", "''"}) {
    CAPTURE(bad);
    begins(change("num_nodes: 2", std::string("num_nodes: ") + bad), "unit.num_nodes: ");
  }
}

TEST_CASE("more nodes than a unit may have is a limit, not a mistake in the text") {
  const CciLimits limits{.nodes = 2};
  CHECK(parseUnitCci(base64Encode(kAwsText), limits).ok());
  const auto refused = parseUnitCci(base64Encode(with(kAwsText, "num_nodes: 2", "num_nodes: 3")), limits);
  CHECK(refused.status().code() == Code::kResourceExhausted);
  CHECK(refused.status().message().starts_with("unit.num_nodes: 3 are asked for, at most 2"));
  const auto listed = parseUnitCci(base64Encode(kOnpremisesText), CciLimits{.nodes = 1});
  CHECK(listed.status().code() == Code::kResourceExhausted);
  CHECK(listed.status().message().starts_with("unit.cloud_params.ip_address_list: "));
}

TEST_CASE("docker_opt is a closed list in both spellings") {
  const auto options = [](const std::string& text) {
    return unit(with(kAwsText, "docker_opt: {}", "docker_opt: " + text)).value().docker_opt;
  };
  CHECK(options("{dns: 8.8.8.8}").dns == std::vector<std::string>{"8.8.8.8"});
  CHECK(options("{dns: ['2001:db8::1', 1.1.1.1]}").dns.size() == 2);
  CHECK(options("{dns-search: [example.jp, .]}").dns_search.size() == 2);
  CHECK(options("{dns_search: example.jp}").dns_search.size() == 1);
  CHECK(options("{options: ['ndots:2', use-vc]}").dns_opt.size() == 2);
  CHECK(options("{dns_opt: ['ndots:2']}").dns_opt.size() == 1);
  CHECK(options("{add-host: ['db:10.0.0.1']}").add_host == std::vector<std::string>{"db:10.0.0.1"});
  CHECK(options("{add_host: ['db:::1', 'h:host-gateway']}").add_host.size() == 2);
  CHECK(options("{hostname: node-1, gpus: 'device=0,1'}").hostname == "node-1");
  CHECK(options("{hostname: None, gpus: , dns: None}") == DockerOptions{});

  begins(docker("{privileged: true}"), "unit.docker_opt.privileged: this option is not known");
  begins(docker("{volume: '/:/host'}"), "unit.docker_opt.volume: ");
  begins(docker("[]"), "unit.docker_opt: this must be a map, but it is a list");
  begins(docker("{dns: [8.8.8.8, dns.example.jp]}"), "unit.docker_opt.dns[1]: ");
  begins(docker("{dns_search: a, dns-search: b}"), "unit.docker_opt.dns-search: ");
  begins(docker("{dns_search: '--privileged'}"), "unit.docker_opt.dns_search[0]: ");
  begins(docker("{options: ['a b']}"), "unit.docker_opt.options[0]: ");
  begins(docker("{add_host: [db]}"), "unit.docker_opt.add_host[0]: ");
  begins(docker("{add_host: ['db:nowhere']}"), "unit.docker_opt.add_host[0]: ");
  begins(docker("{add_host: ['-x:10.0.0.1']}"), "unit.docker_opt.add_host[0]: ");
  begins(docker("{hostname: 'a b'}"), "unit.docker_opt.hostname: ");
  begins(docker("{hostname: [a]}"), "unit.docker_opt.hostname: ");
  begins(docker("{gpus: '--x'}"), "unit.docker_opt.gpus: ");
}

TEST_CASE("volumes and environment name the item, never the value") {
  begins(change("- /var/lib/docker", "- ../etc:/etc"), "unit.params.v[1]: ");
  begins(change("- /var/lib/docker", "- [/a]"), "unit.params.v[1]: this must be a text");
  begins(change("- /var/lib/docker", "-"), "unit.params.v[1]: this item of the list is empty");
  for (const char* bad : {"topsecret", "=topsecret", "1A=topsecret", "A B=topsecret", "A-B=topsecret",
                          "'A.B=topsecret'", "\xe3\x81\x82=topsecret", "A=b: topsecret", "{A: topsecret}"}) {
    CAPTURE(bad);
    const std::string message = change("MY_ROLE=web server, \"a\" 'b' = $HOME", bad);
    begins(message, "unit.params.e[1]: ");
    CHECK(message.find("topsecret") == std::string::npos);
  }
  CHECK(unit(with(kAwsText, "MY_ROLE=web server, \"a\" 'b' = $HOME", "_a1="))->environment[1] == "_a1=");
  CHECK(unit(with(kAwsText, "- MY_ROLE=web server, \"a\" 'b' = $HOME", "- \"A=x\\ny: \\u3042 #z\""))->environment[1] ==
        "A=x\ny: \xe3\x81\x82 #z");
  const std::string name = "BIG=";
  CHECK(unit(with(kAwsText, "MY_ROLE=web server", name + std::string(kEnvironmentItemBytes - 40, 'x'))).ok());
  begins(change("- MY_ROLE=web server, \"a\" 'b' = $HOME", "- " + name + std::string(kEnvironmentItemBytes - 4, 'x')),
         "unit.params.e[1]: NAME=value has 131072 bytes");
  CHECK(unit(with(kAwsText, "- MY_ROLE=web server, \"a\" 'b' = $HOME",
                  "- " + name + std::string(kEnvironmentItemBytes - 5, 'x')))
            .ok());
}

TEST_CASE("the start script") {
  const std::string script = base64Encode("#!/bin/sh\n");
  CHECK(unit(with(kAwsText, "recovery_mode: none", "user_init_command: " + script))->user_init_command == script);
  begins(change("recovery_mode: none", "user_init_command: '#!/bin/sh'"), "unit.user_init_command: this is not base64");
  begins(change("recovery_mode: none", "user_init_command: " + base64Encode(std::string(100000, 'x'))),
         "unit.user_init_command: the script has 100000 bytes");
}

TEST_CASE("other fields of a unit") {
  begins(change("name: web", "name: a b"), "unit.name: ");
  begins(change("name: web", "name: [web]"), "unit.name: ");
  begins(change("image: vcp/base:1.8.1-alpine3.13-x86_64", "image: --privileged"), "unit.image: ");
  begins(change("image: vcp/base:1.8.1-alpine3.13-x86_64", "image: None"), "unit.image: ");
  begins(change("cloud_provider: aws", "cloud_provider: "), "unit.cloud_provider: ");
  begins(change("cloud_provider: aws", "cloud_provider: ../x"), "unit.cloud_provider: ");
  begins(change("private_network: default", "private_network: 'a b'"), "unit.private_network: ");
  begins(refusal(unit("- unit: {name: a, image: b, cloud_provider: c, cloud_params: text}")), "unit.cloud_params: ");
  begins(refusal(unit("- unit: {name: a, image: b, cloud_provider: c, params: [x]}")), "unit.params: ");
  begins(refusal(parseUnitCci("????")), "info: ");
  begins(refusal(unit(with(kAwsText, "m5.large", "&x m5.large"))), "info: line 21, column 24: anchors");
  begins(refusal(unit(std::string(3U << 20U, 'a'))), "info: the document has more than");
}

TEST_CASE("unknown keys are ignored and remembered") {
  const UnitCci cci =
      unit(with(with(kAwsText, "recovery_mode: none", "future: {a: b}"), "        v:\n", "        w: []\n        v:\n"))
          .value();
  CHECK(cci.unknown_keys == std::vector<std::string>{"unit.params.w", "unit.future"});
  std::string many = "- unit: {name: a, image: b, cloud_provider: c";
  for (int i = 0; i < 100; ++i) many += ", k" + std::to_string(i) + ": v";
  CHECK(unit(many + "}")->unknown_keys.size() == 32);
}

TEST_CASE("a unit as JSON and back") {
  for (std::string_view text : {kAwsText, kOnpremisesText, kStorageText}) {
    const UnitCci cci = unit(text).value();
    CHECK(unitCciFromJson(toJson(cci)).value() == cci);
  }
  UnitCci odd = unit(kAwsText).value();
  odd.environment = {"A=\x01 \"q\" \\ \n\t \xe8\xac\x9b", "B="};
  odd.docker_opt.add_host = {"a:1.2.3.4"};
  odd.docker_opt.hostname = "h";
  odd.user_init_command = "IyE=";
  odd.unknown_keys = {"unit.x"};
  CHECK(unitCciFromJson(toJson(odd)).value() == odd);
  for (const char* bad :
       {"", "{", "[]", "{}", "null", R"({"docker_opt":{},"cloud_params":"x"})",
        R"({"docker_opt":{},"cloud_params":{},"count":"x"})", R"({"docker_opt":{},"cloud_params":{},"volumes":"x"})"}) {
    CAPTURE(bad);
    CHECK(unitCciFromJson(bad).status().code() == Code::kDataLoss);
  }
}

TEST_CASE("info hides every secret and is YAML that reads back") {
  UnitCci cci = unit(kAwsText).value();
  cci.docker_opt.hostname = "hidden-host";
  cci.docker_opt.dns = {"9.9.9.9"};
  cci.user_init_command = base64Encode("hidden script");
  cci.environment.push_back("REF=vault://cubbyhole/x");
  const std::string info = maskedInfo(cci, {"instance_type", "ip_address_list", "tags"});
  CAPTURE(info);
  for (const char* hidden : {"plainsecretvalue", "hidden-host", "9.9.9.9", "web server", "c3NoLXJz", "gp2"}) {
    CHECK(info.find(hidden) == std::string::npos);
  }
  CHECK(info.find(cci.user_init_command) == std::string::npos);
  const YamlValue root = readYaml(info).value().items.at(0).members.at(0).second;
  CHECK(root.find("name")->text == "web");
  CHECK(root.find("num_nodes")->text == "2");
  CHECK(root.find("params")->find("v")->items.at(0).text == "/sys/fs/cgroup:/sys/fs/cgroup:ro");
  CHECK(root.find("params")->find("e")->items.at(0).text == "AUTHORIZED_KEYS=********");
  CHECK(root.find("params")->find("e")->items.at(2).text == "REF=vault://cubbyhole/x");
  const YamlValue* cloud = root.find("cloud_params");
  CHECK(cloud->find("instance_type")->text == "m5.large");
  CHECK(cloud->find("access_key")->text == "vault://cubbyhole/aws/access_key");
  CHECK(cloud->find("secret_key")->text == "********");
  CHECK(cloud->find("tags")->find("project")->text == "demo");
  CHECK(cloud->find("ip_address_list")->items.size() == 2);
  const YamlValue disks = readYaml(maskedInfo(unit(kStorageText).value(), {})).value().items.at(0).members.at(0).second;
  CHECK(disks.find("num_disks")->text == "3");
  CHECK(disks.find("image") == nullptr);
}
