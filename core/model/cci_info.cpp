// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "model/cci.h"
#include "model/json_tree.h"

namespace vcc {
namespace {

// A reference to the secret store is no secret.
std::string masked(std::string_view text) {
  return std::string(text.empty() || text.starts_with("vault://") ? text : kMask);
}

std::vector<std::string> masked(std::vector<std::string> texts) {
  for (std::string& text : texts) text = masked(text);
  return texts;
}

void maskLeaves(YamlValue& value) {
  if (value.isScalar()) value.text = masked(value.text);
  for (YamlValue& item : value.items) maskLeaves(item);
  for (auto& [key, member] : value.members) maskLeaves(member);
}

// Block style as the SDK writes it, every text in quotes, so that no reader changes it. Maps inside lists are in flow
// style: JSON is YAML.
void emit(const YamlValue& map, std::size_t indent, std::string& out) {
  for (const auto& [key, value] : map.members) {
    out.append(indent, ' ');
    out += key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos ? key : quoteJson(key);
    out += ':';
    if (value.isMap() && !value.members.empty()) {
      out += '\n';
      emit(value, indent + 4, out);
    } else if (value.isList() && !value.items.empty()) {
      out += '\n';
      for (const YamlValue& item : value.items) {
        out.append(indent, ' ');
        out += "- " + toJson(item) + '\n';
      }
    } else {
      out += ' ' + toJson(value) + '\n';
    }
  }
}

YamlValue maskedDockerTree(const DockerOptions& options) {
  YamlValue tree = YamlValue::map();
  const auto add = [&](std::string_view key, const std::vector<std::string>& values) {
    if (!values.empty()) tree.add(key, YamlValue::texts(masked(values)));
  };
  add("dns", options.dns);
  add("dns_search", options.dns_search);
  add("dns_opt", options.dns_opt);
  add("add_host", options.add_host);
  if (!options.hostname.empty()) tree.add("hostname", YamlValue::scalar(masked(options.hostname)));
  if (!options.gpus.empty()) tree.add("gpus", YamlValue::scalar(masked(options.gpus)));
  return tree;
}

YamlValue paramsTree(const UnitCci& cci) {
  YamlValue tree = YamlValue::map();
  tree.add("v", YamlValue::texts(cci.volumes));
  YamlValue environment = YamlValue::list();
  for (const std::string& entry : cci.environment) {
    const std::size_t value = entry.find('=') + 1;
    environment.items.push_back(YamlValue::scalar(entry.substr(0, value) + masked(entry.substr(value))));
  }
  tree.add("e", std::move(environment));
  return tree;
}

}  // namespace

std::string maskedInfo(const UnitCci& cci, const std::vector<std::string>& clear_keys) {
  YamlValue unit = YamlValue::map();
  unit.add("name", YamlValue::scalar(cci.name));
  unit.add("description", YamlValue::scalar(cci.description));
  unit.add("private_network", YamlValue::scalar(cci.network));
  const bool compute = cci.kind == UnitKind::kCompute;
  unit.add(compute ? "num_nodes" : "num_disks", YamlValue::scalar(fmt::to_string(cci.count)));
  if (compute) {
    unit.add("image", YamlValue::scalar(cci.image));
    unit.add("docker_opt", maskedDockerTree(cci.docker_opt));
    unit.add("params", paramsTree(cci));
    if (!cci.user_init_command.empty()) unit.add("user_init_command", YamlValue::scalar(kMask));
  }
  unit.add("cloud_provider", YamlValue::scalar(cci.provider));
  YamlValue cloud = treeFromJson(cci.cloud_params).value();
  for (auto& [key, value] : cloud.members) {
    if (std::ranges::find(clear_keys, key) == clear_keys.end()) maskLeaves(value);
  }
  unit.add("cloud_params", std::move(cloud));

  std::string info = "- unit:\n";
  emit(unit, 4, info);
  return info;
}

}  // namespace vcc
