// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "engine/decider.h"
#include "sim/scheduler.h"
#include "sim/shelf.h"
#include "sim/witness.h"

namespace vcc::sim {

/// What a controller is made of; of the run, and outlives it.
struct ControllerSeams {
  Scheduler& scheduler;
  Witness& witness;
  Shelf& shelf;
  Store& store;
  const SimClock& clock;
  Random& random;
  const Sealer& sealer;
  HttpTransport& http;
  Host& host;
  const std::vector<CloudSpec>& clouds;
  std::shared_ptr<const Catalog> catalog;
  EngineOptions options;
};

/// One controller's process: drivers, engine and commands, as the product wires them, with threads of the scheduler.
class Controller {
 public:
  Controller(const ControllerSeams& seams, std::string name);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Takes the lease. Not ok: the store refused.
  Status takeOver();
  /// Something happened that the deciding thread may have to see.
  void touch();
  /// Runs `request` as a thread of the API would.
  void serve(std::function<void(Commands&)> request);
  bool isServing() const { return serving_ > 0; }
  /// A planned end: calls are cancelled, their answers recorded.
  void stop();
  /// The process is killed: from here on it has no effect, and its memory is lost.
  void kill();
  const std::shared_ptr<Life>& life() const { return life_; }
  SimLogger& log() { return log_; }
  const DriverRegistry& drivers() const { return drivers_; }

 private:
  class Slots final : public DriverRegistry {
   public:
    std::vector<DriverSlot> all;
    std::vector<const DriverSlot*> slots() const override;
    const DriverSlot* byProvider(std::string_view provider) const override { return byInstance(provider); }
    const DriverSlot* byInstance(std::string_view instance) const override;
  };
  void pump();
  void pumpAt(std::int64_t at_ms);
  std::unique_ptr<Executor> makeExecutor(std::size_t threads);

  const ControllerSeams seams_;
  const std::shared_ptr<Life> life_;
  SimLogger log_;
  Slots drivers_;
  std::unique_ptr<Decider> decider_;
  std::unique_ptr<Commands> commands_;
  std::size_t serving_ = 0;
  bool stopping_ = false;
  bool touched_ = false;
  std::uint64_t alarm_ = 0;  // of the latest timed pump
};

}  // namespace vcc::sim
