// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/call_secrets.h"

#include <algorithm>

#include "model/json_tree.h"

namespace vcc {
namespace {

void collect(const YamlValue& value, std::vector<SecretString>& out) {
  if (value.isScalar()) out.emplace_back(value.text);
  for (const YamlValue& item : value.items) collect(item, out);
  for (const auto& [key, member] : value.members) collect(member, out);
}

}  // namespace

Scrubber scrubberOf(const SecretString& credentials) {
  const Result<YamlValue> tree = treeFromJson(credentials.reveal());
  std::vector<SecretString> values;
  if (tree.ok()) {
    collect(*tree, values);
  } else {
    values.push_back(credentials);
  }
  return Scrubber(values);
}

Scrubber scrubberOf(const std::string& cloud_params, const std::vector<std::string>& secret_keys) {
  std::vector<SecretString> values;
  const Result<YamlValue> tree = treeFromJson(cloud_params);
  if (!tree.ok()) return {};
  for (const auto& [key, member] : tree->members) {
    if (std::find(secret_keys.begin(), secret_keys.end(), key) != secret_keys.end()) collect(member, values);
  }
  return Scrubber(values);
}

}  // namespace vcc
