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
#include "store/fault_plan.h"
#include "support/fake_clock.h"
#include "support/fake_driver.h"
#include "support/fake_host.h"

namespace vcc {
class MemoryDisk;
}

namespace vcc::test {

std::string unitCci(const std::string& name, int nodes, const std::string& more = "");

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
  std::shared_ptr<MemoryDisk> disk;
  std::shared_ptr<FaultPlan> faults = std::make_shared<FaultPlan>();
  std::shared_ptr<const Catalog> catalog;
  std::function<std::unique_ptr<Executor>(const std::string&, std::size_t)> makes_executor;  ///< empty: inline
  std::function<std::unique_ptr<Prober>(ProbeReport)> makes_prober;  ///< empty: hosts are not watched
  std::function<Status(const std::string&)> writes_targets;          ///< empty: no file for Prometheus
  EngineOptions options;
  Limits limits;
  std::unique_ptr<Store> store;
  std::unique_ptr<Decider> decider;
  std::unique_ptr<Commands> commands;
  Caller caller{.principal = {.user = "nobody", .token_head = "s.test"}};

  explicit EngineRig(const std::string& catalog_yaml =
                         "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: "
                         "10.0.0.0/24\n");

  void start();
  /// With changed options, and nothing lost.
  void restart();

  /// The process dies: what was not durable is lost.
  void crash();

  /// Lets the engine work, with time passing, until `done` or for `limit_ms` of simulated time. True when done.
  bool runUntil(const std::function<bool()>& done, std::int64_t limit_ms = 2'000'000);

  std::string newVc();

  std::vector<Node> nodes() const;
  std::size_t count(State state) const;
  std::vector<Machine> machines() const;
  /// Events of the object, or of all, as "object: from > to (reason)", oldest first.
  std::vector<std::string> events(const std::string& object = "") const;
  std::size_t openOps() const;
  bool hasVc(const std::string& vcid) const;
};

}  // namespace vcc::test
