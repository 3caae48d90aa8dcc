// SPDX-License-Identifier: Apache-2.0
#include "model/sweep.h"

#include <doctest/doctest.h>

#include <string>

using namespace vcc;

namespace {

const std::string kVcc = "0123456789abcdef0123456789abcdef";
const std::string kName = "vcp-01234567-00112233445566778899";
constexpr std::int64_t kHour = 3600000;

Stray found() {
  Stray stray;
  stray.name = kName;
  stray.cloud_id = "i-1";
  stray.first_seen_at = 1000;
  stray.sweeps = 2;
  return stray;
}

Stray wanted(std::int64_t at) {
  Stray stray = found();
  stray.want_by = "sweep";
  stray.want_at = at;
  return stray;
}

Profile lagging() {
  Profile profile;
  profile.lookup_lag_ms = 1000;
  profile.settle_ms = 5000;
  return profile;
}

}  // namespace

TEST_CASE("a minted name is ours, letter by letter") {
  CHECK(isMintedName(kName, kVcc));
  for (const char* other :
       {"", "vcp-01234567-", "vcp-01234568-00112233445566778899", "vcp-01234567-0011223344556677889",
        "vcp-01234567-001122334455667788990", "vcp-01234567-0011223344556677889G", "vcp-01234567-0011223344556677889A",
        "xvcp-01234567-00112233445566778899", "web-1"}) {
    CAPTURE(other);
    CHECK_FALSE(isMintedName(other, kVcc));
  }
}

TEST_CASE("the sweep deletes unasked only what is ripe in every respect") {
  const SweepRules rules{true, kHour};
  const std::int64_t late = 1000 + kHour;
  CHECK(isRipe(found(), rules, kVcc, late));
  CHECK_FALSE(isRipe(found(), {false, kHour}, kVcc, late));
  CHECK_FALSE(isRipe(found(), rules, kVcc, late - 1));
  CHECK_FALSE(isRipe(found(), rules, "1" + kVcc.substr(1), late));
  Stray stray = found();
  stray.sweeps = 1;
  CHECK_FALSE(isRipe(stray, rules, kVcc, late));
  stray = found();
  stray.left = "node 1 of unit web";
  CHECK_FALSE(isRipe(stray, rules, kVcc, late));
  stray = found();
  stray.fault.text = "its name does not lead to it";
  CHECK_FALSE(isRipe(stray, rules, kVcc, late));
  stray = found();
  stray.name = "db-server";
  CHECK_FALSE(isRipe(stray, rules, kVcc, late));
}

TEST_CASE("the deletion of a stray: verified, sent, watched, proven") {
  const Profile profile = lagging();
  CHECK(planStray(found(), profile, 5000).step == StrayStep::kNone);

  Stray stray = wanted(2000);
  CHECK(planStray(stray, profile, 2000).step == StrayStep::kLookByName);
  stray.verified_at = stray.looked_at = 2100;
  CHECK(planStray(stray, profile, 2200).step == StrayStep::kDestroy);
  stray.next_at = 4000;  // it was refused, or goes on later
  CHECK(planStray(stray, profile, 3999).step == StrayStep::kWait);
  CHECK(planStray(stray, profile, 3999).at == 4000);
  CHECK(planStray(stray, profile, 4000).step == StrayStep::kDestroy);

  stray.next_at = 0;
  stray.accepted_at = 4100;
  CHECK(planStray(stray, profile, 4100).step == StrayStep::kWait);
  CHECK(planStray(stray, profile, 4600).step == StrayStep::kLook);
  stray.looked_at = 4600;
  stray.absent_since = 4600;
  CHECK(planStray(stray, profile, 5500).step == StrayStep::kWait);
  CHECK(planStray(stray, profile, 5600).step == StrayStep::kLook);
  stray.looked_at = 5599;
  CHECK(planStray(stray, profile, 5799).step == StrayStep::kLook);  // the second look came too early
  stray.looked_at = 5600;
  CHECK(planStray(stray, profile, 5600).step == StrayStep::kForget);
}

TEST_CASE("what a list said before a deletion was wanted proves nothing") {
  Stray stray = wanted(2000);
  stray.observed = MachineState::kGone;
  stray.looked_at = 1900;
  CHECK(planStray(stray, lagging(), 2000).step == StrayStep::kLookByName);
  stray.looked_at = 2000;
  CHECK(planStray(stray, lagging(), 2000).step == StrayStep::kForget);
}

TEST_CASE("a deletion that does not end is asked for again, patiently") {
  Stray stray = wanted(2000);
  stray.verified_at = 2100;
  stray.accepted_at = 3000;
  stray.looked_at = 62999;
  CHECK(planStray(stray, lagging(), 63000).step == StrayStep::kWait);
  stray.looked_at = 63000;
  CHECK(planStray(stray, lagging(), 63000).step == StrayStep::kDestroy);
}
