// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/cloud.h"
#include "sim/controller.h"
#include "sim/disk.h"
#include "sim/hosts.h"
#include "sim/network.h"
#include "sim/scenario.h"
#include "sim/shelf.h"
#include "sim/witness.h"
#include "sim/workload.h"
#include "store/memory_journal.h"
#include "store/mirror_store.h"

namespace vcc::sim {

/// What is kept between the runs of a process.
struct Workshop {
  std::string folder;  ///< of drivers and clouds
  ThreadPoolOfOne threads;
  Shelf shelf{folder};
};

struct RunResult {
  std::uint64_t trace = 0;
  std::uint64_t crashes = 0;
  std::uint64_t steps = 0;
  std::uint64_t requests = 0;  ///< of drivers to clouds
  std::int64_t simulated_ms = 0;
  std::vector<std::string> violations;
};

/// One run of a scenario: users ask and faults happen for some minutes; then the faults end, and everything must settle
/// and agree; then everything is deleted, and nothing may be left.
class World {
 public:
  World(const Scenario& scenario, std::uint64_t seed, Workshop& workshop, bool verbose);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  RunResult run();

 private:
  enum class Kind { kCrash, kStop, kTakeover, kJump, kVanish, kPurgeGrants };

  void setUp();
  void planEvents();
  void start();
  Status openStore();
  void requestNow();
  void happen(Kind kind);
  void takeOver();
  void vanish();
  void purgeGrants();
  void die();
  void buryAndRestart();
  void step();
  bool runUntil(const std::function<bool()>& done, std::int64_t limit_ms);
  void endFaults();

  void deleteEverything();

  // sights.cpp
  void checkStates();

  // invariants.cpp
  bool isQuiet() const;
  bool isEmpty() const;
  void explainUnrest();
  void checkClouds();
  void checkNothingLeft();

  const Scenario& scenario_;
  Workshop& workshop_;
  Dice dice_;
  Trace trace_;
  Scheduler scheduler_;
  SimClock clock_;
  Witness witness_;
  SeededRandom random_;
  Sealer sealer_;
  std::vector<std::unique_ptr<Cloud>> clouds_;
  Network network_;
  Hosts hosts_;
  std::unique_ptr<Host> simple_host_;
  std::unique_ptr<SqliteDisk> sqlite_;  ///< null: the store is on `disk_`
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  DiskFaults disk_faults_;
  std::shared_ptr<Life> store_life_;
  std::unique_ptr<SimLogger> store_log_;
  std::unique_ptr<ItemExecutor> writer_;
  std::unique_ptr<MirrorStore> store_;
  std::vector<std::unique_ptr<Controller>> controllers_;  ///< the last one serves; others are fenced and not yet gone
  std::unique_ptr<Workload> workload_;
  SimLogger world_log_;
  bool faults_ = true;
  bool dying_ = false;              ///< the machine has crashed and is not buried yet
  bool busy_ = false;               ///< the main thread waits inside a start or stop
  std::set<std::string> vanished_;  ///< ids of machines that somebody took away
  std::set<std::string> touched_;   ///< ... or tried to: what is left of them is not what was asked for
  std::set<std::string> purged_;    ///< users whose grants were purged: nothing of theirs can be changed any more
  std::uint64_t lives_ = 0;
  std::uint64_t crashes_ = 0;
};

}  // namespace vcc::sim
