// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/status.h"
#include "model/cci.h"
#include "model/yaml_fields.h"

/// The part of a unit CCI that goes to `docker run` (spec/sdk-cci 7.2, 7.4). Used by the CCI parser only.
namespace vcc {

/// `docker_opt`: a closed list of keys, in both spellings of spec/sdk-cci 7.4; any other key is an error, because it
/// would be an option of a privileged container that nobody looked at.
Result<DockerOptions> parseDockerOptions(YamlFields fields);

/// `params.v`: each entry checked by parseVolume, unchanged.
Result<std::vector<std::string>> parseVolumes(YamlFields& params);

/// `params.e`: NAME=value, each below kEnvironmentItemBytes. Errors give the index, never the value.
Result<std::vector<std::string>> parseEnvironment(YamlFields& params);

}  // namespace vcc
