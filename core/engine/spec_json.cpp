// SPDX-License-Identifier: Apache-2.0
#include "engine/spec_json.h"

#include <algorithm>

#include "model/cci.h"
#include "model/json_tree.h"

namespace vcc {

namespace {

constexpr std::string_view kScheme = "vault://";

Result<YamlValue> parseObject(const std::string& text) {
  auto tree = treeFromJson(text);
  if (!tree.ok() || !tree->isMap()) return dataLoss("cloud_params of a record is not a JSON object");
  return tree;
}

bool isReference(const YamlValue& value) { return value.isScalar() && value.text.starts_with(kScheme); }

bool isSecret(const std::string& key, const YamlValue& value, const std::vector<std::string>& secret_keys) {
  return isReference(value) || std::find(secret_keys.begin(), secret_keys.end(), key) != secret_keys.end();
}

}  // namespace

Result<SplitParams> splitSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys) {
  VCC_ASSIGN_OR_RETURN(YamlValue params, parseObject(cloud_params));
  YamlValue clear = YamlValue::map();
  YamlValue named = YamlValue::map();
  for (auto& [key, value] : params.members) {
    (isSecret(key, value, secret_keys) ? named : clear).add(key, std::move(value));
  }
  return SplitParams{toJson(clear), SecretString(toJson(named)), !named.members.empty()};
}

Result<SecretString> joinSecrets(const std::string& clear, const SecretString& values) {
  VCC_ASSIGN_OR_RETURN(YamlValue params, parseObject(clear));
  VCC_ASSIGN_OR_RETURN(YamlValue secrets, parseObject(values.reveal()));
  for (auto& [key, value] : secrets.members) params.add(key, std::move(value));
  return SecretString(toJson(params));
}

Result<std::string> maskSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys) {
  VCC_ASSIGN_OR_RETURN(YamlValue params, parseObject(cloud_params));
  for (auto& [key, value] : params.members) {
    const bool shown = value.isNull() || isReference(value) || !isSecret(key, value, secret_keys);
    if (!shown) value = YamlValue::scalar(kMask);
  }
  return toJson(params);
}

std::string stringMember(const std::string& object, const std::string& key) {
  const auto parsed = parseObject(object);
  const YamlValue* member = parsed.ok() ? parsed->find(key) : nullptr;
  return member != nullptr && member->isScalar() ? member->text : std::string();
}

Result<std::string> machineRequest(const std::string& clear_params, const MachineLabels& labels,
                                   const std::optional<MachineAccess>& access) {
  VCC_ASSIGN_OR_RETURN(YamlValue params, parseObject(clear_params));
  YamlValue tags = YamlValue::map();
  tags.add("vcc_id", YamlValue::scalar(labels.vcc_id));
  tags.add("vcid", YamlValue::scalar(labels.vcid));
  tags.add("vc_name", YamlValue::scalar(labels.vc_name));
  tags.add("unit_name", YamlValue::scalar(labels.unit_name));
  tags.add("owner", YamlValue::scalar(labels.owner));
  YamlValue request = YamlValue::map();
  request.add("provider", YamlValue::scalar(labels.provider));
  request.add("cloud_params", std::move(params));
  request.add("labels", std::move(tags));
  if (!access) return toJson(request);
  YamlValue& entrance = request.add("access", YamlValue::map());
  entrance.add("user", YamlValue::scalar(access->user));
  YamlValue& keys = entrance.add("public_keys", YamlValue::list());
  if (!access->public_key.empty()) keys.items.push_back(YamlValue::scalar(access->public_key));
  entrance.add("user_data", YamlValue::scalar(""));
  return toJson(request);
}

std::string loginUser(const std::string& cloud_params, const std::vector<std::string>& secret_keys) {
  const auto split = splitSecrets(cloud_params, secret_keys);
  std::string user = split.ok() ? stringMember(split->clear, "user_name") : std::string();
  return user.empty() ? std::string("ubuntu") : user;
}

}  // namespace vcc
