// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "engine/check.h"
#include "engine/conditions.h"
#include "engine/sweeper.h"
#include "host/host.h"
#include "host/prober.h"
#include "host/serf_protocol.h"
#include "plugin_host/driver.h"
#include "secrets/sealer.h"
#include "store/store.h"

namespace vcc {

/// How long a call that changes a cloud may take.
inline constexpr std::int64_t kMutationDeadlineMs = 120000;

/// Settings of the engine, fixed at start.
struct EngineOptions {
  std::string vcc_id;  ///< 32 hex, from the data folder
  std::string holder;  ///< who holds the lease: host name and pid
  /// How long whoever held the lease before may still be in calls. 0 = it has ended, which a lock on the data folder
  /// proves; kMutationDeadlineMs where controllers share a store.
  std::int64_t predecessor_ms = 0;
  std::string controller_address;  ///< VCP_VCC_PRIVATE_IPMASK without its mask; empty = Seams::source_address
  std::string base_registry;       ///< "host:5000" put before short image names
  /// "host:port" of registries that speak plain HTTP, besides ports 5000 and 5001 of the controller.
  std::vector<std::string> plain_registries;
  bool evaluation = false;
  bool simulated_hosts = false;            ///< every machine counts as prepared once its cloud says running
  std::vector<std::string> own_addresses;  ///< this controller's own: never chosen for a machine
  std::string public_key;                  ///< of the controller's ssh key, one line; new machines let it in
  std::size_t ssh_threads = 64;            ///< upper limit of concurrent visits to hosts
  std::int64_t quiet_poll_ms = 300000;     ///< how often settled machines are asked for, account by account
  std::int64_t watch_interval_ms = 30000;  ///< how often each port of a watched host is asked (engine/watcher.h)
  SweepOptions sweep;
};

/// What `vcc status` shows of the engine.
struct EngineStatus {
  std::int64_t fence = 0;
  std::int64_t nodes = 0;      ///< node records
  std::int64_t unsettled = 0;  ///< nodes on their way
  std::int64_t open_ops = 0;
  std::int64_t jobs = 0;            ///< calls on executors right now
  std::int64_t queue = 0;           ///< objects waiting for a visit
  std::int64_t watched = 0;         ///< nodes whose hosts are asked
  std::int64_t on_older_entry = 0;  ///< machines whose catalog entry was edited or taken out after they were asked for
};

/// The deciding thread and everything it drives (architecture section 3). One per process.
class Engine {
 public:
  /// All references outlive the engine. `catalog` returns the present catalog, never null.
  struct Seams {
    Store& store;
    const DriverRegistry& drivers;
    Host& host;            ///< real machines
    Host& simulated_host;  ///< machines of drivers that declare simulated hosts
    const Clock& clock;
    Random& random;
    Logger& log;
    const Sealer& sealer;
    std::function<std::shared_ptr<const Catalog>()> catalog;
    /// The controller's address as seen from a node, when EngineOptions does not fix it. Must not block.
    std::function<Result<std::string>(const std::string& node_address)> source_address;
    /// Makes a bounded executor: one per driver instance, one for ssh.
    std::function<std::unique_ptr<Executor>(const std::string& name, std::size_t threads)> make_executor;
    /// Makes what asks the ports of hosts. Empty: settled hosts are not watched, only their clouds are asked.
    std::function<std::unique_ptr<Prober>(ProbeReport)> make_prober = {};
    /// Replaces the target file of Prometheus (engine/target_file.h). Empty: there is none. May block.
    std::function<Status(const std::string& content)> write_targets = {};
  };

  Engine(Seams seams, EngineOptions options);
  ~Engine();

  /// Takes the lease, queues everything unsettled and every open op, starts the deciding thread.
  Status start();
  /// Ends the deciding thread; calls in flight are cancelled and waited for. A driver that ignores that is left to
  /// itself by its watchdog (plugin_host/interposers/watchdog.h), so this takes a few seconds at most.
  void stop();

  /// Queues objects for a visit (ids of nodes, units or VCs). Any thread, never blocks.
  void wake(const std::vector<std::string>& ids);

  /// Somebody says that something is wrong with these nodes: their machines are looked at, also those of settled ones,
  /// and their hosts where they are watched. The hint itself changes no state of a node, what two looks find may
  /// (engine/sight.h, engine/watcher.h). Any thread, never blocks.
  void look(const std::vector<std::string>& node_ids);
  /// News of serf, all of its members or those with an event. A hint like others. Any thread, never blocks.
  void hearOfMembers(std::vector<SerfMember> members);

  /// Lists every place of the sweep as soon as can be. Any thread, never blocks; `SweepPlace::tried_at` shows when.
  void sweepNow();
  /// Goes on with a stray whose deletion was asked for (engine/sweep_records.h). Any thread, never blocks.
  void visitStray(const std::string& stray_id);

  /// Begins a fresh look at all nodes, or those of one UnitGroup, and at what else of ours the clouds hold; returns its
  /// id. It ends by itself: when all have answered, after 5 minutes, or when nobody asked for its report for 15 s.
  /// kNotFound: no such UnitGroup; kResourceExhausted: several are under way. Any thread, never blocks.
  Result<std::string> startCheck(const std::string& vcid);
  /// How it stands. kNotFound when it ended long ago. Any thread, never blocks.
  Result<CheckResult> checkReport(const std::string& id);

  EngineStatus status() const;
  /// What keeps the engine from looking after machines at present.
  std::vector<Condition> conditions() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vcc
