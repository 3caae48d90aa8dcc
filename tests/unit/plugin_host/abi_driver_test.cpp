// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/abi_driver.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "rig.h"
#include "vcp/plugin/types.h"

using namespace vcc;
using test::callFor;
using test::refs;
using test::Rig;

namespace {

constexpr char kSpec[] = R"({"provider":"mock","cloud_params":{},"labels":{}})";
constexpr char kFast[] = R"({"mock_boot_ms":"0"})";

/// A rig with one plugin, and nothing around it.
struct Loaded : Rig {
  explicit Loaded(const std::string& name) {
    config.bare = true;
    plain(name);
    REQUIRE(load().ok());
    REQUIRE(slot(name).driver != nullptr);
  }
};

}  // namespace

TEST_CASE("adapter: a life on mock, through the real .so") {
  Loaded rig("mock");
  Driver& driver = rig.driver("mock");
  CHECK(driver.validate("{}", "{}").ok());
  const Status bad = driver.validate(R"({"size":"x"})", "{}");
  CHECK(bad.code() == Code::kInvalidArgument);
  CHECK(bad.message().find("/cloud_params/size: ") == 0);
  CHECK(driver.probe(callFor("")).ok());

  std::vector<MachineRef> items = refs(50);
  const auto made = driver.create(callFor("op", kFast), kSpec, items);
  REQUIRE(made.size() == 50);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < made.size(); ++i) {
    REQUIRE(made[i].state == ItemState::kDone);
    ids.insert(items[i].cloud_id = made[i].cloud_id);
  }
  CHECK(ids.size() == 50);
  CHECK(driver.create(callFor("op", kFast), kSpec, items)[7].cloud_id == made[7].cloud_id);

  const auto seen = driver.observe(callFor("", kFast), items);
  REQUIRE(seen.size() == 50);
  CHECK(seen[49].found);
  CHECK(seen[49].state == MachineState::kRunning);
  CHECK(seen[49].address == made[49].address);

  CHECK(driver.power(callFor("off"), false, {items[3]})[0].state == ItemState::kDone);
  const auto stopped = driver.observe(callFor(""), {items[3]});
  CHECK(stopped[0].state == MachineState::kStopped);
  CHECK(stopped[0].reason == Reason::kRequested);

  CHECK(driver.destroy(callFor("del"), items)[0].state == ItemState::kDone);
  int listed = 0;
  bool complete = false;
  CHECK(driver
            .list(
                callFor(""), [&](const Observation&) { ++listed; }, &complete)
            .ok());
  CHECK(listed == 0);
  CHECK(complete);
  CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 0);
}

TEST_CASE("adapter: indexes need not be positions") {
  Loaded rig("mock");
  std::vector<MachineRef> items = refs(3);
  items[0].index = 7;
  items[1].index = 2;
  items[1].requested_address = "10.250.0.99";
  items[2].index = 5;
  const auto made = rig.driver("mock").create(callFor("op"), kSpec, items);
  CHECK(made[1].address == "10.250.0.99");
  CHECK(rig.driver("mock").observe(callFor(""), items)[1].address == "10.250.0.99");
}

TEST_CASE("adapter: codes, outcomes, provider codes and retry hints come through") {
  Loaded rig("mock");
  Driver& driver = rig.driver("mock");
  CallContext call = callFor("op", R"({"mock_access_key":"k"})");
  auto made = driver.create(call, kSpec, refs(2));
  CHECK(made[1].state == ItemState::kFailed);
  CHECK(made[1].error.code() == Code::kUnauthenticated);
  CHECK(made[1].error.outcome() == Outcome::kNotApplied);
  CHECK(made[1].error.providerCode() == "InvalidAccessKey");
  call.credentials = SecretString(R"({"access_key":"k"})");
  made = driver.create(call, kSpec, refs(2));
  CHECK(made[1].state == ItemState::kDone);

  CHECK(driver.probe(callFor("", R"({"mock_rate_per_s":"1"})")).ok());
  const Status throttled = driver.probe(callFor("", R"({"mock_rate_per_s":"1"})"));
  CHECK(throttled.code() == Code::kUnavailable);
  CHECK(throttled.retryAfterMs() > 0);

  const auto lost = driver.create(callFor("op2", R"({"mock_fail":{"create":"1 lost"}})"), kSpec, refs(1, "lost-"));
  CHECK(lost[0].error.outcome() == Outcome::kUnknown);
  const auto blind = driver.observe(callFor("", R"({"mock_fail":{"observe":"1 UNAVAILABLE"}})"), refs(2));
  CHECK(blind[1].error.code() == Code::kUnavailable);
}

TEST_CASE("adapter: deadlines and cancellation end a sleeping call, nothing applied") {
  Loaded rig("mock");
  Driver& driver = rig.driver("mock");
  const std::string slow = R"({"mock_api_latency_ms":"600000"})";
  CallContext call = callFor("op", slow);
  call.deadline_ms = 120;
  const auto late = driver.create(call, kSpec, refs(1));
  CHECK(late[0].error.code() == Code::kDeadlineExceeded);
  CHECK(late[0].error.outcome() == Outcome::kNotApplied);

  call.deadline_ms = -1;
  CHECK(driver.create(call, kSpec, refs(1))[0].error.outcome() == Outcome::kNotApplied);

  std::atomic<bool> cancelled{false};
  call.deadline_ms = 30000;
  call.cancelled = &cancelled;
  std::vector<ItemResult> result;
  {
    Thread caller("caller", [&] { result = driver.create(call, kSpec, refs(1)); });
    cancelled = true;
  }
  CHECK(result[0].error.code() == Code::kCancelled);
  CHECK(result[0].error.outcome() == Outcome::kNotApplied);
}

TEST_CASE("adapter: too large a batch is not sent, too large an observe is split") {
  Loaded rig("good");
  const auto made = rig.driver("good").create(callFor("op"), "{}", refs(11));
  CHECK(made[0].error.code() == Code::kOutOfRange);
  CHECK(made[10].error.outcome() == Outcome::kNotApplied);
  const auto seen = rig.driver("good").observe(callFor(""), refs(25));
  CHECK(seen.size() == 25);
  CHECK(std::all_of(seen.begin(), seen.end(), [](const Observation& o) { return o.error.ok() && !o.found; }));
  CHECK(rig.driver("good").power(callFor("p"), true, refs(1))[0].error.code() == Code::kUnimplemented);
  bool complete = true;
  CHECK(rig.driver("good")
            .list(
                callFor(""), [](const Observation&) {}, &complete)
            .code() == Code::kUnimplemented);
  CHECK_FALSE(complete);
}

#ifdef __x86_64__
/// The plugin of that version of the boundary, loaded or refused.
static void loadFrozen(Rig& rig, const std::string& version) {
  const std::string folder = rig.dir.file("plugins");
  std::filesystem::create_directory(folder);
  std::filesystem::copy_file(VCC_SOURCE_DIR "/tests/fixtures/plugins/" + version + "/good.so", folder + "/good.so");
  ::chmod((folder + "/good.so").c_str(), 0644);
  rig.config.plugin_dirs = {folder};
  rig.plain("good");
  REQUIRE(rig.load().ok());
}
#endif

TEST_CASE("adapter: a plugin of an earlier 0.x is refused with both versions") {
#ifdef __x86_64__
  Rig rig;
  loadFrozen(rig, "0.2");
  const DriverSlot& slot = rig.slot("good");
  CHECK(slot.driver == nullptr);
  CHECK(slot.refusal_id == "PLUGIN_ABI_REFUSED");
  CAPTURE(slot.refusal.message());
  CHECK(slot.refusal.message().find("built for plugin ABI 0.2, this controller speaks " VCP_ABI_VERSION
                                    "; rebuild it with the SDK") != std::string::npos);
#else
  std::cerr << "SKIP: frozen plugins: they are built for x86-64\n";
#endif
}

TEST_CASE("adapter: a plugin that was built when its version of the boundary froze") {
#ifdef __x86_64__
  Rig rig;
  loadFrozen(rig, VCP_ABI_VERSION);
  REQUIRE(rig.slot("good").driver != nullptr);
  const auto made = rig.driver("good").create(callFor("op"), kSpec, refs(2));
  REQUIRE(made.size() == 2);
  CHECK(made[1].state == ItemState::kDone);
#else
  std::cerr << "SKIP: frozen plugins: they are built for x86-64\n";
#endif
}

TEST_CASE("adapter: an exception that crosses the boundary is an unknown outcome, whoever's run-time threw it") {
  for (const char* name : {"throws_int", "throws_static"}) {
    CAPTURE(name);
    Loaded rig(name);
    const auto made = rig.driver(name).create(callFor("op"), "{}", refs(2));
    CHECK(made[1].error.code() == Code::kInternal);
    CHECK(made[1].error.outcome() == Outcome::kUnknown);
    CHECK(rig.driver(name).observe(callFor(""), refs(1))[0].error.code() == Code::kInternal);
    CHECK(rig.log.count("PLUGIN_MISBEHAVED") >= 2);
  }
}

TEST_CASE("adapter: two answers for one item are none, but what it learnt is kept") {
  Loaded rig("answers_twice");
  const auto made = rig.driver("answers_twice").create(callFor("op"), "{}", refs(2));
  CHECK(made[0].state == ItemState::kFailed);
  CHECK(made[0].error.outcome() == Outcome::kUnknown);
  CHECK(made[0].cloud_id == "m-1");
  CHECK(made[1].state == ItemState::kDone);
  CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 1);
}

TEST_CASE("adapter: items without an answer, and answers without an item") {
  Loaded none("answers_none");
  const auto silent = none.driver("answers_none").create(callFor("op"), "{}", refs(2));
  CHECK(silent[1].state == ItemState::kFailed);
  CHECK(silent[1].error.outcome() == Outcome::kUnknown);

  Loaded foreign("foreign_index");
  const auto made = foreign.driver("foreign_index").create(callFor("op"), "{}", refs(2));
  CHECK(made[0].error.outcome() == Outcome::kUnknown);
  CHECK(foreign.log.all().find("item 1001") != std::string::npos);
}

TEST_CASE("adapter: garbage and oversize values never get into a record") {
  Loaded rig("garbage_utf8");
  const auto made = rig.driver("garbage_utf8").create(callFor("op"), "{}", refs(4));
  CHECK(made[0].error.outcome() == Outcome::kUnknown);
  CHECK(made[0].cloud_id.empty());
  CHECK(made[1].error.outcome() == Outcome::kUnknown);
  CHECK(made[1].cloud_id == "ok");
  CHECK(made[1].address.empty());
  CHECK(made[2].error.outcome() == Outcome::kUnknown);
  CHECK_FALSE(made[2].has_driver_state);
  CHECK(made[3].error.outcome() == Outcome::kNotApplied);
  CHECK(made[3].error.message() == "\xEF\xBF\xBD\xEF\xBF\xBD");

  Loaded large("oversize");
  const auto big = large.driver("oversize").create(callFor("op"), "{}", refs(4));
  for (int i = 0; i < 3; ++i) CHECK(big[static_cast<std::size_t>(i)].error.outcome() == Outcome::kUnknown);
  CHECK(big[2].resources.empty());
  CHECK(big[3].state == ItemState::kDone);
  CHECK(big[3].driver_state.size() == 4096);
}

TEST_CASE("adapter: bad observations are errors, never absence") {
  Loaded rig("garbage_observe");
  const auto seen = rig.driver("garbage_observe").observe(callFor(""), refs(4));
  CHECK_FALSE(seen[0].error.ok());
  CHECK(seen[1].error.ok());
  CHECK(seen[1].state == MachineState::kUnspecified);
  CHECK(seen[1].detail == "bad \xEF\xBF\xBD byte");
  CHECK_FALSE(seen[2].error.ok());
  CHECK_FALSE(seen[3].error.ok());
}

TEST_CASE("adapter: many threads share a driver, no more calls at once than declared") {
  Rig rig;
  rig.provider("mock.yml", "concurrency: 4\n");
  REQUIRE(rig.load().ok());
  Driver& driver = rig.driver("mock");
  std::atomic<int> done{0};
  {
    std::vector<Thread> threads;
    for (int t = 0; t < 16; ++t) {
      threads.emplace_back("caller", [&, t] {
        const std::string op = "op" + std::to_string(t);
        for (int i = 0; i < 5; ++i) {
          const auto items = refs(2, op + "-" + std::to_string(i) + "-");
          for (const ItemResult& made : driver.create(callFor(op + "." + std::to_string(i), kFast), kSpec, items)) {
            done += made.state == ItemState::kDone ? 1 : 0;
          }
          for (const Observation& seen : driver.observe(callFor("", kFast), items)) done += seen.found ? 1 : 0;
        }
      });
    }
  }
  CHECK(done == 16 * 5 * 4);
}

TEST_CASE("gate: full means waiting until told to stop") {
  CallGate gate(1);
  CHECK(gate.enter([] { return false; }));
  int asked = 0;
  CHECK_FALSE(gate.enter([&] { return ++asked > 1; }));
  gate.leave();
  CHECK(gate.enter([] { return true; }));
}
