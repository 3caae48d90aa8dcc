// SPDX-License-Identifier: Apache-2.0
// Fan-out: how long until a thousand nodes run, against what their cloud alone takes, and how often it is asked for
// them. Real engine, store on disk, threads and time; the cloud is made up: 100 ms per call, 20 calls a second, 30 s to
// boot. Usage: fanout_bench [NODES [BATCH]]

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/mutex.h"
#include "bench/bench_kit.h"
#include "engine/commands.h"
#include "engine/engine.h"
#include "host/simulated_host.h"
#include "store/open_store.h"
#include "support/fake_driver.h"
#include "support/temp_dir.h"

namespace {

using namespace vcc;
using namespace vcc::bench;

constexpr std::int64_t kCallMs = 100;
constexpr std::int64_t kCallsPerSecond = 20;
constexpr std::int64_t kBootMs = 30000;

/// A cloud that takes its time. Thread safe.
class SlowCloud final : public Driver {
 public:
  SlowCloud(const Clock& clock, std::uint32_t batch) : clock_(clock) {
    info_.id = "bench.cloud";
    info_.provider = "fake";
    info_.version = "1";
    info_.idempotency = Idempotency::kToken;
    info_.token_ttl_ms = 3600000;
    info_.lookup_lag_ms = 1000;
    info_.max_batch = batch;
    info_.max_observe = 1;  // as on most clouds: a look at a thousand machines, but by a list, is a thousand calls
    info_.concurrency = 16;
    info_.can_list = true;
    info_.simulated_hosts = true;
  }
  const DriverInfo& info() const override { return info_; }
  Status validate(const std::string&, const std::string&) override { return okStatus(); }
  Status probe(const CallContext&) override { return okStatus(); }

  std::vector<ItemResult> create(const CallContext&, const std::string&,
                                 const std::vector<MachineRef>& items) override {
    call();
    std::vector<ItemResult> results(items.size());
    const MutexLock lock(mutex_);
    ++creates;
    for (std::size_t i = 0; i < items.size(); ++i) {
      Made& made = machines_.try_emplace(items[i].name).first->second;
      if (made.id.empty()) made = {fmt::format("i-{}", machines_.size()), clock_.monoMs() + kBootMs};
      results[i].state = ItemState::kDone;
      results[i].cloud_id = made.id;
    }
    return results;
  }
  std::vector<ItemResult> destroy(const CallContext&, const std::vector<MachineRef>& items) override {
    call();
    return std::vector<ItemResult>(items.size(), {.state = ItemState::kDone});
  }
  std::vector<ItemResult> power(const CallContext&, bool, const std::vector<MachineRef>& items) override {
    return std::vector<ItemResult>(items.size());
  }
  std::vector<Observation> observe(const CallContext&, const std::vector<MachineRef>& refs) override {
    call();
    const MutexLock lock(mutex_);
    ++observes;
    std::vector<Observation> seen;
    for (const MachineRef& ref : refs) {
      const auto found = machines_.find(ref.name);
      seen.push_back(found == machines_.end() ? Observation{} : sightOf(*found));
    }
    return seen;
  }
  Status list(const CallContext&, const std::function<void(const Observation&)>& visit, bool* complete) override {
    call();
    std::vector<Observation> seen;
    {
      const MutexLock lock(mutex_);
      ++lists;
      for (const auto& machine : machines_) seen.push_back(sightOf(machine));
    }
    for (const Observation& one : seen) visit(one);
    *complete = true;
    return okStatus();
  }

  std::int64_t creates = 0;
  std::int64_t observes = 0;
  std::int64_t lists = 0;

 private:
  struct Made {
    std::string id;
    std::int64_t running_at = 0;
  };

  /// Waits for its turn, as the cloud allows so many calls a second, and for the answer.
  void call() {
    std::int64_t wait = 0;
    {
      const MutexLock lock(mutex_);
      const std::int64_t now = clock_.monoMs();
      next_ = std::max(next_, now);
      wait = next_ - now;
      next_ += 1000 / kCallsPerSecond;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(wait + kCallMs));
  }

  Observation sightOf(const std::pair<const std::string, Made>& machine) const {
    Observation seen;
    seen.found = true;
    seen.name = machine.first;
    seen.cloud_id = machine.second.id;
    seen.address = "10.0.0.1";
    seen.state = clock_.monoMs() >= machine.second.running_at ? MachineState::kRunning : MachineState::kProvisioning;
    return seen;
  }

  const Clock& clock_;
  DriverInfo info_;
  Mutex mutex_;
  std::map<std::string, Made> machines_ VCC_GUARDED_BY(mutex_);
  std::int64_t next_ VCC_GUARDED_BY(mutex_) = 0;
};

void run(int nodes, std::uint32_t batch) {
  const SystemClock clock;
  SystemRandom random;
  Quiet log;
  PosixFileSystem files;
  const test::TempDir folder;
  ThreadPool writer("store", 1);
  const auto store = need(openStore(folder.path(), files, clock, writer, log));
  const Sealer sealer(SecretString(std::string(32, 'k')), random);
  const auto cloud = std::make_shared<SlowCloud>(clock, batch);
  const test::FakeRegistry registry(cloud);
  const auto host = makeSimulatedHost(clock);
  const auto catalog = std::make_shared<const Catalog>(
      need(Catalog::parse("cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/16\n")));
  EngineOptions options;
  options.vcc_id = std::string(32, 'a');
  Engine engine({.store = *store,
                 .drivers = registry,
                 .host = *host,
                 .simulated_host = *host,
                 .clock = clock,
                 .random = random,
                 .log = log,
                 .sealer = sealer,
                 .catalog = [&] { return catalog; },
                 .source_address = [](const std::string&) { return std::string("10.0.0.1"); },
                 .make_executor = makeThreadPool},
                options);
  need(engine.start());
  Commands commands({.store = *store,
                     .drivers = registry,
                     .catalog = [&] { return catalog; },
                     .random = random,
                     .log = log,
                     .sealer = sealer,
                     .limits = {.nodes_per_unit = nodes, .nodes_per_user = nodes, .nodes_total = nodes},
                     .evaluation = true,
                     .own_addresses = {},
                     .wake = [&](const std::vector<std::string>& ids) { engine.wake(ids); }});
  const Caller caller{.principal = {.user = "bench", .token_head = "bench"}};
  const std::string vcid =
      need(commands.createVc(caller, base64Encode("- vc:\n    type: compute\n    name: g\n    description: \"g\"\n")));
  const std::string cci = base64Encode(fmt::format(
      "\n- unit:\n    cci_version: \"1.1\"\n    name: u\n    private_network: default\n    num_nodes: {}\n"
      "    image: localhost/vcp/base:1\n    params:\n        v: []\n        e: []\n    cloud_provider: fake\n"
      "    cloud_params:\n        cci_version: \"1.0\"\n",
      nodes));

  const double cpu_before = cpuSeconds();
  const std::int64_t begun = clock.monoMs();
  need(commands.addUnit(caller, vcid, "u", cci));
  std::int64_t version = 0;
  for (std::size_t running = 0; running < static_cast<std::size_t>(nodes);) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    running = 0;
    store->read([&](const ReadTx& tx) {
      version = tx.vcs().find(vcid)->version;
      tx.nodes().scan([&](const Node& node) {
        running += node.state == State::kRunning ? 1U : 0U;
        return true;
      });
    });
    if (clock.monoMs() - begun > 900000) {
      fmt::print(stderr, "only {} nodes run after 900 s\n", running);
      std::exit(1);
    }
  }
  const double took = static_cast<double>(clock.monoMs() - begun) / 1000;
  const double cpu = cpuSeconds() - cpu_before;
  engine.stop();

  // The last create begins when all others have, is answered, its machine boots, and one look sees it.
  const std::int64_t calls = (nodes + static_cast<std::int64_t>(batch) - 1) / static_cast<std::int64_t>(batch);
  const double critical =
      static_cast<double>((calls - 1) * 1000 / kCallsPerSecond + kCallMs + kBootMs + kCallMs) / 1000;
  const double looks = static_cast<double>(cloud->lists + cloud->observes) / nodes;
  fmt::print("{} nodes, batches of {}: all RUNNING after {:.2f} s; critical path {:.2f} s: {:.3f} times (aim 1.15)\n",
             nodes, batch, took, critical, took / critical);
  fmt::print("  {} creates, {} lists, {} point reads: {:.3f} looks a node (aim 0.1)\n", cloud->creates, cloud->lists,
             cloud->observes, looks);
  fmt::print("  {} transactions touched the group; CPU {:.2f} s, {:.2f} ms a node (with the poll of this program)\n",
             version, cpu, cpu * 1000 / nodes);
}

}  // namespace

int main(int argc, char** argv) {
  const int nodes = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int batch = argc > 2 ? std::atoi(argv[2]) : 10;
  run(std::max(nodes, 1), static_cast<std::uint32_t>(std::max(batch, 1)));
}
