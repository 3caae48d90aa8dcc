// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "support/engine_rig.h"
#include "support/listing_cloud.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// An engine over a cloud that lists.
struct Lists {
  EngineRig rig;
  std::shared_ptr<ListingCloud> cloud = std::make_shared<ListingCloud>();
  std::string vcid;

  explicit Lists(int nodes, MachineState boots_as = MachineState::kProvisioning) {
    rig.registry.replace(cloud);
    cloud->boots_as = boots_as;
    vcid = rig.newVc();
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "u", unitCci("u", nodes)).ok());
  }
  void boot() {
    for (auto& [name, machine] : cloud->cloud) machine.state = MachineState::kRunning;
  }
  bool runsUntil(State state, std::size_t nodes, std::int64_t limit_ms = 2'000'000) {
    return rig.runUntil([&] { return rig.count(state) == nodes; }, limit_ms);
  }
  std::int64_t version() const {
    std::int64_t found = 0;
    rig.store->read([&](const ReadTx& tx) { found = tx.vcs().find(vcid)->version; });
    return found;
  }
};

}  // namespace

TEST_CASE("one list serves all booting machines of an account, and stores nothing while nothing is new") {
  Lists t(100);
  REQUIRE(t.rig.runUntil([&] { return t.cloud->cloud.size() == 100 && t.cloud->list_calls > 2; }, 30000));
  const int lists = t.cloud->list_calls;
  const std::int64_t version = t.version();
  t.rig.runUntil([] { return false; }, 20000);
  CHECK(t.cloud->list_calls > lists + 5);
  CHECK(t.cloud->list_calls <= lists + 42);  // one in 500 ms, whatever the number of machines
  CHECK(t.version() == version);
  CHECK(t.cloud->observe_calls == 0);
  t.boot();
  REQUIRE(t.runsUntil(State::kRunning, 100));
  CHECK(t.cloud->observe_calls == 0);
}

TEST_CASE("machines are matched by id when it is known, else by name, else by op and item") {
  std::vector<Observation> listed(4);
  for (Observation& seen : listed) seen.found = true;
  listed[0].cloud_id = "i-0";
  listed[0].name = "vcp-1";
  listed[1].cloud_id = "i-1";
  listed[1].create_op = "op";
  listed[1].create_index = 7;
  listed[2].name = listed[3].name = "twice";
  const Sightings sightings(listed);
  CHECK(sightings.of(Machine{.name = "other", .cloud_id = "i-0"}) == &listed[0]);
  CHECK(sightings.of(Machine{.name = "vcp-1", .cloud_id = "i-9"}) == nullptr);
  CHECK(sightings.of(Machine{.name = "vcp-1"}) == &listed[0]);
  CHECK(sightings.of(Machine{.name = "none", .create_op = "op", .item_index = 7}) == &listed[1]);
  CHECK(sightings.of(Machine{.name = "none", .create_op = "op", .item_index = 6}) == nullptr);
  CHECK(sightings.of(Machine{.name = "twice"}) == nullptr);
}

TEST_CASE("what a list does not show is not gone: a point read decides") {
  SUBCASE("the list lags") {
    Lists t(3);
    REQUIRE(t.rig.runUntil([&] { return t.cloud->cloud.size() == 3; }, 30000));
    t.cloud->unlisted.insert(t.cloud->cloud.begin()->first);
    t.boot();
    REQUIRE(t.runsUntil(State::kRunning, 3, 60000));
    CHECK(t.cloud->observe_calls > 0);
  }
  SUBCASE("the machine has vanished") {
    Lists t(3);
    REQUIRE(t.rig.runUntil([&] { return t.cloud->cloud.size() == 3; }, 30000));
    t.cloud->cloud.erase(t.cloud->cloud.begin());
    t.boot();
    REQUIRE(t.runsUntil(State::kError, 1, 60000));
    CHECK(t.runsUntil(State::kRunning, 2, 60000));
  }
  SUBCASE("it breaks off") {
    Lists t(3);
    t.cloud->list_complete = false;
    REQUIRE(t.rig.runUntil([&] { return t.cloud->cloud.size() == 3; }, 30000));
    t.boot();
    CHECK(t.runsUntil(State::kRunning, 3, 60000));
    CHECK(t.rig.count(State::kError) == 0);
  }
}

TEST_CASE("where lists fail, point reads go on, and the list is tried ever less often") {
  Lists t(5);
  t.cloud->list_error = permissionDenied("ListMachines is not allowed");
  REQUIRE(t.rig.runUntil([&] { return t.cloud->observe_calls > 3; }, 60000));
  const int lists = t.cloud->list_calls;
  CHECK(lists >= 1);
  t.rig.runUntil([] { return false; }, 50000);
  CHECK(t.cloud->list_calls <= lists + 2);
  t.boot();
  CHECK(t.runsUntil(State::kRunning, 5, 60000));
}

TEST_CASE("bad news in a list is confirmed by a point read first") {
  Lists t(2);
  REQUIRE(t.rig.runUntil([&] { return t.cloud->cloud.size() == 2 && t.cloud->list_calls > 1; }, 30000));
  SUBCASE("it was not true") {
    t.cloud->list_shows = MachineState::kFailed;
    t.boot();
    CHECK(t.runsUntil(State::kRunning, 2, 60000));
    CHECK(t.rig.count(State::kError) == 0);
  }
  SUBCASE("it was") {
    for (auto& [name, machine] : t.cloud->cloud) machine.state = MachineState::kFailed;
    CHECK(t.runsUntil(State::kError, 2, 60000));
  }
  CHECK(t.cloud->observe_calls > 0);
}

TEST_CASE("a machine that is taken away is watched by lists, and proven gone by point reads") {
  Lists t(20, MachineState::kRunning);
  REQUIRE(t.runsUntil(State::kRunning, 20));
  t.cloud->observe_calls = 0;
  // The cloud takes its time: machines stay for a while after their destroy.
  t.cloud->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    return FakeDriver::Fate{.apply = call != "destroy"};
  };
  REQUIRE(t.rig.commands->deleteVc(t.rig.caller, t.vcid, true).ok());
  for (auto& [name, machine] : t.cloud->cloud) machine.state = MachineState::kTerminating;
  t.rig.runUntil([] { return false; }, 8000);
  CHECK(t.cloud->observe_calls == 0);
  CHECK(t.cloud->list_calls > 2);
  t.cloud->cloud.clear();
  REQUIRE(t.rig.runUntil([&] { return !t.rig.hasVc(t.vcid); }, 60000));
  CHECK(t.cloud->observe_calls >= 2);
}

TEST_CASE("lists that take long are asked for less often, but not so rarely that users wait for the next one") {
  std::int64_t took_ms = 0;
  int most = 0;
  SUBCASE("a second: a quarter of the time") {
    took_ms = 1000;
    most = 8;
  }
  SUBCASE("two seconds: one in five seconds") {
    took_ms = 2000;
    most = 7;
  }
  SUBCASE("ten seconds: half of the time") {
    took_ms = 10000;
    most = 2;
  }
  Lists t(2);
  REQUIRE(t.rig.runUntil([&] { return t.cloud->list_calls > 0; }, 30000));
  t.cloud->on_list = [&] { t.rig.clock.advance(took_ms); };
  const int lists = t.cloud->list_calls;
  t.rig.runUntil([] { return false; }, 30000);
  CHECK(t.cloud->list_calls >= lists + most - 1);
  CHECK(t.cloud->list_calls <= lists + most);
}
