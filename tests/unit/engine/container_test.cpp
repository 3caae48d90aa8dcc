// SPDX-License-Identifier: Apache-2.0
// From the CCI to the arguments of docker: one row for each option of spec/sdk-cci 7.2, 7.4 to 7.6 and 14.1.
#include "engine/container.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "host/container_args.h"

using namespace vcc;

namespace {

using Words = std::vector<std::string>;

constexpr char kNodeId[] = "0123456789abcdef0123456789abcdef";

ContainerSpec specOf(const std::string& yaml, const std::string& registry = "harbor.example.jp",
                     const std::string& node_id = kNodeId) {
  const auto cci = parseUnitCci(base64Encode("\n- unit:\n    name: web\n    cloud_provider: fake\n" + yaml));
  REQUIRE_MESSAGE(cci.ok(), cci.status().toString());
  const Unit unit{.vcid = "vcid", .name = "web"};
  const Node node{.node_id = node_id, .node_no = 3};
  return containerSpec({"vccid", "192.168.0.1", registry}, *cci, unit, node, "10.0.0.5");
}

Words argsOf(const std::string& yaml) {
  const auto args = runArgs(specOf("    image: a/b:1\n" + yaml));
  REQUIRE_MESSAGE(args.ok(), args.status().toString());
  return *args;
}

/// The values of an option, in order.
Words valuesOf(const Words& args, const std::string& option) {
  Words values;
  for (std::size_t i = 0; i + 1 < args.size(); ++i) {
    if (args[i] == option) values.push_back(args[i + 1]);
  }
  return values;
}

struct OptionRow {
  const char* yaml;
  const char* option;
  Words values;
};

}  // namespace

TEST_CASE("each option of a CCI becomes its option of docker") {
  const std::string script(20000, 'x');
  const OptionRow rows[] = {
      {"    docker_opt: {dns: 192.0.2.53}\n", "--dns", {"192.0.2.53"}},
      {"    docker_opt: {dns: ['192.0.2.53', '2001:db8::53']}\n", "--dns", {"192.0.2.53", "2001:db8::53"}},
      {"    docker_opt: {dns_search: example.org}\n", "--dns-search", {"example.org"}},
      {"    docker_opt: {dns-search: [example.org, .]}\n", "--dns-search", {"example.org", "."}},
      {"    docker_opt: {options: ['ndots:2', rotate]}\n", "--dns-opt", {"ndots:2", "rotate"}},
      {"    docker_opt: {dns_opt: ['ndots:2']}\n", "--dns-opt", {"ndots:2"}},
      {"    docker_opt: {dns-opt: ['ndots:2']}\n", "--dns-opt", {"ndots:2"}},
      {"    docker_opt: {add_host: ['db:10.0.0.9', 'six:2001:db8::9']}\n",
       "--add-host",
       {"db:10.0.0.9", "six:2001:db8::9"}},
      {"    docker_opt: {add-host: 'db:10.0.0.9'}\n", "--add-host", {"db:10.0.0.9"}},
      {"    docker_opt: {hostname: node-1.example.org}\n", "--hostname", {"node-1.example.org"}},
      {"    docker_opt: {gpus: all}\n", "--gpus", {"all"}},
      {"    docker_opt: {gpus: 2}\n", "--gpus", {"2"}},
      {"    docker_opt: {gpus: 'device=0,capabilities=utility'}\n", "--gpus", {"device=0,capabilities=utility"}},
      {"    params:\n        v:\n        - /sys/fs/cgroup:/sys/fs/cgroup:ro\n        - /var/lib/docker\n        - "
       "data:/data\n",
       "-v",
       {"/dev:/dev", "/sys/fs/cgroup:/sys/fs/cgroup:ro", "/var/lib/docker", "data:/data"}},
      {"    params:\n        v:\n        e: []\n", "-v", {"/dev:/dev"}},
  };
  for (const OptionRow& row : rows) {
    CAPTURE(row.yaml);
    CHECK(valuesOf(argsOf(row.yaml), row.option) == row.values);
  }
}

TEST_CASE("an option that is not asked for is not given") {
  const Words args = argsOf("    docker_opt: {}\n");
  for (const char* option : {"--dns", "--dns-search", "--dns-opt", "--add-host", "--hostname", "--gpus"}) {
    CAPTURE(option);
    CHECK(valuesOf(args, option).empty());
  }
}

TEST_CASE("the variables: the controller's five, then the user's as they are") {
  const std::string key = base64Encode("ssh-rsa AAAAEXAMPLE user@example\n");
  const Words args = argsOf(fmt::format(
      "    params:\n        e:\n        - AUTHORIZED_KEYS={}\n        - A=b c=d, \"e\" $HOME `id`\n        - EMPTY=\n",
      key));
  CHECK(valuesOf(args, "-e") == Words{"PRIVATE_IP=10.0.0.5", "MY_PRIVATE_IP=10.0.0.5", "VCCCTR_IPADDR=192.168.0.1",
                                      "VCCC_ID=vcid", "SERF_NODE_ID=vcid:web:3", "AUTHORIZED_KEYS=" + key,
                                      "A=b c=d, \"e\" $HOME `id`", "EMPTY="});
}

TEST_CASE("a start script is a variable, from both of its places, up to its limit") {
  const std::string script = base64Encode("#!/bin/sh\necho \"$HOME\"\n" + std::string(93 * 1024 - 30, '#'));
  const Words unit_level = valuesOf(argsOf("    user_init_command: " + script + "\n"), "-e");
  CHECK(unit_level.back() == "USER_INIT_COMMAND=" + script);
  const Words among_params =
      valuesOf(argsOf("    params:\n        e:\n        - USER_INIT_COMMAND=" + script + "\n"), "-e");
  CHECK(among_params.back() == "USER_INIT_COMMAND=" + script);
  CHECK(joinArgs(unit_level).ok());
}

TEST_CASE("a container is detached, privileged, on the host's network, and starts again with its machine") {
  const Words args = argsOf("");
  const Words head{"run", "-d", "--pull", "never", "--privileged", "--network", "host", "--restart", "unless-stopped"};
  CHECK(std::equal(head.begin(), head.end(), args.begin()));
  CHECK(valuesOf(args, "--name") == Words{"vcp-0123456789abcdef"});
  CHECK(args[args.size() - 2] == "--");
  CHECK(args.back() == "harbor.example.jp/a/b:1");
  const Words labels = valuesOf(args, "--label");
  const Words first(labels.begin(), labels.end() - 1);
  CHECK(first == Words{"vcp.vcc=vccid", "vcp.vcid=vcid", "vcp.unit=web", std::string("vcp.node_id=") + kNodeId,
                       "vcp.node_no=3", "vcp.address=10.0.0.5"});
  CHECK(labels.back().starts_with("vcp.spec="));
}

TEST_CASE("image names: short ones get the base registry, full ones stay") {
  struct Name {
    const char* given;
    const char* registry;
    const char* full;
  };
  constexpr Name kNames[] = {
      {"vcp/base:1.8.1-alpine3.13-x86_64", "harbor.example.jp", "harbor.example.jp/vcp/base:1.8.1-alpine3.13-x86_64"},
      {"base", "192.168.0.1:5000", "192.168.0.1:5000/base"},
      {"vcp/base@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "h.example.jp",
       "h.example.jp/vcp/base@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
      {"vcp/base:1", "", "vcp/base:1"},
      {"192.168.0.1:5001/my/base:tag", "harbor.example.jp", "192.168.0.1:5001/my/base:tag"},
      {"harbor.example.jp/vcp/openhpc:tag", "other.example.jp", "harbor.example.jp/vcp/openhpc:tag"},
      {"localhost/vcp/base:1", "harbor.example.jp", "localhost/vcp/base:1"},
  };
  for (const Name& name : kNames) {
    CAPTURE(name.given);
    CHECK(specOf(std::string("    image: ") + name.given + "\n", name.registry).image == name.full);
  }
}

TEST_CASE("the hash of a specification changes with every option, and names differ by node") {
  const std::string base = "    image: a/b:1\n";
  std::vector<std::string> hashes{specHash(specOf(base))};
  for (const char* more : {"    docker_opt: {dns: 192.0.2.53}\n", "    docker_opt: {dns_search: a}\n",
                           "    docker_opt: {dns_opt: a}\n", "    docker_opt: {add_host: 'a:10.0.0.1'}\n",
                           "    docker_opt: {hostname: a}\n", "    docker_opt: {gpus: all}\n",
                           "    params: {v: [/a]}\n", "    params: {e: [A=b]}\n", "    user_init_command: aWQK\n"}) {
    hashes.push_back(specHash(specOf(base + more)));
  }
  hashes.push_back(specHash(specOf("    image: a/b:2\n")));
  const std::string other_node = "1123456789abcdef0123456789abcdef";
  hashes.push_back(specHash(specOf(base, "harbor.example.jp", other_node)));
  std::ranges::sort(hashes);
  CHECK(std::ranges::adjacent_find(hashes) == hashes.end());
  CHECK(specHash(specOf(base)) == specHash(specOf(base)));
  CHECK(specOf(base).name != specOf(base, "", other_node).name);
}

TEST_CASE("what would be another option of docker is refused before any host is asked") {
  for (const char* yaml :
       {"    docker_opt: {dns: --privileged}\n", "    docker_opt: {dns_search: '-x'}\n",
        "    docker_opt: {dns_opt: '--x'}\n", "    docker_opt: {add_host: '--x:10.0.0.1'}\n",
        "    docker_opt: {hostname: '-x'}\n", "    docker_opt: {gpus: '--x'}\n", "    docker_opt: {volume: /a}\n",
        "    docker_opt: {hostname: 'a b'}\n", "    docker_opt: {add_host: 'a:$(id)'}\n",
        "    docker_opt: {dns: [1.1.1.1], dns_opt: a, options: b}\n", "    params: {v: ['--x:/a']}\n",
        "    params: {v: ['/a:/../b']}\n", "    params: {e: ['-x=1']}\n", "    params: {e: [HOME]}\n",
        "    user_init_command: '!'\n"}) {
    CAPTURE(yaml);
    const auto cci = parseUnitCci(
        base64Encode(std::string("\n- unit:\n    name: web\n    image: a\n    cloud_provider: fake\n") + yaml));
    REQUIRE_FALSE(cci.ok());
    CHECK(cci.status().code() == Code::kInvalidArgument);
  }
}
