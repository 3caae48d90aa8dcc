// SPDX-License-Identifier: Apache-2.0
#include "engine/container.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace vcc {

namespace {

std::string hashOf(const ContainerSpec& spec) {
  std::string text;
  const auto add = [&text](std::string_view part) {
    text += fmt::format("{}:", part.size());
    text += part;
  };
  const auto addAll = [&](const std::vector<std::string>& parts) {
    text += fmt::format("[{}]", parts.size());
    for (const std::string& part : parts) add(part);
  };
  add(spec.image);
  for (const auto& [key, value] : spec.labels) {
    add(key);
    add(value);
  }
  for (const auto* list :
       {&spec.volumes, &spec.environment, &spec.dns, &spec.dns_search, &spec.dns_opt, &spec.add_host}) {
    addAll(*list);
  }
  add(spec.hostname);
  add(spec.gpus);
  return hexEncode(sha256(text)).substr(0, 32);
}

}  // namespace

ContainerSpec containerSpec(const ContainerContext& context, const UnitCci& cci, const Unit& unit, const Node& node,
                            const std::string& address) {
  ContainerSpec spec;
  spec.image = fullImageName(cci.image, context.base_registry);
  spec.name = "vcp-" + node.node_id.substr(0, 16);
  spec.labels = {{"vcp.vcc", context.vcc_id},
                 {"vcp.vcid", unit.vcid},
                 {"vcp.unit", unit.name},
                 {"vcp.node_id", node.node_id},
                 {"vcp.node_no", fmt::to_string(node.node_no)},
                 {"vcp.address", address}};
  spec.volumes = cci.volumes;
  spec.environment = {"PRIVATE_IP=" + address, "MY_PRIVATE_IP=" + address,
                      "VCCCTR_IPADDR=" + context.controller_address, "VCCC_ID=" + unit.vcid,
                      fmt::format("SERF_NODE_ID={}:{}:{}", unit.vcid, unit.name, node.node_no)};
  spec.environment.insert(spec.environment.end(), cci.environment.begin(), cci.environment.end());
  if (!cci.user_init_command.empty()) spec.environment.push_back("USER_INIT_COMMAND=" + cci.user_init_command);
  spec.dns = cci.docker_opt.dns;
  spec.dns_search = cci.docker_opt.dns_search;
  spec.dns_opt = cci.docker_opt.dns_opt;
  spec.add_host = cci.docker_opt.add_host;
  spec.hostname = cci.docker_opt.hostname;
  spec.gpus = cci.docker_opt.gpus;
  spec.labels.emplace_back("vcp.spec", hashOf(spec));
  return spec;
}

const std::string& specHash(const ContainerSpec& spec) { return spec.labels.back().second; }

std::string fullImageName(const std::string& image, const std::string& base_registry) {
  const std::string first = image.substr(0, image.find('/'));
  const bool has_registry =
      first.size() < image.size() && (first == "localhost" || first.find_first_of(".:") != std::string::npos);
  return has_registry || base_registry.empty() ? image : base_registry + "/" + image;
}

}  // namespace vcc
