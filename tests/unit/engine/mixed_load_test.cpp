// SPDX-License-Identifier: Apache-2.0
// The real engine with its thread, pools of threads and a store with a writer of its own, while several callers command
// it and a cloud of many moods answers. For the thread sanitizer; and nothing may be left over at the end.
#include <atomic>
#include <chrono>
#include <memory>

#include "base/encoding.h"
#include "base/mutex.h"
#include "engine/engine.h"
#include "store/open_store.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// FakeDriver for many threads, with moods: some calls fail, some answers are lost, some come late.
class MoodyCloud final : public FakeDriver {
 public:
  MoodyCloud() {
    facts.can_list = true;
    facts.max_batch = 4;
    facts.max_observe = 3;
    facts.concurrency = 6;
    facts.settle_ms = 20;
    facts.lookup_lag_ms = 20;
    script = [this](const std::string& call, const CallContext&, const MachineRef&) {
      Fate fate;
      switch (++calls_made_ % 13) {
        case 3:
          fate.error = unavailable("connection cut");  // it was done, and nobody heard
          break;
        case 7:
          fate.apply = false;
          fate.error = Status(Code::kAborted, "busy", Outcome::kNotApplied);
          break;
        case 11:
          if (call == "create") fate.pending_ms = 1;
          break;
        default:
          break;
      }
      return fate;
    };
  }
  std::vector<ItemResult> create(const CallContext& call, const std::string& spec,
                                 const std::vector<MachineRef>& items) override {
    const MutexLock lock(mutex_);
    called_.notifyAll();
    return FakeDriver::create(call, spec, items);
  }
  std::vector<ItemResult> destroy(const CallContext& call, const std::vector<MachineRef>& items) override {
    const MutexLock lock(mutex_);
    called_.notifyAll();
    return FakeDriver::destroy(call, items);
  }
  std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) override {
    const MutexLock lock(mutex_);
    called_.notifyAll();
    return FakeDriver::observe(call, refs);
  }
  Status list(const CallContext& call, const std::function<void(const Observation&)>& visit, bool* complete) override {
    const MutexLock lock(mutex_);
    called_.notifyAll();
    return FakeDriver::list(call, visit, complete);
  }
  /// Blocks until somebody calls, for 50 ms at most.
  void waitForCall() {
    MutexLock lock(mutex_);
    called_.waitFor(lock, std::chrono::milliseconds(50), [] { return false; });
  }
  std::size_t size() {
    const MutexLock lock(mutex_);
    return cloud.size();
  }

 private:
  Mutex mutex_;
  CondVar called_;
  std::int64_t calls_made_ = 0;
};

class NoLog final : public Logger {
 public:
  void write(Severity, std::string_view, std::string_view, std::initializer_list<LogField>) override { ++lines; }
  std::atomic<int> lines{0};
};

}  // namespace

TEST_CASE("callers, engine, drivers and store at once: everything settles, and nothing is left") {
  const SystemClock clock;
  SystemRandom random;
  NoLog log;
  ThreadPool writer("store", 1);
  const auto store = makeMemoryStore(clock, writer, log);
  const Sealer sealer(SecretString(std::string(32, 'k')), random);
  const auto cloud = std::make_shared<MoodyCloud>();
  const FakeRegistry registry(cloud);
  FakeHost host;
  auto parsed = Catalog::parse("cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/16\n");
  REQUIRE(parsed.ok());
  const auto catalog = std::make_shared<const Catalog>(std::move(*parsed));
  EngineOptions options;
  options.vcc_id = std::string(32, 'a');
  options.quiet_poll_ms = 50;
  Engine engine({.store = *store,
                 .drivers = registry,
                 .host = host,
                 .simulated_host = host,
                 .clock = clock,
                 .random = random,
                 .log = log,
                 .sealer = sealer,
                 .catalog = [&] { return catalog; },
                 .source_address = [](const std::string&) { return std::string("10.0.0.1"); },
                 .make_executor = makeThreadPool},
                options);
  REQUIRE(engine.start().ok());
  Commands commands({.store = *store,
                     .drivers = registry,
                     .catalog = [&] { return catalog; },
                     .random = random,
                     .log = log,
                     .sealer = sealer,
                     .limits = {},
                     .evaluation = true,
                     .own_addresses = {},
                     .wake = [&](const std::vector<std::string>& ids) { engine.wake(ids); }});

  constexpr int kCallers = 3;
  std::atomic<int> refused{0};
  std::atomic<int> ended{0};
  {
    std::vector<Thread> callers;
    for (int c = 0; c < kCallers; ++c) {
      callers.emplace_back("caller", [&, c] {
        const Caller caller{.principal = {.user = "user" + std::to_string(c), .token_head = "t"}};
        const auto check = [&](const Status& status) { refused += status.ok() ? 0 : 1; };
        const auto vcid =
            commands.createVc(caller, base64Encode("- vc:\n    type: compute\n    name: g\n    description: \"g\"\n"));
        for (int round = 0; vcid.ok() && round < 4; ++round) {
          const std::string unit = "u" + std::to_string(round);
          check(commands.addUnit(caller, *vcid, unit, unitCci(unit, 6)));
          check(commands.addNodes(caller, *vcid, unit, {.count = 3, .addresses = {}}));
          static_cast<void>(engine.status());
          static_cast<void>(engine.conditions());
          if (round % 2 == 1) check(commands.deleteUnit(caller, *vcid, unit, true));
        }
        if (vcid.ok()) check(commands.deleteVc(caller, *vcid, true));
        ++ended;
      });
    }
  }  // joined
  CHECK(ended == kCallers);
  CHECK(refused == 0);
  // Everything was deleted: records and cloud empty themselves. The limit only ends a test that hangs.
  const std::int64_t limit = clock.monoMs() + 120000;
  std::size_t left = 1;
  while (left > 0 && clock.monoMs() < limit) {
    store->read([&](const ReadTx& tx) { left = tx.vcs().size() + tx.machines().size() + tx.ops().size(); });
    cloud->waitForCall();
  }
  CHECK(left == 0);
  CHECK(cloud->size() == 0);
  engine.stop();
}
