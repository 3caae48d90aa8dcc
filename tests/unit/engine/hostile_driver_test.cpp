// SPDX-License-Identifier: Apache-2.0
// The engine over a driver that does not return in time: an unknown outcome, and one machine in the end.
#include <condition_variable>
#include <memory>
#include <mutex>

#include "plugin_host/host_services.h"
#include "plugin_host/interposers/watchdog.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// The engine's deadlines are minutes; a test does not wait for them.
class Hurried final : public Interposer {
 public:
  explicit Hurried(std::shared_ptr<Driver> lower) : Interposer(std::move(lower)) {}

 private:
  DriverAnswer intercept(const DriverRequest& request) override {
    if (request.call != DriverCall::kCreate) return passOn(request);
    CallContext context = *request.context;
    context.deadline_ms = 30;
    DriverRequest hurried = request;
    hurried.context = &context;
    return passOn(hurried);
  }
};

/// Makes its machine at once and then does not come back until it may.
class Sticky final : public Interposer {
 public:
  explicit Sticky(std::shared_ptr<Driver> lower) : Interposer(std::move(lower)) {}
  void let() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Blocks until a create stands in it. What that call did to the driver below is seen after this.
  void awaitHeld() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_; });
  }

 private:
  DriverAnswer intercept(const DriverRequest& request) override {
    DriverAnswer answer = passOn(request);
    if (request.call != DriverCall::kCreate) return answer;
    std::unique_lock lock(mutex_);
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return answer;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  bool held_ = false;
};

}  // namespace

TEST_CASE("a create that does not return is in doubt; once the driver is back its machine is found, not made again") {
  EngineRig rig;
  const SystemClock clock;
  const auto health = std::make_shared<DriverHealth>();
  const auto sticky = std::make_shared<Sticky>(rig.driver);
  rig.registry.replace(std::make_shared<Hurried>(std::make_shared<WatchdogDriver>(
      sticky, "fake", WatchdogDriver::Seams{clock, rig.log, makeThreadPool}, WatchdogLimits{.grace_ms = 10}, health)));
  REQUIRE(rig.commands->addUnit(rig.caller, rig.newVc(), "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return health->isDegraded(); }));
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 60'000));
  CHECK(rig.openOps() == 1);
  CHECK(rig.nodes().front().state == State::kBooting);
  CHECK(rig.machines().front().cloud_id.empty());  // what the stuck call knows is not known
  sticky->awaitHeld();
  CHECK(rig.driver->calls == std::vector<std::string>{"create x1"});

  sticky->let();
  REQUIRE_FALSE(waitUnless(20'000, [&] { return !health->isDegraded(); }));
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.driver->cloud.size() == 1);
  CHECK(rig.machines().size() == 1);
  CHECK(rig.openOps() == 0);
}
