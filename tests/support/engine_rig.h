// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/commands.h"
#include "engine/decider.h"
#include "model/aggregate.h"
#include "store/fault_journal.h"
#include "store/memory_journal.h"
#include "store/mirror_store.h"
#include "support/fake_clock.h"
#include "support/fake_driver.h"
#include "support/fake_host.h"

namespace vcc::test {

inline std::string unitCci(const std::string& name, int nodes, const std::string& more = "") {
  return base64Encode(
      fmt::format("\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n"
                  "    num_nodes: {}\n    image: localhost/vcp/base:1\n    params:\n        v: []\n"
                  "        e: ['A=b c']\n    cloud_provider: fake\n    cloud_params:\n"
                  "        cci_version: \"1.0\"\n{}",
                  name, nodes, more));
}

/// Keeps what was logged, as "ID text", and no more.
class LoggedIds final : public Logger {
 public:
  std::vector<std::string> lines;
  std::size_t count(const std::string& id) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.starts_with(id + " "); }));
  }
  void write(Severity, std::string_view id, std::string_view text, std::initializer_list<LogField>) override {
    lines.push_back(fmt::format("{} {}", id, text));
  }
};

/// The engine on one thread: real commands, real decider, real mirror store on a memory disk; cloud, hosts and clock
/// are fakes. `crash()` drops everything but disk and cloud and starts again.
class EngineRig {
 public:
  FakeClock clock;
  SeededRandom random{7};
  LoggedIds log;
  InlineExecutor inline_executor;
  SeededRandom seal_random{8};
  Sealer sealer{SecretString(std::string(32, 'd')), seal_random};
  std::shared_ptr<FakeDriver> driver = std::make_shared<FakeDriver>();
  FakeRegistry registry{driver};
  FakeHost host;
  FakeHost simulated_host;
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  std::shared_ptr<FaultPlan> faults = std::make_shared<FaultPlan>();
  std::shared_ptr<const Catalog> catalog;
  std::function<std::unique_ptr<Executor>(const std::string&, std::size_t)> makes_executor;  ///< empty: inline
  EngineOptions options;
  std::unique_ptr<MirrorStore> store;
  std::unique_ptr<Decider> decider;
  std::unique_ptr<Commands> commands;
  Caller caller{.principal = {.user = "nobody", .token_head = "s.test"}};

  explicit EngineRig(const std::string& catalog_yaml =
                         "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: "
                         "10.0.0.0/24\n") {
    auto parsed = Catalog::parse(catalog_yaml);
    REQUIRE_MESSAGE(parsed.ok(), parsed.status().toString());
    catalog = std::make_shared<const Catalog>(std::move(*parsed));
    start();
  }

  void start() {
    auto opened = MirrorStore::open(std::make_unique<FaultJournal>(std::make_unique<MemoryJournal>(disk), faults),
                                    clock, inline_executor, log);
    REQUIRE(opened.ok());
    store = std::move(*opened);
    options.vcc_id = "0123456789abcdef0123456789abcdef";
    decider = std::make_unique<Decider>(
        Engine::Seams{
            .store = *store,
            .drivers = registry,
            .host = host,
            .simulated_host = simulated_host,
            .clock = clock,
            .random = random,
            .log = log,
            .sealer = sealer,
            .catalog = [this] { return catalog; },
            .source_address = [](const std::string&) { return std::string("192.168.0.1"); },
            .make_executor = [this](const std::string& name, std::size_t threads) -> std::unique_ptr<Executor> {
              if (makes_executor) return makes_executor(name, threads);
              return std::make_unique<InlineExecutor>();
            }},
        options);
    REQUIRE(decider->takeOver().ok());
    commands = std::make_unique<Commands>(
        CommandSeams{.store = *store,
                     .drivers = registry,
                     .catalog = [this] { return catalog; },
                     .random = random,
                     .log = log,
                     .sealer = sealer,
                     .limits = {},
                     .evaluation = true,
                     .own_addresses = {},
                     .wake = [this](const std::vector<std::string>& ids) { decider->wake(ids); }});
  }

  /// The process dies: what was not durable is lost.
  void crash() {
    faults->crash();
    faults->crashAtFlush(0, CrashPoint::kBeforeSync);  // a countdown that is still running dies with the process
    commands.reset();
    decider.reset();
    store.reset();
    start();
  }

  /// Lets the engine work, with time passing, until `done` or for `limit_ms` of simulated time. True when done.
  bool runUntil(const std::function<bool()>& done, std::int64_t limit_ms = 2'000'000) {
    const std::int64_t end = clock.monoMs() + limit_ms;
    while (clock.monoMs() < end) {
      const std::int64_t pause = decider->pump();
      if (done()) return true;
      clock.advance(std::clamp<std::int64_t>(pause, 1, 1000));
    }
    return done();
  }

  std::string newVc() {
    auto vcid =
        commands->createVc(caller, base64Encode("- vc:\n    type: compute\n    name: g\n    description: \"g\"\n"));
    REQUIRE_MESSAGE(vcid.ok(), vcid.status().toString());
    return *vcid;
  }

  std::vector<Node> nodes() const {
    std::vector<Node> all;
    store->read([&](const ReadTx& tx) {
      tx.nodes().scan([&](const Node& node) {
        all.push_back(node);
        return true;
      });
    });
    return all;
  }
  std::size_t count(State state) const {
    std::size_t found = 0;
    for (const Node& node : nodes()) found += node.state == state ? 1U : 0U;
    return found;
  }
  std::vector<Machine> machines() const {
    std::vector<Machine> all;
    store->read([&](const ReadTx& tx) {
      tx.machines().scan([&](const Machine& machine) {
        all.push_back(machine);
        return true;
      });
    });
    return all;
  }
  /// Events of the object, or of all, as "object: from > to (reason)", oldest first.
  std::vector<std::string> events(const std::string& object = "") const {
    std::vector<std::string> all;
    store->read([&](const ReadTx& tx) {
      tx.events().scan([&](const Event& event) {
        if (object.empty() || event.object == object) {
          all.push_back(fmt::format("{}: {} > {} ({})", event.object, event.from, event.to, event.reason));
        }
        return true;
      });
    });
    return all;
  }
  std::size_t openOps() const {
    std::size_t open = 0;
    store->read([&](const ReadTx& tx) { open = tx.ops().size(); });
    return open;
  }
  bool hasVc(const std::string& vcid) const {
    bool found = false;
    store->read([&](const ReadTx& tx) { found = tx.vcs().find(vcid) != nullptr; });
    return found;
  }
};

}  // namespace vcc::test
