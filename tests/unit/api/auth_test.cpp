// SPDX-License-Identifier: Apache-2.0
#include "api/auth.h"

#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {
constexpr std::string_view kPeer = "192.0.2.1";
}

TEST_CASE("a token is stripped and names its user") {
  ApiRig rig;
  const auto caller = rig.doorkeeper->admit(kPeer, " \t" + rig.token + "\n", "", true);
  REQUIRE(caller.ok());
  CHECK(caller->principal.user == "nobody");
  CHECK_FALSE(caller->privileged);
}

TEST_CASE("unknown, empty and revoked tokens") {
  ApiRig rig;
  const std::string secret = "s.abcdefgh0123456789ABCDEFGH";
  const auto caller = rig.doorkeeper->admit(kPeer, secret, "", false);
  REQUIRE_FALSE(caller.ok());
  CHECK(caller.status().code() == Code::kUnauthenticated);
  CHECK(caller.status().message() == "s.abcdef:token lookup is failed: permission denied");
  CHECK(rig.doorkeeper->admit(kPeer, "", "", false).status().code() == Code::kUnauthenticated);
  REQUIRE(revokeToken(*rig.store, rig.token).ok());
  CHECK(rig.doorkeeper->admit(kPeer, rig.token, "", false).status().code() == Code::kUnauthenticated);
}

TEST_CASE("privileged mode is for super users, in any case of the word true") {
  ApiRig rig;
  for (const char* text : {"True", "true", " TRUE "}) {
    CHECK(rig.doorkeeper->admit(kPeer, rig.super, text, true)->privileged);
    CHECK(rig.doorkeeper->admit(kPeer, rig.token, text, false).status().code() == Code::kPermissionDenied);
  }
  for (const char* text : {"", "1", "false", "truer"}) {
    CHECK_FALSE(rig.doorkeeper->admit(kPeer, rig.super, text, true)->privileged);
    CHECK(rig.doorkeeper->admit(kPeer, rig.token, text, true).ok());
  }
}

TEST_CASE("a readonly token may look only") {
  ApiRig rig;
  CHECK(rig.doorkeeper->admit(kPeer, rig.reader, "", false).ok());
  CHECK(rig.doorkeeper->admit(kPeer, rig.reader, "", true).status().code() == Code::kPermissionDenied);
}
