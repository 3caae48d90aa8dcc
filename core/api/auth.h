// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/commands.h"
#include "store/store.h"

namespace vcc {

/// Turns the two headers of the client into a caller (spec/rest-protocol 2). `token` may have white space around it;
/// `privileged` counts when it says "true" in any case. kUnauthenticated for a token that is unknown or expired;
/// kPermissionDenied for a regular user in privileged mode and for a readonly token on a `mutating` route.
Result<Caller> admitCaller(const Store& store, std::string_view token, std::string_view privileged, bool mutating);

}  // namespace vcc
