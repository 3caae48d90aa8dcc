// SPDX-License-Identifier: Apache-2.0
// Every interposer, and all of them together, pass the body of tests that the bare drivers pass.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver_body.h"
#include "plugin_host/host_services.h"
#include "plugin_host/interposers/checking.h"
#include "plugin_host/interposers/fault_injection.h"
#include "plugin_host/interposers/logging.h"
#include "plugin_host/interposers/metrics.h"
#include "plugin_host/interposers/scrubbing.h"
#include "plugin_host/interposers/watchdog.h"
#include "rig.h"
#include "support/fake_driver.h"

using namespace vcc;
using namespace vcc::test;

namespace {

using DriverPtr = std::shared_ptr<Driver>;
using Wrap = std::function<DriverPtr(DriverPtr)>;

/// As tests/bad_plugins/remembers.c.
class RememberingDriver final : public Interposer {
 public:
  RememberingDriver() : Interposer(std::make_shared<FakeDriver>()) {}

 private:
  DriverAnswer intercept(const DriverRequest& request) override {
    if (request.call != DriverCall::kCreate) return passOn(request);
    DriverAnswer answer;
    for (const MachineRef& ref : *request.items) {
      ItemResult result;
      result.has_driver_state = true;
      if (ref.driver_state == "step 1" && ref.resources == std::vector<Resource>{{"nic", "the-nic", "nic-1"}}) {
        result.state = ItemState::kDone;
        result.cloud_id = "m-1";
        result.driver_state = "step 2";
      } else {
        result.state = ItemState::kPending;
        result.retry_after_ms = 250;
        result.driver_state = "step 1";
        result.resources = {{"nic", "the-nic", "nic-1"}};
      }
      answer.results.push_back(result);
    }
    return answer;
  }
};

Subject fakeSubject() {
  const auto fake = std::make_shared<FakeDriver>();
  fake->facts.can_power = fake->facts.can_list = true;
  fake->script = [raw = fake.get()](const std::string& call, const CallContext& context, const MachineRef& ref) {
    FakeDriver::Fate fate;
    const auto stopped = [&] { return context.cancelled != nullptr && *context.cancelled; };
    if (context.catalog_entry == "slow") {
      const bool in_time = waitUnless(std::min<std::int64_t>(context.deadline_ms, 600'000), stopped);
      fate.error = Status(in_time ? Code::kDeadlineExceeded : Code::kCancelled, "slow", Outcome::kNotApplied);
    } else if (context.catalog_entry == "refuse") {
      fate.error = Status(Code::kUnavailable, "busy", Outcome::kNotApplied);
    }
    for (const auto& [name, machine] : raw->cloud) {
      if (call != "create" || ref.requested_address.empty() || machine.address != ref.requested_address) continue;
      if (name == ref.name) continue;
      fate.error = Status(Code::kAlreadyExists, "in use", Outcome::kNotApplied);
      fate.error.withProviderCode("AddressInUse");
    }
    fate.apply = fate.error.ok();
    return fate;
  };
  return {"fake", fake, std::make_shared<RememberingDriver>(), "{}", R"({"bad":"x"})", "{}", "slow", "refuse"};
}

/// Real plugins through the C ABI, without anything around them.
struct Plugins : Rig {
  Plugins() {
    config.bare = true;
    plain("mock");
    plain("remembers");
    REQUIRE(load().ok());
  }
  Subject subject() const {
    return {"mock.so",
            slot("mock").driver,
            slot("remembers").driver,
            R"({"tags":{"a":"b"}})",
            R"({"size":"x"})",
            R"({"mock_boot_ms":"0"})",
            R"({"mock_api_latency_ms":"600000"})",
            R"({"mock_fail":{"create":"1 UNAVAILABLE"}})"};
  }
};

struct Wraps {
  SystemClock clock;
  CountingLogger log;
  std::shared_ptr<DriverMetrics> metrics = std::make_shared<DriverMetrics>();
  std::shared_ptr<DriverHealth> health = std::make_shared<DriverHealth>();

  DriverPtr logging(DriverPtr d) { return std::make_shared<LoggingDriver>(std::move(d), "w", clock, log, true); }
  DriverPtr checking(DriverPtr d) { return std::make_shared<CheckingDriver>(std::move(d), "w", log); }
  DriverPtr counting(DriverPtr d) { return std::make_shared<MetricsDriver>(std::move(d), metrics, clock); }
  DriverPtr watched(const DriverPtr& d) {
    return std::make_shared<WatchdogDriver>(d, "w", WatchdogDriver::Seams{clock, log, makeThreadPool}, WatchdogLimits{},
                                            health);
  }
  static DriverPtr scrubbed(DriverPtr d) { return std::make_shared<ScrubbingDriver>(std::move(d)); }
  static DriverPtr faulty(DriverPtr d) {
    return std::make_shared<FaultInjectingDriver>(std::move(d), std::vector<FaultRule>{}, waitUnless);
  }

  void check(const Subject& subject, const Wrap& wrap) {
    Subject wrapped = subject;
    wrapped.driver = wrap(subject.driver);
    wrapped.remembers = wrap(subject.remembers);
    checkDriver(wrapped);
    INFO(log.all());
    CHECK(log.count("PLUGIN_MISBEHAVED") == 0);
    CHECK(log.count("DRIVER_CALL_OVERLAP") == 0);
    CHECK(log.count("DRIVER_CALL_STUCK") == 0);
  }

  void checkWith(const std::function<void(const Wrap&)>& run) {
    SUBCASE("bare") {
      run([](DriverPtr d) { return d; });
    }
    SUBCASE("logging") {
      run([this](DriverPtr d) { return logging(std::move(d)); });
    }
    SUBCASE("checking") {
      run([this](DriverPtr d) { return checking(std::move(d)); });
    }
    SUBCASE("metrics") {
      run([this](DriverPtr d) { return counting(std::move(d)); });
    }
    SUBCASE("watchdog") {
      run([this](DriverPtr d) { return watched(d); });
    }
    SUBCASE("scrubbing") { run(scrubbed); }
    SUBCASE("fault injection without rules") { run(faulty); }
    SUBCASE("all") {
      run([this](DriverPtr d) { return logging(counting(checking(scrubbed(watched(faulty(std::move(d))))))); });
    }
  }
};

}  // namespace

TEST_CASE("a driver in memory, behind each interposer") {
  Wraps wraps;
  wraps.checkWith([&](const Wrap& wrap) { wraps.check(fakeSubject(), wrap); });
}

TEST_CASE("real plugins, behind each interposer") {
  Wraps wraps;
  wraps.checkWith([&](const Wrap& wrap) {
    const Plugins plugins;
    wraps.check(plugins.subject(), wrap);
  });
}

TEST_CASE("real plugins, as the loader puts them together") {
  Rig rig;
  rig.provider("mock.yml", "log_calls: true\n");
  rig.plain("remembers");
  REQUIRE(rig.load().ok());
  Subject subject = Plugins().subject();
  subject.driver = rig.slot("mock").driver;
  subject.remembers = rig.slot("remembers").driver;
  checkDriver(subject);
  INFO(rig.log.all());
  CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 0);
  CHECK(rig.log.count("DRIVER_CALL") > 20);
  REQUIRE(rig.slot("mock").metrics != nullptr);
  CHECK(rig.slot("mock").metrics->totals().size() > 7);
  CHECK_FALSE(rig.slot("mock").health->isDegraded());
}
