// SPDX-License-Identifier: Apache-2.0
// Many hosts that stop answering, at once and one after the other.
#include "watch_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("a cut on the controller's side holds everything, says so, and ends by itself") {
  WatchRig rig(6);
  rig.allAnswer();
  for (int i = 1; i <= 5; ++i) rig.lose(i);
  rig.pass(1'000'000);
  CHECK(rig.count(State::kRunning) == 6);
  CHECK(rig.log.count("WATCH_HELD") == 1);
  const auto conditions = rig.decider->conditions();
  REQUIRE(conditions.size() == 1);
  CHECK(contains(conditions.front().text, "5 of 6 hosts stopped answering at once"));
  CHECK(contains(conditions.front().text, "check the network, VPN and firewall"));
  CHECK(rig.looks() < 5 * 10);  // their looks would only time out
  SUBCASE("all are back") {
    for (int i = 1; i <= 5; ++i) rig.giveBack(i);
    rig.pass(600000);
    CHECK(rig.decider->conditions().empty());
    CHECK_FALSE(rig.ever("HOST_ERROR"));
  }
  SUBCASE("they come back one by one, and those that wait are given time") {
    for (int i = 1; i <= 5; ++i) {
      rig.host.unreachable.erase(rig.address(i));
      rig.say('s', true, i);  // its container needs longer
      rig.pass(i < 5 ? 8000 : 1000);
    }
    for (int i = 1; i <= 5; ++i) rig.say('r', true, i);
    rig.pass(600000);
    CHECK(rig.decider->conditions().empty());
    CHECK_FALSE(rig.ever("HOST_ERROR"));
  }
  SUBCASE("two stay away, and are judged now") {
    for (int i = 1; i <= 3; ++i) rig.giveBack(i);
    REQUIRE(rig.runUntil([&] { return rig.count(State::kHostError) == 2; }, 120000));
    CHECK(rig.count(State::kRunning) == 4);
    rig.pass(10000);
    CHECK(rig.decider->conditions().empty());
  }
  CHECK(rig.log.count("WATCH_RESUMED") == 1);
}

TEST_CASE("hosts that fail one after the other are not held back") {
  WatchRig rig(6);
  rig.allAnswer();
  for (int i = 1; i <= 6; ++i) {
    rig.lose(i);
    REQUIRE(rig.becomes(State::kHostError, 120000, i));
  }
  CHECK(rig.log.count("WATCH_HELD") == 0);
}
