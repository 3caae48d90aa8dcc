// SPDX-License-Identifier: Apache-2.0
// What becomes known of machines that nothing is to happen to.
#include "support/engine_rig.h"
#include "support/listing_cloud.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr std::int64_t kPollMs = 300000;

struct Quiet {
  EngineRig rig;
  std::shared_ptr<ListingCloud> cloud = std::make_shared<ListingCloud>();
  std::string vcid;

  explicit Quiet(int nodes, bool lists) {
    cloud->facts.can_list = lists;
    rig.registry.replace(cloud);
    vcid = rig.newVc();
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "u", unitCci("u", nodes)).ok());
    REQUIRE(rig.runUntil([&] { return all(State::kRunning); }));
    cloud->list_calls = cloud->observe_calls = 0;
  }
  bool all(State state) const { return rig.count(state) == rig.nodes().size(); }
  void pass(std::int64_t ms) {
    rig.runUntil([] { return false; }, ms);
  }
  FakeDriver::CloudMachine& first() { return cloud->cloud.begin()->second; }
  std::string fault() const {
    for (const Node& node : rig.nodes()) {
      if (node.state == State::kHostError) return node.fault.text;
    }
    return {};
  }
  bool wasHostError() const {
    return std::ranges::any_of(rig.events(),
                               [](const std::string& event) { return event.find("HOST_ERROR") != std::string::npos; });
  }
  std::int64_t version() const {
    std::int64_t found = 0;
    rig.store->read([&](const ReadTx& tx) { found = tx.vcs().find(vcid)->version; });
    return found;
  }
};

}  // namespace

TEST_CASE("settled machines are asked for rarely, all of an account at once, and nothing is stored") {
  for (const bool lists : {true, false}) {
    CAPTURE(lists);
    Quiet t(150, lists);
    const std::int64_t version = t.version();
    t.pass(10 * kPollMs);
    const int calls = lists ? t.cloud->list_calls : t.cloud->observe_calls;
    CHECK(calls >= (lists ? 8 : 16));  // 100 machines in one observe
    CHECK(calls <= (lists ? 11 : 22));
    CHECK((lists ? t.cloud->observe_calls : t.cloud->list_calls) == 0);
    CHECK(t.version() == version);
  }
}

TEST_CASE("a machine that vanished becomes HOST_ERROR after a second look, and the others stay") {
  for (const bool lists : {true, false}) {
    CAPTURE(lists);
    Quiet t(3, lists);
    t.cloud->cloud.erase(t.cloud->cloud.begin());
    REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kHostError) == 1; }, 2 * kPollMs));
    CHECK(t.rig.count(State::kRunning) == 2);
    CHECK(t.fault().find("does not exist any more") != std::string::npos);
    CHECK(t.rig.openOps() == 0);  // nothing is repaired unasked
    const int looks = t.cloud->observe_calls;
    CHECK(looks >= 2);
    t.pass(3 * kPollMs);
    CHECK(t.rig.count(State::kHostError) == 1);
    if (lists) CHECK(t.cloud->observe_calls == looks);  // it is known; lists go on
    REQUIRE(t.rig.commands->deleteVc(t.rig.caller, t.vcid, true).ok());
    CHECK(t.rig.runUntil([&] { return !t.rig.hasVc(t.vcid); }));
  }
}

TEST_CASE("one look that does not find it is none: the machine was there at the second") {
  Quiet t(1, false);
  t.cloud->blind_looks = 2;  // of the round, and the point read that it leads to
  t.pass(2 * kPollMs);
  CHECK(t.cloud->blind_looks == 0);
  CHECK(t.rig.count(State::kRunning) == 1);
  CHECK(t.rig.machines().front().absent_since == 0);
  CHECK_FALSE(t.wasHostError());
}

TEST_CASE("a machine that somebody stopped is HOST_ERROR with the reason, and RUNNING again when it is back") {
  Quiet t(2, true);
  t.first().state = MachineState::kStopped;
  REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kHostError) == 1; }, 2 * kPollMs));
  CHECK(t.fault().find("was switched off") != std::string::npos);
  t.first().state = MachineState::kRunning;
  REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kRunning) == 2; }, 2 * kPollMs));
  CHECK(t.fault().empty());
  for (const Node& node : t.rig.nodes()) CHECK(node.fault.text.empty());
}

TEST_CASE("a final state needs no second witness") {
  Quiet t(1, true);
  t.first().state = MachineState::kFailed;
  REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kHostError) == 1; }, 2 * kPollMs));
  CHECK(t.cloud->observe_calls == 1);
  CHECK(t.fault().find("has failed") != std::string::npos);
}

TEST_CASE("a list that breaks off, or lags, makes no HOST_ERROR") {
  Quiet t(3, true);
  SUBCASE("breaks off") { t.cloud->list_complete = false; }
  SUBCASE("lags") {
    for (const auto& [name, machine] : t.cloud->cloud) t.cloud->unlisted.insert(name);
  }
  SUBCASE("is stale") { t.cloud->list_shows = MachineState::kStopped; }
  SUBCASE("fails") { t.cloud->list_error = unavailable("no list today"); }
  t.pass(3 * kPollMs);
  CHECK(t.rig.count(State::kRunning) == 3);
  CHECK_FALSE(t.wasHostError());
}

TEST_CASE("refused credentials are a condition of the account, never a state of its machines") {
  for (const bool lists : {true, false}) {
    CAPTURE(lists);
    Quiet t(30, lists);
    const Status refused = unauthenticated("the key was revoked");
    t.cloud->list_error = t.cloud->observe_error = refused;
    REQUIRE(t.rig.runUntil([&] { return !t.rig.decider->conditions().empty(); }, 2 * kPollMs));
    t.pass(3 * kPollMs);
    const auto conditions = t.rig.decider->conditions();
    REQUIRE(conditions.size() == 1);  // one line, not thirty
    CHECK(conditions.front().text == "the key was revoked");
    CHECK(conditions.front().vcids.contains(t.vcid));
    CHECK(t.rig.log.count("ACCOUNT_REFUSED") == 1);
    CHECK(t.rig.count(State::kRunning) == 30);
    for (const Node& node : t.rig.nodes()) CHECK(node.fault.text.empty());
    t.cloud->list_error = t.cloud->observe_error = okStatus();
    REQUIRE(t.rig.runUntil([&] { return t.rig.decider->conditions().empty(); }, 2 * kPollMs));
    CHECK(t.rig.log.count("CONDITION_ENDED") == 1);
  }
}

TEST_CASE("a driver that is not loaded is a condition of all machines that it serves") {
  Quiet t(5, true);
  t.rig.registry.unload();
  REQUIRE(t.rig.runUntil([&] { return !t.rig.decider->conditions().empty(); }, 2 * kPollMs));
  t.pass(2 * kPollMs);
  REQUIRE(t.rig.decider->conditions().size() == 1);
  CHECK(t.rig.decider->conditions().front().about == "driver fake");
  CHECK(t.rig.count(State::kRunning) == 5);
  CHECK(t.rig.log.count("NODE_WAITS_FOR_DRIVER") == 1);
  t.rig.registry.replace(t.cloud);
  CHECK(t.rig.runUntil([&] { return t.rig.decider->conditions().empty(); }, 2 * kPollMs));
}

TEST_CASE("a condition goes with the last machine that it was about") {
  Quiet t(2, true);
  t.cloud->list_error = t.cloud->observe_error = permissionDenied("no");
  REQUIRE(t.rig.runUntil([&] { return !t.rig.decider->conditions().empty(); }, 2 * kPollMs));
  REQUIRE(t.rig.commands->purgeVc(t.vcid, PurgeMode::kKeepCloud, "test").ok());
  CHECK(t.rig.runUntil([&] { return t.rig.decider->conditions().empty(); }, 2 * kPollMs));
}
