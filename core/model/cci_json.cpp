// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "model/cci.h"
#include "model/json_tree.h"
#include "model/yaml_fields.h"

// Both directions name each key once per line, in the same order: what is written is what is read.
namespace vcc {
namespace {

YamlValue dockerTree(const DockerOptions& options) {
  YamlValue tree = YamlValue::map();
  tree.add("dns", YamlValue::texts(options.dns));
  tree.add("dns_search", YamlValue::texts(options.dns_search));
  tree.add("dns_opt", YamlValue::texts(options.dns_opt));
  tree.add("add_host", YamlValue::texts(options.add_host));
  tree.add("hostname", YamlValue::scalar(options.hostname));
  tree.add("gpus", YamlValue::scalar(options.gpus));
  return tree;
}

Result<DockerOptions> dockerFrom(YamlFields fields) {
  DockerOptions options;
  VCC_ASSIGN_OR_RETURN(options.dns, fields.texts("dns"));
  VCC_ASSIGN_OR_RETURN(options.dns_search, fields.texts("dns_search"));
  VCC_ASSIGN_OR_RETURN(options.dns_opt, fields.texts("dns_opt"));
  VCC_ASSIGN_OR_RETURN(options.add_host, fields.texts("add_host"));
  VCC_ASSIGN_OR_RETURN(options.hostname, fields.text("hostname"));
  VCC_ASSIGN_OR_RETURN(options.gpus, fields.text("gpus"));
  return options;
}

Result<UnitCci> cciFrom(YamlFields fields) {
  const YamlValue* docker = fields.get("docker_opt");
  const YamlValue* params = fields.get("cloud_params");
  if (docker == nullptr || params == nullptr || !params->isMap()) return fields.error("cloud_params", "missing");
  UnitCci cci;
  VCC_ASSIGN_OR_RETURN(cci.name, fields.text("name"));
  VCC_ASSIGN_OR_RETURN(cci.description, fields.text("description"));
  VCC_ASSIGN_OR_RETURN(cci.network, fields.text("network"));
  VCC_ASSIGN_OR_RETURN(const std::string kind, fields.text("kind"));
  cci.kind = kind == "storage" ? UnitKind::kStorage : UnitKind::kCompute;
  VCC_ASSIGN_OR_RETURN(const auto count, fields.number("count", 1, 999'999'999));
  cci.count = count.value_or(1);
  VCC_ASSIGN_OR_RETURN(const std::string given, fields.text("count_given"));
  cci.count_given = given == "true";
  VCC_ASSIGN_OR_RETURN(cci.image, fields.text("image"));
  VCC_ASSIGN_OR_RETURN(const YamlFields docker_fields, YamlFields::of(*docker, "docker_opt", false));
  VCC_ASSIGN_OR_RETURN(cci.docker_opt, dockerFrom(docker_fields));
  VCC_ASSIGN_OR_RETURN(cci.volumes, fields.texts("volumes"));
  VCC_ASSIGN_OR_RETURN(cci.environment, fields.texts("environment"));
  VCC_ASSIGN_OR_RETURN(cci.user_init_command, fields.text("user_init_command"));
  VCC_ASSIGN_OR_RETURN(cci.provider, fields.text("provider"));
  VCC_ASSIGN_OR_RETURN(cci.addresses, fields.texts("addresses"));
  cci.cloud_params = toJson(*params);
  VCC_ASSIGN_OR_RETURN(cci.unknown_keys, fields.texts("unknown_keys"));
  return cci;
}

}  // namespace

std::string toJson(const UnitCci& cci) {
  YamlValue tree = YamlValue::map();
  tree.add("name", YamlValue::scalar(cci.name));
  tree.add("description", YamlValue::scalar(cci.description));
  tree.add("network", YamlValue::scalar(cci.network));
  tree.add("kind", YamlValue::scalar(cci.kind == UnitKind::kStorage ? "storage" : "compute"));
  tree.add("count", YamlValue::scalar(fmt::to_string(cci.count)));
  tree.add("count_given", YamlValue::scalar(cci.count_given ? "true" : "false"));
  tree.add("image", YamlValue::scalar(cci.image));
  tree.add("docker_opt", dockerTree(cci.docker_opt));
  tree.add("volumes", YamlValue::texts(cci.volumes));
  tree.add("environment", YamlValue::texts(cci.environment));
  tree.add("user_init_command", YamlValue::scalar(cci.user_init_command));
  tree.add("provider", YamlValue::scalar(cci.provider));
  tree.add("addresses", YamlValue::texts(cci.addresses));
  tree.add("cloud_params", treeFromJson(cci.cloud_params).value());
  tree.add("unknown_keys", YamlValue::texts(cci.unknown_keys));
  return toJson(tree);
}

Result<UnitCci> unitCciFromJson(std::string_view json) {
  const auto refuse = [](const Status& status) {
    return dataLoss(fmt::format("the stored description of a unit cannot be read: {}", status.message()));
  };
  const Result<YamlValue> tree = treeFromJson(json);
  if (!tree.ok()) return refuse(tree.status());
  const Result<YamlFields> fields = YamlFields::of(*tree, "spec", false);
  if (!fields.ok()) return refuse(fields.status());
  Result<UnitCci> cci = cciFrom(*fields);
  return cci.ok() ? std::move(cci) : refuse(cci.status());
}

}  // namespace vcc
