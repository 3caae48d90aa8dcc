// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report.h"

namespace vcp::check {

/// The form of the file: what a host can see before it makes a call to a cloud. `options`: JSON object for open_driver.
void runAbiChecks(const std::string& path, const std::string& options, Report* report);

/// What the plugin says of itself, and its schema. No call but open_driver, describe and close.
void describePlugin(const std::string& path, const std::string& options, Report* report);

/// `config` of open_driver.
std::string driverConfig(const std::string& data_dir, const std::string& options);

}  // namespace vcp::check
