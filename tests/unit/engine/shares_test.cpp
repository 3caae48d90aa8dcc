// SPDX-License-Identifier: Apache-2.0
// What is left to be done for each machine of a batch once all of them have been made.
#include <deque>

#include "support/engine_rig.h"
#include "support/held_executor.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Makes all machines of a batch at once, and then gives each its name in a request of its own.
class NamingCloud final : public FakeDriver {
 public:
  std::vector<std::size_t> makes;    ///< items of the calls that made machines ...
  std::vector<std::size_t> namings;  ///< ... and of those that named them
  std::map<std::string, int> named;  ///< by machine: how often
  int lost_answers = 0;              ///< of so many calls that name

  NamingCloud() {
    facts.max_batch = 100;
    facts.concurrency = 16;
  }

  std::vector<ItemResult> create(const CallContext& context, const std::string& spec,
                                 const std::vector<MachineRef>& items) override {
    if (items.front().cloud_id.empty()) {
      makes.push_back(items.size());
      std::vector<ItemResult> results = FakeDriver::create(context, spec, items);
      for (ItemResult& result : results) result.state = ItemState::kPending;
      return results;
    }
    namings.push_back(items.size());
    const bool lost = lost_answers > 0;
    if (lost) --lost_answers;
    std::vector<ItemResult> results(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      named[items[i].name] += 1;
      results[i].state = lost ? ItemState::kFailed : ItemState::kDone;
      if (lost) results[i].error = Status(Code::kUnavailable, "connection cut", Outcome::kUnknown);
    }
    return results;
  }
};

struct NamingRig : EngineRig {
  std::shared_ptr<NamingCloud> names = std::make_shared<NamingCloud>();
  std::deque<Job> held;
  std::string vcid;

  NamingRig() {
    makes_executor = [this](const std::string& name, std::size_t) -> std::unique_ptr<Executor> {
      if (name.rfind("drv-", 0) == 0) return std::make_unique<HeldExecutor>(held);
      return std::make_unique<InlineExecutor>();
    };
    registry.replace(names);
    vcid = newVc();
  }
  /// 50 machines are made, and all calls that name them are under way.
  void make() {
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", 50)).ok());
    REQUIRE(runUntil([&] { return !held.empty(); }));
    letGo();
    REQUIRE(names->makes == std::vector<std::size_t>{50});
    runUntil([] { return false; }, 1000);
  }
  void letGo() {
    const Job job = std::move(held.front());
    held.pop_front();
    job();
  }
  bool ends(const std::function<bool()>& condition) {
    return runUntil([&] {
      if (!held.empty()) letGo();
      return condition();
    });
  }
};

}  // namespace

TEST_CASE("what is left to be done for each machine of a batch is done side by side") {
  NamingRig rig;
  rig.make();
  CHECK(rig.held.size() == 12);  // of four each: one account has three quarters of the places
  SUBCASE("every answer arrives") {}
  SUBCASE("some are lost: these are asked for again, and no others") { rig.names->lost_answers = 2; }
  const int lost = rig.names->lost_answers;
  REQUIRE(rig.ends([&] { return rig.count(State::kRunning) == 50; }));
  CHECK(rig.names->makes == std::vector<std::size_t>{50});
  CHECK(*std::ranges::max_element(rig.names->namings) == (lost > 0 ? 8 : 4));
  CHECK(rig.names->named.size() == 50);
  int times = 0;
  for (const auto& [name, count] : rig.names->named) times += count;
  CHECK(times == 50 + 4 * lost);
  CHECK(rig.openOps() == 0);
}

TEST_CASE("a machine of a batch that is deleted while others are being named goes, and the others come up") {
  NamingRig rig;
  rig.make();
  REQUIRE(rig.held.size() == 12);
  REQUIRE(rig.commands->deleteNode(rig.caller, rig.vcid, "web", rig.nodes().front().node_id).ok());
  REQUIRE(rig.ends([&] { return rig.nodes().size() == 49 && rig.count(State::kRunning) == 49; }));
  CHECK(rig.names->cloud.size() == 49);
  CHECK(rig.openOps() == 0);
}

TEST_CASE("the process dies while machines of a batch are being named: all get their names, none is made again") {
  NamingRig rig;
  rig.make();
  for (int i = 0; i < 5; ++i) rig.letGo();
  rig.held.clear();
  rig.crash();
  REQUIRE(rig.ends([&] { return rig.count(State::kRunning) == 50; }));
  CHECK(rig.names->makes == std::vector<std::size_t>{50});
  CHECK(rig.names->named.size() == 50);
  CHECK(rig.names->cloud.size() == 50);
}
