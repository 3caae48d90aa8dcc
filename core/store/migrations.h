// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace vcc {

/// The statements that lead from one schema version to the next.
using MigrationStep = std::span<const std::string_view>;

/// Step i leads from version i to i + 1; version 0 is an empty database. Steps are never changed once released, only
/// added: databases out there went through them.
std::span<const MigrationStep> migrationSteps();

}  // namespace vcc
