// SPDX-License-Identifier: Apache-2.0
#include "api/auth.h"

#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("a token is stripped and names its user") {
  const ApiRig rig;
  const auto caller = admitCaller(*rig.store, " \t" + rig.token + "\n", "", true);
  REQUIRE(caller.ok());
  CHECK(caller->principal.user == "nobody");
  CHECK_FALSE(caller->privileged);
}

TEST_CASE("unknown, empty and revoked tokens") {
  ApiRig rig;
  const std::string secret = "s.abcdefgh0123456789ABCDEFGH";
  const auto caller = admitCaller(*rig.store, secret, "", false);
  REQUIRE_FALSE(caller.ok());
  CHECK(caller.status().code() == Code::kUnauthenticated);
  CHECK(caller.status().message() == "s.abcdef:token lookup is failed: permission denied");
  CHECK(admitCaller(*rig.store, "", "", false).status().code() == Code::kUnauthenticated);
  REQUIRE(revokeToken(*rig.store, rig.token).ok());
  CHECK(admitCaller(*rig.store, rig.token, "", false).status().code() == Code::kUnauthenticated);
}

TEST_CASE("privileged mode is for super users, in any case of the word true") {
  const ApiRig rig;
  for (const char* text : {"True", "true", " TRUE "}) {
    CHECK(admitCaller(*rig.store, rig.super, text, true)->privileged);
    CHECK(admitCaller(*rig.store, rig.token, text, false).status().code() == Code::kPermissionDenied);
  }
  for (const char* text : {"", "1", "false", "truer"}) {
    CHECK_FALSE(admitCaller(*rig.store, rig.super, text, true)->privileged);
    CHECK(admitCaller(*rig.store, rig.token, text, true).ok());
  }
}

TEST_CASE("a readonly token may look only") {
  const ApiRig rig;
  CHECK(admitCaller(*rig.store, rig.reader, "", false).ok());
  CHECK(admitCaller(*rig.store, rig.reader, "", true).status().code() == Code::kPermissionDenied);
}
