// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What the engine asks of hosts, for machines that were made and for existing servers alike. Pure.
namespace vcc {

/// How long a look at a host, or a question about its job, may take.
inline constexpr std::int64_t kHostLookMs = 30000;

/// The registries that docker must reach by plain HTTP: the controller's two (spec/operations 6.2), then `others`.
std::vector<std::string> registriesOf(const std::string& controller, const std::vector<std::string>& others);

/// Where an administrator learns what an existing server lacks; the end of an error text.
std::string checkHint(const std::string& address);

}  // namespace vcc
