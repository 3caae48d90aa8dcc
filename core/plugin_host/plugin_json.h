// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace YAML {
class Node;
}

/// The JSON of this folder; the one file that knows Poco::JSON.
namespace vcc {

/// A YAML map as a JSON object: every scalar a string, null null, lists and maps alike, at most 8 levels deep.
Result<std::string> yamlToJson(const YAML::Node& node);

/// A JSON object with the members of `base`, and those of `over` in their place where both have them.
std::string mergeObjects(const std::string& base, const std::string& over);

/// The configuration that open_driver gets (vcp_plugin_entry_t.open_driver).
std::string openConfigJson(const std::string& instance, bool evaluation, const std::string& data_dir,
                           const std::string& options_json);

/// What core reads of a driver's schema.json.
struct SchemaKeys {
  std::vector<std::string> secret;  ///< properties marked x-vcp-secret
  std::vector<std::string> clear;   ///< the others
  std::vector<std::string> disks;   ///< properties marked x-vcp-disks, of the others
};
Result<SchemaKeys> schemaKeys(const std::string& schema_json);

}  // namespace vcc
