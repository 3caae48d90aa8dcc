// SPDX-License-Identifier: Apache-2.0
// Batches that are too many for their cloud, tokens that the cloud has forgotten, accounts that are throttled.
#include "support/engine_rig.h"
#include "support/part_clouds.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// A cloud with room for so many machines; a request for more is refused as a whole.
struct Narrow {
  EngineRig rig;
  std::size_t room = 3;
  std::string provider_code = "InsufficientInstanceCapacity";
  Code code = Code::kResourceExhausted;
  std::vector<std::size_t> asked;  ///< sizes of the creates
  bool fits = false;               ///< the last of them
  std::string vcid = rig.newVc();

  Narrow() {
    rig.driver->script = [this](const std::string& call, const CallContext&, const MachineRef& ref) {
      if (call != "create") return FakeDriver::Fate{};
      if (ref.index == 0) {
        asked.push_back(static_cast<std::size_t>(ref.create_size));
        fits = rig.driver->cloud.size() + asked.back() <= room;
      }
      if (fits) return FakeDriver::Fate{};
      Status error(code, "there is not so much", Outcome::kNotApplied);
      error.withProviderCode(provider_code);
      return FakeDriver::Fate{.apply = false, .error = error};
    };
  }
  void boot(int nodes) { REQUIRE(rig.commands->addUnit(rig.caller, vcid, "u", unitCci("u", nodes)).ok()); }
};

}  // namespace

TEST_CASE("a batch that is refused as a whole for want of capacity is halved, down to one") {
  Narrow t;
  t.room = 3;
  t.boot(8);
  REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kRunning) == 3; }, 10000));
  CHECK(t.asked.front() == 8);
  CHECK(std::ranges::count(t.asked, 4U) == 2);
  CHECK(std::ranges::count(t.asked, 1U) >= 1);
  // Each try had a token of its own.
  auto tokens = t.rig.driver->tokens;
  std::ranges::sort(tokens);
  CHECK(std::ranges::adjacent_find(tokens) == tokens.end());
  for (const Node& node : t.rig.nodes()) {
    if (node.state != State::kRunning) CHECK(node.fault.text.find("InsufficientInstanceCapacity") != std::string::npos);
  }
  SUBCASE("when there is room again, the rest comes, and batches grow again") {
    t.room = 100;
    t.asked.clear();
    REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kRunning) == 8; }));
    REQUIRE(t.rig.commands->addNodes(t.rig.caller, t.vcid, "u", {.count = 10}).ok());
    REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kRunning) == 18; }));
    CHECK(*std::ranges::max_element(t.asked) > 1);
    CHECK(t.rig.driver->cloud.size() == 18);
  }
  SUBCASE("what is deleted meanwhile leaves nothing") {
    REQUIRE(t.rig.commands->deleteVc(t.rig.caller, t.vcid, true).ok());
    REQUIRE(t.rig.runUntil([&] { return !t.rig.hasVc(t.vcid); }));
    CHECK(t.rig.driver->cloud.empty());
    CHECK(t.rig.openOps() == 0);
  }
}

TEST_CASE("a batch over the quota is halved too, and what is left waits longer") {
  Narrow t;
  t.provider_code = "VcpuLimitExceeded";
  t.room = 2;
  t.boot(4);
  REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kRunning) == 2; }, 10000));
  const std::size_t asked = t.asked.size();
  t.rig.runUntil([] { return false; }, 45000);
  CHECK(t.asked.size() == asked);
}

TEST_CASE("a batch that was not refused as a whole, or for another reason, is not halved") {
  Narrow t;
  t.room = 0;
  SUBCASE("not now") {
    t.code = Code::kAborted;
    t.boot(4);
    t.rig.runUntil([] { return false; }, 400);
    CHECK(t.asked == std::vector<std::size_t>{4});
  }
  SUBCASE("throttled") {
    t.provider_code = "RequestLimitExceeded";
    t.boot(4);
    t.rig.runUntil([] { return false; }, 900);
    CHECK(t.asked == std::vector<std::size_t>{4});
  }
  SUBCASE("for good") {
    t.code = Code::kInvalidArgument;
    t.boot(4);
    REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kError) == 4; }, 5000));
    CHECK(t.asked == std::vector<std::size_t>{4});
  }
}

TEST_CASE("a crash between the halves loses and doubles nothing") {
  for (std::size_t at = 1; at <= 12; ++at) {
    CAPTURE(at);
    Narrow t;
    t.room = 5;
    t.boot(8);
    t.rig.faults->crashAtFlush(at, at % 2 == 0 ? CrashPoint::kAfterSync : CrashPoint::kBeforeSync);
    t.rig.runUntil([] { return false; }, 3000);
    t.rig.crash();
    t.room = 100;
    REQUIRE(t.rig.runUntil([&] { return t.rig.count(State::kRunning) == 8; }));
    CHECK(t.rig.driver->cloud.size() == 8);
  }
}

TEST_CASE("a token that the cloud has forgotten is not relied on: looked for first, asked for afresh after that") {
  EngineRig rig;
  auto cloud = std::make_shared<BatchCloud>();
  cloud->facts.token_ttl_ms = 60000;
  cloud->facts.settle_ms = 90000;
  cloud->facts.lookup_lag_ms = 30000;  // no look is blind for longer
  rig.registry.replace(cloud);
  const std::string vcid = rig.newVc();
  cloud->lost_answers = 1000;
  SUBCASE("nothing was made") { cloud->lost_is_made = false; }
  SUBCASE("it was made, and shows late") {
    cloud->lost_is_made = true;
    cloud->blind_looks = 60;
  }
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "u", unitCci("u", 3)).ok());
  // Within the life of the token the same request is repeated; after it, only when a late look has shown nothing.
  rig.runUntil([] { return false; }, 58000);
  const std::size_t before = cloud->tokens.size() + cloud->calls.size();
  CHECK(before > 1);
  cloud->lost_answers = 0;
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  CHECK(cloud->alive() == 3);
  CHECK(cloud->unlike == 0);
}

TEST_CASE("a throttled account makes no call before its pause is over, and another account does not notice") {
  EngineRig rig(
      "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n  other:\n    "
      "private_network_ipmask: 10.0.1.0/24\n");
  std::map<std::string, int> calls;  // by network, after the throttle
  bool throttles = true;
  rig.driver->facts.max_batch = 1;
  rig.driver->script = [&](const std::string& call, const CallContext& context, const MachineRef&) {
    const bool other = context.catalog_entry.find("10.0.1.0") != std::string::npos;
    if (call == "create") ++calls[other ? "other" : "default"];
    if (other || call != "create" || !throttles) return FakeDriver::Fate{};
    Status error(Code::kUnavailable, "slow down", Outcome::kNotApplied);
    error.withRetryAfter(20000);
    return FakeDriver::Fate{.apply = false, .error = error};
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "u", unitCci("u", 5)).ok());
  REQUIRE(rig.runUntil([&] { return calls["default"] > 0; }, 5000));
  const int made = calls["default"];
  std::string cci = base64Decode(unitCci("o", 5)).value();
  cci.replace(cci.find("private_network: default"), 24, "private_network: other");
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "o", base64Encode(cci)).ok());
  rig.runUntil([] { return false; }, 15000);
  CHECK(calls["default"] == made);
  CHECK(calls["other"] == 5);
  throttles = false;
  CHECK(rig.runUntil([&] { return rig.count(State::kRunning) == 10; }));
}
