// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vcc {

/// How often whatever waits on behalf of a driver's call looks whether that call was cancelled.
inline constexpr std::int64_t kCancelSliceMs = 50;

}  // namespace vcc
