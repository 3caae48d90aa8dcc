// SPDX-License-Identifier: Apache-2.0
// What each interposer adds. That none of them takes anything away is in interposed_test.cpp.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "driver_body.h"
#include "plugin_host/interposers/checking.h"
#include "plugin_host/interposers/fault_injection.h"
#include "plugin_host/interposers/logging.h"
#include "plugin_host/interposers/metrics.h"
#include "plugin_host/interposers/scrubbing.h"
#include "rig.h"
#include "support/fake_clock.h"
#include "support/fake_driver.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Answers as the test says.
class Scripted final : public Interposer {
 public:
  using Answer = std::function<DriverAnswer(const DriverRequest&)>;
  explicit Scripted(Answer answer) : Interposer(std::make_shared<FakeDriver>()), answer_(std::move(answer)) {}

 private:
  DriverAnswer intercept(const DriverRequest& request) override { return answer_(request); }
  const Answer answer_;
};

ItemResult done(const std::string& id) {
  ItemResult result;
  result.state = ItemState::kDone;
  result.cloud_id = id;
  return result;
}

Observation machine(const std::string& id) {
  Observation seen;
  seen.found = true;
  seen.cloud_id = id;
  seen.state = MachineState::kRunning;
  return seen;
}

const CallContext kCall = bodyCall("op", "{}");

/// One call through the checks; the driver below gives these answers.
struct Checked {
  CountingLogger log;

  ItemResult create(const ItemResult& said) {
    CheckingDriver driver(
        std::make_shared<Scripted>([&](const DriverRequest&) { return DriverAnswer{.results = {said}}; }), "site", log);
    return driver.create(kCall, "{}", bodyRefs(1, "c"))[0];
  }
  Observation observe(const Observation& said, const std::string& known_id = "") {
    CheckingDriver driver(
        std::make_shared<Scripted>([&](const DriverRequest&) { return DriverAnswer{.seen = {said}}; }), "site", log);
    auto refs = bodyRefs(1, "o");
    refs[0].cloud_id = known_id;
    return driver.observe(kCall, refs)[0];
  }
  std::vector<std::string> list(const std::vector<Observation>& said, bool* complete) {
    CheckingDriver driver(std::make_shared<Scripted>([&](const DriverRequest& request) {
                            for (const Observation& seen : said) (*request.visit)(seen);
                            return DriverAnswer{.complete = true};
                          }),
                          "site", log);
    std::vector<std::string> names;
    static_cast<void>(driver.list(
        kCall, [&](const Observation& seen) { names.push_back(seen.name); }, complete));
    return names;
  }
};

}  // namespace

TEST_CASE("scrubbing: a driver that echoes its secret key tells nobody") {
  const std::string key = "Zm9vYmFy-s3cret";
  const std::string words = "key " + key + " was refused";
  const auto refused = [&] {
    Status error(Code::kUnauthenticated, words, Outcome::kNotApplied);
    error.withProviderCode("Bad:" + key).withRetryAfter(7);
    return error;
  };
  ScrubbingDriver driver(std::make_shared<Scripted>([&](const DriverRequest& request) {
    if (request.call == DriverCall::kObserve) {
      Observation seen = machine("m-" + key);
      seen.detail = words;
      seen.provider_code = key;
      return DriverAnswer{.seen = {seen}};
    }
    if (request.call == DriverCall::kList) {
      Observation seen = machine("m-1");
      seen.detail = words;
      (*request.visit)(seen);
      return DriverAnswer{.status = refused()};
    }
    if (request.call != DriverCall::kCreate) return refusalOf(request, refused());
    ItemResult waits = done("m-1");
    waits.state = ItemState::kPending;
    waits.reason = words;
    return DriverAnswer{.results = {waits, refusalOf(request, refused()).results[0]}};
  }));
  CallContext call = bodyCall("op", "{}");
  call.credentials = SecretString(R"({"access_key":")" + key + R"("})");

  const auto made = driver.create(call, "{}", bodyRefs(2, "c"));
  CHECK(made[0].reason == "key *** was refused");
  CHECK(made[0].cloud_id == "m-1");
  CHECK(made[1].error.message() == "key *** was refused");
  CHECK(made[1].error.providerCode() == "Bad:***");
  CHECK(made[1].error.code() == Code::kUnauthenticated);
  CHECK(made[1].error.outcome() == Outcome::kNotApplied);
  CHECK(made[1].error.retryAfterMs() == 7);
  CHECK(driver.probe(call).message() == "key *** was refused");

  const Observation seen = driver.observe(call, bodyRefs(1, "o"))[0];
  CHECK(seen.detail == "key *** was refused");
  CHECK(seen.provider_code == "***");
  CHECK(seen.cloud_id == "m-" + key);  // an id is what the cloud must be asked for
  std::string listed;
  bool complete = false;
  const Status list = driver.list(
      call, [&](const Observation& one) { listed = one.detail; }, &complete);
  CHECK(listed == "key *** was refused");
  CHECK(list.message() == "key *** was refused");
}

TEST_CASE("scrubbing: as the loader puts drivers together") {
  Rig rig;
  rig.plain("echoes_key");
  REQUIRE(rig.load().ok());
  CallContext call = bodyCall("op", "{}");
  call.credentials = SecretString(R"({"access_key":"Zm9vYmFy-s3cret"})");
  const Status refused = rig.driver("echoes_key").probe(call);
  CHECK(refused.code() == Code::kUnauthenticated);
  CHECK(contains(refused.message(), "the cloud refused"));
  CHECK_FALSE(contains(refused.message(), "s3cret"));
  CHECK(rig.log.count("DRIVER_PROGRESS") == 1);
  CHECK_FALSE(contains(rig.log.all(), "s3cret"));
}

TEST_CASE("logging: the line of a call, debug or info") {
  FakeClock clock;
  CountingLogger log;
  LoggingDriver driver(std::make_shared<Scripted>([&](const DriverRequest& request) {
                         clock.advance(250);
                         return refusalOf(request, Status(Code::kUnavailable, "busy", Outcome::kNotApplied));
                       }),
                       "site", clock, log, false);
  driver.destroy(kCall, bodyRefs(3, "x"));
  CHECK(log.all() ==
        "DRIVER_CALL  driver=site call=destroy of=machines op=op attempt=1 items=3 took_ms=250 status=UNAVAILABLE: "
        "busy\n");
}

TEST_CASE("logging: arguments and answers are decoded, and no secret is in any line") {
  FakeClock clock;
  CountingLogger log;
  const auto fake = std::make_shared<FakeDriver>();
  fake->facts.clear_keys = {"size"};
  fake->facts.secret_keys = {"access_key"};
  fake->script = [](const std::string&, const CallContext&, const MachineRef& ref) {
    FakeDriver::Fate fate;
    if (ref.index == 3) fate.error = Status(Code::kInternal, "key Zm9vYmFy-s3cret was refused", Outcome::kNotApplied);
    return fate;
  };
  LoggingDriver driver(fake, "site", clock, log, true);
  CallContext call =
      bodyCall("op", R"({"zone":"tokyo","api_password":"pw-of-the-site","list":[{"auth_token":"tok-1"}]})");
  call.credentials = SecretString(R"({"access_key":"Zm9vYmFy-s3cret"})");
  const std::string spec =
      R"({"cloud_params":{"size":"large","unheard_of":"hidden-too","note":"Zm9vYmFy-s3cret"},"labels":{"owner":"kim"}})";
  driver.create(call, spec, bodyRefs(2, "x"));
  static_cast<void>(driver.validate(R"({"access_key":"Zm9vYmFy-s3cret","size":"s"})", "{}"));
  const std::string all = log.all();
  INFO(all);
  CHECK(contains(all, "DRIVER_ASKED spec={"));
  CHECK(contains(all, "\"size\":\"large\""));
  CHECK(contains(all, "\"owner\":\"kim\""));
  CHECK(contains(all, "\"zone\":\"tokyo\""));
  CHECK(contains(all, "[13] vcp-01234567-x-1"));
  CHECK(contains(all, "item=13 name=vcp-01234567-x-1 cloud_id=i-2 state=DONE"));
  CHECK(contains(all, "state=ERROR (INTERNAL: key *** was refused)"));
  CHECK(contains(all, "status=INTERNAL: key *** was refused"));
  for (const char* secret : {"Zm9vYmFy", "pw-of-the-site", "tok-1", "hidden-too"}) CHECK_FALSE(contains(all, secret));
}

TEST_CASE("checking: results that contradict themselves are unknown outcomes") {
  Checked checked;
  const auto broken = [&](const ItemResult& said) {
    const ItemResult heard = checked.create(said);
    CHECK(heard.state == ItemState::kFailed);
    CHECK(heard.error.code() == Code::kInternal);
    CHECK(heard.error.outcome() == Outcome::kUnknown);
    return heard;
  };
  ItemResult both = done("i-1");
  both.error = internalError("x");
  CHECK(broken(both).cloud_id == "i-1");  // what was learnt is kept
  broken(ItemResult{});                   // failed, without an error
  broken({.state = ItemState::kOpen});
  broken({.state = ItemState::kPending, .retry_after_ms = -1});
  broken({.state = ItemState::kPending, .error = internalError("x")});
  broken({.state = static_cast<ItemState>(77)});
  broken(done(""));  // a machine without an id
  CHECK(checked.log.count("PLUGIN_MISBEHAVED") == 7);
  CHECK(contains(checked.log.all(), "driver=site machine=vcp-01234567-c-0"));
  CHECK(checked.create(done("i-1")).state == ItemState::kDone);
  CHECK(checked.log.count("PLUGIN_MISBEHAVED") == 7);
}

TEST_CASE("checking: existing servers need no cloud id") {
  CountingLogger log;
  const auto fake = std::make_shared<FakeDriver>();
  fake->facts.existence = Existence::kAsserted;
  class NoIds final : public Interposer {
   public:
    explicit NoIds(std::shared_ptr<Driver> lower) : Interposer(std::move(lower)) {}

   private:
    DriverAnswer intercept(const DriverRequest&) override { return {.results = {done("")}}; }
  };
  CheckingDriver driver(std::make_shared<NoIds>(fake), "site", log);
  CHECK(driver.create(kCall, "{}", bodyRefs(1, "e"))[0].state == ItemState::kDone);
}

TEST_CASE("checking: too few or too many answers leave all items unknown") {
  CountingLogger log;
  std::size_t answers = 0;
  CheckingDriver driver(std::make_shared<Scripted>([&](const DriverRequest&) {
                          return DriverAnswer{.results = std::vector<ItemResult>(answers, done("i-1")),
                                              .seen = std::vector<Observation>(answers, machine("i-1"))};
                        }),
                        "site", log);
  for (answers = 0; answers < 5; ++answers) {
    const auto made = driver.create(kCall, "{}", bodyRefs(2, "n"));
    const auto seen = driver.observe(kCall, bodyRefs(2, "n"));
    REQUIRE(made.size() == 2);
    REQUIRE(seen.size() == 2);
    CHECK((made[1].state == ItemState::kDone) == (answers == 2));
    CHECK(seen[1].error.ok() == (answers == 2));
  }
  CHECK(log.count("PLUGIN_MISBEHAVED") == 8);
}

TEST_CASE("checking: an observation is of the machine that was asked for") {
  Checked checked;
  CHECK(checked.observe(machine("i-1")).found);
  CHECK(checked.observe(machine("i-1"), "i-1").found);
  CHECK(checked.observe(Observation{}, "i-1").error.ok());
  Observation other = machine("i-1");
  other.name = "vcp-01234567-other";
  CHECK(checked.observe(other).error.code() == Code::kInternal);
  CHECK(checked.observe(machine("i-2"), "i-1").error.code() == Code::kInternal);
  CHECK(checked.log.count("PLUGIN_MISBEHAVED") == 2);
}

TEST_CASE("checking: a state that the driver has no word for teaches nothing, and is no fault of the driver") {
  Checked checked;
  Observation vague = machine("i-1");
  vague.state = MachineState::kUnspecified;
  vague.detail = "RESCUE";
  const Observation seen = checked.observe(vague);
  CHECK_FALSE(seen.found);
  CHECK(seen.error.code() == Code::kUnavailable);
  CHECK(seen.error.message().find("'RESCUE'") != std::string::npos);
  bool complete = true;
  CHECK(checked.list({vague}, &complete).empty());
  CHECK_FALSE(complete);
  CHECK(checked.log.count("PLUGIN_MISBEHAVED") == 0);
}

TEST_CASE("checking: a list has our machines only, and ends when it ends") {
  Checked checked;
  Observation ours = machine("i-1");
  ours.name = "vcp-01234567-a";
  Observation nameless = machine("i-2");
  Observation foreign = machine("i-3");
  foreign.name = "vcp-76543210-a";
  bool complete = false;
  CHECK(checked.list({ours, nameless}, &complete) == std::vector<std::string>{"vcp-01234567-a", ""});
  CHECK(complete);
  CHECK(checked.list({foreign, ours}, &complete) == std::vector<std::string>{"vcp-01234567-a"});
  CHECK_FALSE(complete);
  // One of a batch: its name is written later, its op says whose it is.
  Observation unnamed = machine("i-4");
  unnamed.name = "i-4";
  unnamed.create_op = "op-1";
  CHECK(checked.list({unnamed, ours}, &complete) == std::vector<std::string>{"i-4", "vcp-01234567-a"});
  CHECK(complete);
  CHECK(checked.log.count("PLUGIN_MISBEHAVED") == 1);

  std::function<void(const Observation&)> kept;
  CheckingDriver driver(std::make_shared<Scripted>([&](const DriverRequest& request) {
                          kept = *request.visit;
                          return DriverAnswer{.complete = true};
                        }),
                        "site", checked.log);
  {
    std::vector<Observation> heard;
    CHECK(driver
              .list(
                  kCall, [&](const Observation& seen) { heard.push_back(seen); }, &complete)
              .ok());
  }
  kept(ours);  // what it would have been put into is gone
  CHECK(checked.log.count("PLUGIN_MISBEHAVED") == 2);
}

TEST_CASE("checking: a second call for a machine that is in one is core's mistake; it is refused") {
  CountingLogger log;
  std::vector<ItemResult> second;
  CheckingDriver* outer = nullptr;
  bool within = false;
  CheckingDriver driver(std::make_shared<Scripted>([&](const DriverRequest& request) {
                          if (!within) {
                            within = true;
                            second = outer->destroy(kCall, {bodyRefs(2, "s")[1], bodyRefs(1, "free")[0]});
                          }
                          return DriverAnswer{.results = std::vector<ItemResult>(request.size(), done("i-1"))};
                        }),
                        "site", log);
  outer = &driver;
  const auto first = driver.create(kCall, "{}", bodyRefs(2, "s"));
  CHECK(first[1].state == ItemState::kDone);
  REQUIRE(second.size() == 2);
  CHECK(second[0].error.code() == Code::kAborted);
  CHECK(second[0].error.outcome() == Outcome::kNotApplied);
  CHECK(second[1].state == ItemState::kDone);
  CHECK(log.count("DRIVER_CALL_OVERLAP") == 1);
  CHECK(log.count("PLUGIN_MISBEHAVED") == 0);
  CHECK(driver.destroy(kCall, bodyRefs(2, "s"))[1].state == ItemState::kDone);
}

TEST_CASE("metrics: counts, items, durations and what is in flight, by call and code") {
  FakeClock clock;
  const auto metrics = std::make_shared<DriverMetrics>();
  std::int64_t takes_ms = 0;
  bool fails = false;
  MetricsDriver driver(std::make_shared<Scripted>([&](const DriverRequest& request) {
                         CHECK(metrics->inFlight(request.call) == 1);
                         clock.advance(takes_ms);
                         return fails ? refusalOf(request, unavailable("x"))
                                      : perform(*std::make_shared<FakeDriver>(), request);
                       }),
                       metrics, clock);
  CHECK(metrics->totals().empty());
  for (const std::int64_t ms : {0, 1, 2, 70000, 120001}) {
    takes_ms = ms;
    driver.create(kCall, "{}", bodyRefs(3, "m"));
  }
  fails = true;
  driver.create(kCall, "{}", bodyRefs(2, "m"));
  static_cast<void>(driver.probe(kCall));
  const std::vector<CallTotals> totals = metrics->totals();
  REQUIRE(totals.size() == 3);
  CHECK(totals[0].call == DriverCall::kProbe);
  CHECK(totals[0].code == Code::kUnavailable);
  CHECK(totals[1].call == DriverCall::kCreate);
  CHECK(totals[1].code == Code::kOk);
  CHECK(totals[1].calls == 5);
  CHECK(totals[1].items == 15);
  CHECK(totals[1].total_ms == 190004);
  CHECK(totals[1].by_duration.front() == 2);
  CHECK(totals[1].by_duration[1] == 1);
  CHECK(totals[1].by_duration[10] == 1);
  CHECK(totals[1].by_duration.back() == 1);
  CHECK(totals[2].code == Code::kUnavailable);
  CHECK(totals[2].items == 2);
  CHECK(metrics->inFlight(DriverCall::kCreate) == 0);
}

TEST_CASE("fault injection: refusals, lost answers, dropped items and delays, when the rules say so") {
  const auto fake = std::make_shared<FakeDriver>();
  std::vector<std::int64_t> waited;
  const Wait wait = [&](std::int64_t ms, const std::function<bool()>& stop) {
    waited.push_back(ms);
    return !stop();
  };
  FaultInjectingDriver driver(fake, {}, wait);
  const auto items = bodyRefs(3, "f");
  driver.add({.call = DriverCall::kCreate,
              .nth = 1,
              .error = Status(Code::kResourceExhausted, "no room", Outcome::kNotApplied),
              .item = items[1].name,
              .delay_ms = 700});
  driver.add(FaultRule::lostAnswer(DriverCall::kCreate, 2));
  driver.add(FaultRule::droppedItem(DriverCall::kDestroy, items[0].name));
  driver.add({.call = DriverCall::kProbe, .nth = 0, .error = unavailable("down")});
  driver.add({.call = DriverCall::kObserve, .nth = 1, .when = FaultRule::When::kAfter, .delay_ms = 30});

  auto made = driver.create(kCall, "{}", items);
  CHECK(made[0].state == ItemState::kDone);
  CHECK(made[1].error.code() == Code::kResourceExhausted);
  CHECK(made[2].cloud_id == "i-2");
  CHECK(fake->cloud.size() == 2);
  CHECK(waited == std::vector<std::int64_t>{700});

  made = driver.create(kCall, "{}", items);
  CHECK(fake->cloud.size() == 3);  // it took effect, and nobody heard of it
  for (const ItemResult& lost : made) {
    CHECK(lost.error.outcome() == Outcome::kUnknown);
    CHECK(lost.cloud_id.empty());
  }
  CHECK(driver.create(kCall, "{}", items)[1].state == ItemState::kDone);

  CHECK(driver.observe(kCall, items)[2].found);
  CHECK(waited.back() == 30);
  const auto gone = driver.destroy(kCall, items);
  CHECK(gone[0].error.outcome() == Outcome::kUnknown);
  CHECK(gone[1].state == ItemState::kDone);
  CHECK(fake->cloud.empty());
  for (int time = 0; time < 2; ++time) CHECK(driver.probe(kCall).code() == Code::kUnavailable);
}
