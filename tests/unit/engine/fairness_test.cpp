// SPDX-License-Identifier: Apache-2.0
// One user's thousand nodes, or one provider that does not answer, delay nobody.
#include <deque>

#include "support/engine_rig.h"
#include "support/held_threads.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr auto kTwoEntries =
    "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/22\n  other:\n    "
    "private_network_ipmask: 10.0.8.0/22\n";

std::string onOther(const std::string& cci) {
  std::string text = base64Decode(cci).value();
  text.replace(text.find("private_network: default"), 24, "private_network: other");
  return base64Encode(text);
}

/// The engine with driver calls under the test's hand: `serve` lets the oldest that waits run.
struct Fair {
  std::deque<Job> jobs;
  std::unique_ptr<EngineRig> rig;
  std::string vcid;

  /// `hosts`: visits to hosts are under the test's hand, and calls of drivers are not.
  explicit Fair(std::uint32_t concurrency, bool hosts = false) {
    rig = std::make_unique<EngineRig>(kTwoEntries);
    rig->makes_executor = [this, hosts](const std::string& name, std::size_t threads) -> std::unique_ptr<Executor> {
      if ((name == "ssh") == hosts) return std::make_unique<HeldThreads>(jobs, threads);
      return std::make_unique<InlineExecutor>();
    };
    rig->driver->facts.max_batch = 1;
    rig->driver->facts.concurrency = concurrency;
    if (hosts) {
      rig->driver->facts.simulated_hosts = false;
      rig->options.ssh_threads = concurrency;
      rig->restart();
    }
    vcid = rig->newVc();
  }
  void add(const Caller& caller, const std::string& vc, const std::string& name, const std::string& cci) {
    REQUIRE(rig->commands->addUnit(caller, vc, name, cci).ok());
    turn();
  }
  void turn() {
    for (int i = 0; i < 5; ++i) {
      rig->decider->pump();
      rig->clock.advance(1);
    }
  }
  void serve(std::size_t which = 0) {
    REQUIRE(jobs.size() > which);
    const Job job = std::move(jobs[which]);
    jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(which));
    job();
    turn();
  }
  std::size_t running(const std::string& vc) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        rig->nodes(), [&](const Node& node) { return node.vcid == vc && node.state == State::kRunning; }));
  }
};

}  // namespace

TEST_CASE("a node of one user does not wait for the thousand of another, on the same account") {
  Fair t(2);
  t.add(t.rig->caller, t.vcid, "big", unitCci("big", 1000));
  Caller second = t.rig->caller;
  second.principal.user = "second";
  auto vc = t.rig->commands->createVc(second,
                                      base64Encode("- vc:\n    type: compute\n    name: s\n    description: \"s\"\n"));
  REQUIRE(vc.ok());
  t.add(second, *vc, "small", unitCci("small", 1));
  int served = 0;
  while (t.running(*vc) == 0 && served < 50) {
    t.serve();
    t.rig->clock.advance(100);
    ++served;
  }
  CHECK(served <= 8);
  CHECK(t.running(t.vcid) < 10);
}

TEST_CASE("an account whose calls do not return leaves the others their places") {
  Fair t(4);
  t.add(t.rig->caller, t.vcid, "dead", unitCci("dead", 50));
  CHECK(t.jobs.size() == 3);  // never to be served
  const std::string good = t.rig->newVc();
  t.add(t.rig->caller, good, "good", onOther(unitCci("good", 5)));
  for (int i = 0; i < 100 && t.running(good) < 5; ++i) {
    if (t.jobs.size() > 3) t.serve(3);
    t.rig->clock.advance(100);
    t.turn();
  }
  CHECK(t.running(good) == 5);
  CHECK(t.running(t.vcid) == 0);
  while (!t.jobs.empty()) t.serve();
}

TEST_CASE("what waits for its turn is not sent: a delete overtakes it, and takes the next turn itself") {
  Fair t(2);
  t.add(t.rig->caller, t.vcid, "u", unitCci("u", 100));
  CHECK(t.jobs.size() == 1);  // one account alone keeps a place free
  t.serve();
  t.serve();
  REQUIRE(t.rig->commands->deleteVc(t.rig->caller, t.vcid, true).ok());
  t.turn();
  for (int i = 0; i < 500 && t.rig->hasVc(t.vcid); ++i) {
    if (!t.jobs.empty()) t.serve();
    t.rig->clock.advance(200);
    t.turn();
  }
  CHECK_FALSE(t.rig->hasVc(t.vcid));
  CHECK(t.rig->driver->tokens.size() <= 4);  // of 100 creates
  CHECK(t.rig->driver->cloud.empty());
}

TEST_CASE("looks are not starved by creates: what is made is seen to run while more is being made") {
  Fair t(2);
  t.add(t.rig->caller, t.vcid, "u", unitCci("u", 200));
  for (int i = 0; i < 60; ++i) {
    t.serve();
    t.rig->clock.advance(50);
    t.turn();
  }
  CHECK(t.running(t.vcid) > 10);
  CHECK(t.rig->driver->tokens.size() > 20);
}

TEST_CASE("a node of one user does not wait for the slow hosts of another's thousand") {
  Fair t(4, true);
  t.add(t.rig->caller, t.vcid, "big", unitCci("big", 900));
  t.rig->clock.advance(1000);
  t.turn();
  CHECK(t.jobs.size() == 3);  // never to be served: one user alone keeps a place free
  Caller second = t.rig->caller;
  second.principal.user = "second";
  auto vc = t.rig->commands->createVc(second,
                                      base64Encode("- vc:\n    type: compute\n    name: s\n    description: \"s\"\n"));
  REQUIRE(vc.ok());
  t.add(second, *vc, "small", unitCci("small", 1));
  for (int i = 0; i < 100 && t.running(*vc) == 0; ++i) {
    if (t.jobs.size() > 3) t.serve(3);
    t.rig->clock.advance(100);
    t.turn();
  }
  CHECK(t.running(*vc) == 1);
  CHECK(t.running(t.vcid) == 0);
}

TEST_CASE("what waits for its turn at a host does not hold up its deletion") {
  Fair t(2, true);
  t.add(t.rig->caller, t.vcid, "u", unitCci("u", 20));
  t.rig->clock.advance(1000);
  t.turn();
  CHECK(t.jobs.size() == 1);
  REQUIRE(t.rig->commands->deleteVc(t.rig->caller, t.vcid, true).ok());
  for (int i = 0; i < 300 && t.rig->nodes().size() > 1; ++i) {
    t.rig->clock.advance(200);
    t.turn();
  }
  CHECK(t.rig->nodes().size() == 1);  // the one whose host is being visited
  t.serve();
  for (int i = 0; i < 300 && t.rig->hasVc(t.vcid); ++i) {
    t.rig->clock.advance(200);
    t.turn();
  }
  CHECK_FALSE(t.rig->hasVc(t.vcid));
  CHECK(t.rig->driver->cloud.empty());
}
