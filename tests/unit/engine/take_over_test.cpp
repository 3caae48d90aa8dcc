// SPDX-License-Identifier: Apache-2.0
// What a process does not conclude from times that another one wrote.
#include "engine/take_over.h"

#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("an account was used last when the process before ended, whatever clock wrote it") {
  EngineRig rig;
  const std::int64_t present = rig.clock.wallMs();
  std::int64_t written = present - 60'000;
  SUBCASE("by the same clock") {}
  SUBCASE("by a clock that was ahead, and put back while nothing ran") { written = present + 86'400'000; }
  const auto put = [&](Tx& tx) { return tx.sweepPlaces().put({.scope = "fake/default", .used_at = written}); };
  REQUIRE(rig.store->transact(put).ok());
  REQUIRE(rig.store->transact([&](Tx& tx) { return countAnew(tx, present + 5000); }).ok());
  std::int64_t used_at = 0;
  rig.store->read([&](const ReadTx& tx) {
    tx.sweepPlaces().scan([&](const SweepPlace& place) {
      used_at = place.used_at;
      return true;
    });
  });
  CHECK(used_at == present + 5000);
}
