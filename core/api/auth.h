// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "api/guess_gate.h"
#include "base/status.h"
#include "engine/commands.h"
#include "secrets/tokens.h"
#include "store/store.h"

namespace vcc {

/// The one way from a token to a caller, for every door that takes tokens. The references outlive it. Thread safe.
class Doorkeeper {
 public:
  Doorkeeper(const Store& store, const Clock& clock, Logger& log, GuessLimits limits = {})
      : store_(store), gate_(clock, log, limits) {}

  /// Who sends `token` (white space around it is ignored) from the address `peer`. kUnauthenticated for a token that is
  /// missing, unknown or expired; kResourceExhausted with the time to wait after too many of these (GuessGate).
  Result<Principal> authenticate(std::string_view peer, std::string_view token);

  /// Turns the two headers of a client of the REST API into a caller (spec/rest-protocol 2); `privileged` counts when
  /// it says "true" in any case. Besides, kPermissionDenied for a regular user in privileged mode and for a readonly
  /// token on a `mutating` route.
  Result<Caller> admit(std::string_view peer, std::string_view token, std::string_view privileged, bool mutating);

 private:
  const Store& store_;
  GuessGate gate_;
};

}  // namespace vcc
