// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/watchdog.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "driver_body.h"
#include "plugin_host/host_services.h"
#include "rig.h"
#include "support/fake_driver.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// A cloud whose calls hang while the test says so.
class Hanging final : public Interposer {
 public:
  Hanging() : Interposer(std::make_shared<FakeDriver>()) { own_.concurrency = 2; }
  const DriverInfo& info() const override { return own_; }

  void hang() { open_ = false; }
  void let() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  std::atomic<int> calls{0};
  std::atomic<bool> was_cancelled{false};

 private:
  DriverAnswer intercept(const DriverRequest& request) override {
    ++calls;
    if (!open_) {
      std::unique_lock lock(mutex_);
      opened_.wait(lock, [this] { return open_.load(); });
      if (request.context != nullptr) was_cancelled = request.context->cancelled->load();
    }
    const std::lock_guard lock(cloud_);  // the fake one is for one thread
    return passOn(request);
  }

  DriverInfo own_ = FakeDriver().facts;
  std::atomic<bool> open_{true};
  std::mutex mutex_;
  std::condition_variable opened_;
  std::mutex cloud_;
};

struct Watched {
  SystemClock clock;
  CountingLogger log;
  std::shared_ptr<Hanging> below = std::make_shared<Hanging>();
  std::shared_ptr<DriverHealth> health = std::make_shared<DriverHealth>();
  WatchdogDriver driver{
      below, "site", {clock, log, makeThreadPool}, {.grace_ms = 20, .cancel_ms = 20, .validate_ms = 40}, health};

  static CallContext call(std::int64_t deadline_ms = 30) {
    CallContext context = bodyCall("op", "{}");
    context.deadline_ms = deadline_ms;
    return context;
  }
  void settle() {
    below->let();
    CHECK(waitUnless(20000, [&] { return health->stuck_calls == 0; }) == false);
  }
};

}  // namespace

TEST_CASE("watchdog: a call that overruns is left to itself; what it says later is dropped") {
  Watched watched;
  watched.below->hang();
  const auto made = watched.driver.create(Watched::call(), "{}", bodyRefs(2, "a"));
  REQUIRE(made.size() == 2);
  CHECK(made[1].error.code() == Code::kDeadlineExceeded);
  CHECK(made[1].error.outcome() == Outcome::kUnknown);
  CHECK(watched.health->isDegraded());
  CHECK(watched.log.count("DRIVER_CALL_STUCK") == 1);

  // Item-serial: nothing else for its machines, while others are served.
  auto mixed = bodyRefs(1, "a");
  mixed.push_back(bodyRefs(1, "b")[0]);
  watched.below->let();  // for what is called now; the stuck call may or may not be back yet
  const auto seen = watched.driver.observe(Watched::call(5000), mixed);
  CHECK(seen[1].error.ok());
  watched.settle();
  CHECK(watched.below->was_cancelled);
  CHECK(watched.log.count("DRIVER_CALL_LATE") == 1);
  CHECK_FALSE(watched.health->isDegraded());
  CHECK(watched.driver.observe(Watched::call(5000), mixed)[0].found);  // the next look finds what the late call did
}

TEST_CASE("watchdog: machines of a stuck call are refused, others are not; a full driver refuses all at once") {
  Watched watched;
  watched.below->hang();
  static_cast<void>(watched.driver.create(Watched::call(), "{}", bodyRefs(1, "a")));
  const int before = watched.below->calls;
  const auto again = watched.driver.create(Watched::call(), "{}", bodyRefs(1, "a"));
  CHECK(again[0].error.code() == Code::kUnavailable);
  CHECK(again[0].error.outcome() == Outcome::kNotApplied);
  CHECK(contains(again[0].error.message(), "restart the controller"));
  CHECK(watched.below->calls == before);

  static_cast<void>(watched.driver.destroy(Watched::call(), bodyRefs(1, "b")));
  CHECK(watched.health->stuck_calls == 2);
  const std::int64_t began = watched.clock.monoMs();
  const auto full = watched.driver.create(Watched::call(60000), "{}", bodyRefs(1, "c"));
  CHECK(full[0].error.code() == Code::kUnavailable);
  CHECK(full[0].error.outcome() == Outcome::kNotApplied);
  CHECK(contains(full[0].error.message(), "site is stuck"));
  CHECK(contains(full[0].error.message(), "restart the controller"));
  CHECK(watched.driver.observe(Watched::call(60000), bodyRefs(1, "d"))[0].error.code() == Code::kUnavailable);
  CHECK(watched.driver.probe(Watched::call(60000)).code() == Code::kUnavailable);
  CHECK(watched.clock.monoMs() - began < 10000);

  watched.settle();
  CHECK(watched.driver.create(Watched::call(5000), "{}", bodyRefs(1, "c"))[0].state == ItemState::kDone);
}

TEST_CASE("watchdog: validate is not to block; it has threads of its own") {
  Watched watched;
  watched.below->hang();
  for (int i = 0; i < 4; ++i) CHECK(watched.driver.validate("{}", "{}").code() == Code::kDeadlineExceeded);
  CHECK(watched.driver.validate("{}", "{}").code() == Code::kUnavailable);
  CHECK(watched.health->stuck_calls == 4);
  watched.settle();
  CHECK(watched.driver.validate("{}", "{}").ok());
}

TEST_CASE("watchdog: cancelling is passed on, and a call that ignores it is waited for shortly") {
  Watched watched;
  watched.below->hang();
  std::atomic<bool> cancelled{false};
  CallContext call = Watched::call(600'000);
  call.cancelled = &cancelled;
  std::vector<ItemResult> result;
  {
    Thread caller("caller", [&] { result = watched.driver.create(call, "{}", bodyRefs(1, "a")); });
    CHECK_FALSE(waitUnless(20000, [&] { return watched.below->calls > 0; }));
    cancelled = true;
  }
  REQUIRE(result.size() == 1);
  CHECK(result[0].error.code() == Code::kCancelled);
  CHECK(result[0].error.outcome() == Outcome::kUnknown);
  watched.settle();
  CHECK(watched.below->was_cancelled);
}

TEST_CASE("watchdog: a call that got no thread in time was not sent") {
  Watched watched;
  watched.below->hang();
  std::vector<ItemResult> late;
  {
    std::vector<Thread> holders;
    for (const char* name : {"a", "b"}) {
      holders.emplace_back("holder", [&watched, name] {
        static_cast<void>(watched.driver.create(Watched::call(600'000), "{}", bodyRefs(1, name)));
      });
    }
    CHECK_FALSE(waitUnless(20000, [&] { return watched.below->calls == 2; }));
    late = watched.driver.create(Watched::call(), "{}", bodyRefs(1, "c"));
    watched.below->let();
  }
  CHECK(late[0].error.code() == Code::kDeadlineExceeded);
  CHECK(late[0].error.outcome() == Outcome::kNotApplied);
  CHECK(watched.below->calls == 2);
  CHECK(watched.health->stuck_calls == 0);
}

TEST_CASE("watchdog: lists are handed over on the caller's thread, exceptions end a call") {
  SystemClock clock;
  CountingLogger log;
  class Throwing final : public Interposer {
   public:
    Throwing() : Interposer(std::make_shared<FakeDriver>()) {}

   private:
    DriverAnswer intercept(const DriverRequest& request) override {
      if (request.call != DriverCall::kList) throw 42;
      Observation seen;
      seen.name = "vcp-01234567-a";
      (*request.visit)(seen);
      return {.complete = true};
    }
  };
  WatchdogDriver driver(std::make_shared<Throwing>(), "site", {clock, log, makeThreadPool}, {},
                        std::make_shared<DriverHealth>());
  int heard = 0;
  bool complete = false;
  CHECK(driver
            .list(
                bodyCall("", "{}"), [&](const Observation&) { ++heard; }, &complete)
            .ok());
  CHECK(heard == 1);
  CHECK(complete);
  const auto made = driver.create(bodyCall("op", "{}"), "{}", bodyRefs(1, "a"));
  CHECK(made[0].error.code() == Code::kInternal);
  CHECK(made[0].error.outcome() == Outcome::kUnknown);
}

TEST_CASE("hostile plugin: never returns; others are served, and nobody waits for it at the end") {
  // What a stuck thread uses must live as long as it does: for ever.
  auto* rig = new Rig;  // NOLINT(cppcoreguidelines-owning-memory)
  rig->config.watchdog = {.grace_ms = 20, .cancel_ms = 20, .validate_ms = 5000};
  rig->plain("never_returns");
  rig->plain("good");
  REQUIRE(rig->load().ok());
  Driver& driver = rig->driver("never_returns");
  CallContext call = bodyCall("op", "{}");
  call.deadline_ms = 30;
  for (int i = 0; i < 4; ++i) {
    const auto lost = driver.create(call, "{}", bodyRefs(1, "n" + std::to_string(i)));
    CHECK(lost[0].error.code() == Code::kDeadlineExceeded);
    CHECK(lost[0].error.outcome() == Outcome::kUnknown);
  }
  const auto full = driver.create(bodyCall("op", "{}"), "{}", bodyRefs(1, "x"));
  CHECK(full[0].error.code() == Code::kUnavailable);
  CHECK(full[0].error.outcome() == Outcome::kNotApplied);
  CHECK(driver.validate("{}", "{}").ok());
  CHECK(rig->driver("good").create(bodyCall("op", "{}"), "{}", bodyRefs(1, "g"))[0].state == ItemState::kDone);
  CHECK(rig->slot("never_returns").health->stuck_calls == 4);

  rig->registry.reset();
  CHECK(rig->log.count("DRIVER_LEFT_BEHIND") == 1);
  std::filesystem::remove_all(rig->dir.path());
}

TEST_CASE("hostile plugin: ignores cancel and deadline; its late machine is found by the next look") {
  Rig rig;
  rig.config.watchdog = {.grace_ms = 20, .cancel_ms = 20, .validate_ms = 5000};
  rig.plain("ignores_cancel");
  REQUIRE(rig.load().ok());
  Driver& driver = rig.driver("ignores_cancel");
  CallContext call = bodyCall("op", "{}");
  call.deadline_ms = 30;
  const auto lost = driver.create(call, "{}", bodyRefs(1, "l"));
  CHECK(lost[0].error.code() == Code::kDeadlineExceeded);
  CHECK(lost[0].error.outcome() == Outcome::kUnknown);
  CHECK(lost[0].cloud_id.empty());
  const auto blind = driver.observe(bodyCall("", "{}"), bodyRefs(1, "l"));
  CHECK(blind[0].error.code() == Code::kUnavailable);
  CHECK_FALSE(waitUnless(20000, [&] { return rig.log.count("DRIVER_CALL_LATE") == 1; }));
  CHECK(driver.observe(bodyCall("", "{}"), bodyRefs(1, "l"))[0].error.ok());
  CHECK_FALSE(rig.slot("ignores_cancel").health->isDegraded());
}
