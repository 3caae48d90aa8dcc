// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/scrubber.h"
#include "base/secret_string.h"

/// What must not get out of a call by way of texts.
namespace vcc {

/// Every value of a call's credentials (a JSON object); the whole text when it is not JSON.
Scrubber scrubberOf(const SecretString& credentials);
/// The values that `secret_keys` have in cloud_params (a JSON object).
Scrubber scrubberOf(const std::string& cloud_params, const std::vector<std::string>& secret_keys);

}  // namespace vcc
