// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "catalog/catalog.h"
#include "model/yaml_reader.h"

namespace vcc {

/// Reads one entry of the catalog: core's own keys are checked here, keys of the provider's kind go to the driver as
/// they are, misspelt `aws_vcp_*` keys are corrected in `entry` (spec/operations 13). kInvalidArgument names provider,
/// entry and key.
Result<CatalogEntry> readEntry(const std::string& provider, const std::string& name, YamlValue& entry);

/// True for keys whose values are shown to nobody: `*_access_key`, `*password*`, `*secret*`, `*private_key*`.
bool isSecretKey(std::string_view key);

}  // namespace vcc
