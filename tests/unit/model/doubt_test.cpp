// SPDX-License-Identifier: Apache-2.0
#include "model/doubt.h"

#include <doctest/doctest.h>

using namespace vcc;

namespace {

constexpr std::int64_t kNow = 1'000'000;

}  // namespace

TEST_CASE("ids are counted once, whatever names them") {
  Machine m;
  CHECK(knownIds(m) == 0);
  CHECK(leavesNothing(m));
  m.cloud_id = "i-1";
  m.resources = {{"server", "a", "i-1"}, {"disk", "a-disk", "d-1"}};
  CHECK(knownIds(m) == 2);
  CHECK_FALSE(leavesNothing(m));
  Machine with_state;
  with_state.driver_state = "1 x";
  CHECK_FALSE(leavesNothing(with_state));
}

TEST_CASE("an answer ends the doubt that its own send began, and no other") {
  Machine m;
  m.cloud_id = "i-1";
  CHECK_FALSE(beginDoubt(m, kNow));
  CHECK(m.doubt_at == kNow);
  CHECK(m.doubt_parts == 1);
  SUBCASE("done") { answerDoubt(m, ItemState::kDone, Outcome::kUnknown, false, kNow + 1); }
  SUBCASE("pending") { answerDoubt(m, ItemState::kPending, Outcome::kUnknown, true, kNow + 1); }
  SUBCASE("refused") { answerDoubt(m, ItemState::kFailed, Outcome::kNotApplied, false, kNow + 1); }
  CHECK(m.doubt_at == 0);
}

TEST_CASE("what keeps or renews a doubt") {
  Machine m;
  beginDoubt(m, kNow);
  m.resources = {{"disk", "a", "d"}};
  CHECK(beginDoubt(m, kNow + 5));  // the first send counts
  CHECK(m.doubt_at == kNow);
  CHECK(m.doubt_parts == 0);
  answerDoubt(m, ItemState::kFailed, Outcome::kNotApplied, true, kNow + 6);
  CHECK(m.doubt_at == kNow);
  answerDoubt(m, ItemState::kFailed, Outcome::kUnknown, true, kNow + 7);
  CHECK(m.doubt_at == kNow + 7);
  answerDoubt(m, ItemState::kFailed, Outcome::kApplied, false, kNow + 8);
  CHECK(m.doubt_at == kNow + 8);
  m.absent_since = kNow;
  renewDoubt(m, kNow + 9);
  CHECK(m.doubt_at == kNow + 9);
  CHECK(m.absent_since == 0);
  Machine answered;
  answered.absent_since = kNow;
  renewDoubt(answered, kNow + 9);
  CHECK(answered.doubt_at == 0);
  CHECK(answered.absent_since == kNow);
}

TEST_CASE("a look ends the doubt when it shows something new, or began late enough") {
  const Profile profile{.lookup_lag_ms = 5000, .settle_ms = 60000};
  Machine m;
  m.cloud_id = "server";
  beginDoubt(m, kNow);
  CHECK(certainAt(m, profile) == kNow + 65000);
  lookAtDoubt(m, kNow + 64999, profile);
  CHECK(inDoubt(m));
  SUBCASE("late enough") {
    lookAtDoubt(m, kNow + 65000, profile);
    CHECK_FALSE(inDoubt(m));
  }
  SUBCASE("something new") {
    m.resources = {{"server", "a", "server"}};  // the same thing by another name
    lookAtDoubt(m, kNow + 100, profile);
    CHECK(inDoubt(m));
    m.resources.push_back({"disk", "a", "disk"});
    lookAtDoubt(m, kNow + 200, profile);
    CHECK_FALSE(inDoubt(m));
  }
}
