// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/plugin.h"
#include "vcp/plugin/testing/disk.h"
#include "vcp/plugin/testing/fake_host.h"
#include "vcp/plugin/testing/scripted_http.h"

using namespace vcp::plugin;

namespace {

/// Does whatever the spec says; lets one test drive every path of the trampolines.
class Puppet final : public Driver, public Power, public Disks, public Spot {
 public:
  Puppet(Host, std::string_view config) {
    if (config == "bad") throw Error(Code::kInvalidArgument, Outcome::kNotApplied, "/options: bad");
    if (config == "int") throw 7;
  }
  std::string_view schema() const override { return "{}"; }
  void validate(std::string_view params, std::string_view) override {
    if (params != "{}") throw invalid("/cloud_params/x", "is wrong");
  }
  void probe(const Call&) override { throw std::runtime_error("no route"); }
  void create(const Call&, std::string_view spec, const Items& items, Results& out) override {
    if (spec == "int") throw 42;
    for (const Item& item : items) {
      out.guard(item, [&] {
        if (item.index == 1) throw Error(Code::kResourceExhausted, Outcome::kNotApplied, "full").retryAfterMs(9);
        if (item.index == 2) throw std::runtime_error("odd");
        out.resource(item, "disk", "d", "id-d");
        out.machine(item, "m-1", "192.0.2.1");
        out.done(item);
      });
    }
  }
  void observe(const Call&, const Items& items, Observations& out) override {
    Observation seen;
    seen.found = true;
    seen.state = State::kRunning;
    seen.resources.push_back({"nic", "n", "i"});
    for (const Item& item : items) {
      out.guard(item, [&] {
        if (item.name == "unreadable") throw std::runtime_error("odd");
        out.observed(item, seen);
      });
    }
  }
  void destroy(const Call&, const Items&, Results&) override { throw std::bad_alloc(); }
  void power(const Call&, bool on, const Items& items, Results& out) override {
    for (const Item& item : items) on ? out.done(item) : out.pending(item, 5, "");
  }

  void validateDisks(std::string_view params, std::string_view) override {
    if (params != "{}") throw invalid("/cloud_params/size", "is wrong");
  }
  void createDisks(const Call&, std::string_view spec, const Items& disks, Results& out) override {
    if (spec == "int") throw 42;
    for (const Item& disk : disks) out.machine(disk, "d-1", ""), out.done(disk);
  }
  void destroyDisks(const Call&, const Items&, Results&) override { throw std::bad_alloc(); }
  void attachDisks(const Call&, const Attachments& attachments, Results& out) override {
    for (const Attachment& at : attachments) {
      out.guard(at.disk, [&] {
        if (at.machine.name == "off") throw Error(Code::kFailedPrecondition, Outcome::kNotApplied, "it is off");
        out.driverState(at.disk, at.machine.name);
        out.done(at.disk);
      });
    }
  }
  void detachDisks(const Call&, const Attachments& attachments, Results& out) override {
    for (const Attachment& at : attachments) out.pending(at.disk, 3, "");
  }
  void observeDisks(const Call&, const Items& disks, DiskObservations& out) override {
    DiskObservation seen;
    seen.found = true;
    seen.state = DiskState::kAttached;
    seen.machine_id = "m-1";
    seen.size_gib = 20;
    seen.resources.push_back({"key", "k", "i"});
    for (const Item& disk : disks) {
      out.guard(disk, [&] {
        if (disk.name == "unreadable") throw std::runtime_error("odd");
        out.observed(disk, seen);
      });
    }
  }

  void spotNotices(const Call&, const Items& items, SpotNotices& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] {
        if (item.name == "unreadable") throw 42;
        out.notice(item, {SpotAction::kTerminate, 120'000, "marked"});
      });
    }
  }
};

/// The least that a driver can be.
class Plain final : public Driver {
 public:
  Plain(Host, std::string_view) {}
  std::string_view schema() const override { return "{}"; }
  void validate(std::string_view, std::string_view) override {}
  void probe(const Call&) override {}
  void create(const Call&, std::string_view, const Items&, Results&) override {}
  void observe(const Call&, const Items&, Observations&) override {}
  void destroy(const Call&, const Items&, Results&) override {}
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("test.puppet");
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace

VCP_PLUGIN(Puppet, kInfo);

TEST_CASE("barrier: every kind of exception becomes a status and a filled error") {
  vcp_error_t error = detail::emptyError();
  CHECK(detail::barrier(Outcome::kUnknown, &error, [] {}) == VCP_OK);

  const auto with_cause = [] {
    throw Error(Code::kUnavailable, Outcome::kNotApplied, "cloud x: throttled")
        .retryAfterMs(1500)
        .providerCode("Slow")
        .requestId("r-1");
  };
  CHECK(detail::barrier(Outcome::kUnknown, &error, with_cause) == VCP_UNAVAILABLE);
  CHECK(error.code == VCP_UNAVAILABLE);
  CHECK(error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(error.retry_after_ms == 1500);
  CHECK(std::string(error.provider_code) == "Slow");
  CHECK(std::string(error.request_id) == "r-1");
  CHECK(std::string(error.message) == "cloud x: throttled");

  error = detail::emptyError();
  const auto open_outcome = [] { throw Error(Code::kAborted, Outcome::kUnspecified, "x"); };
  CHECK(detail::barrier(Outcome::kUnknown, &error, open_outcome) == VCP_ABORTED);
  CHECK(error.outcome == VCP_OUTCOME_UNKNOWN);

  CHECK(detail::barrier(Outcome::kUnknown, &error, [] { throw std::bad_alloc(); }) == VCP_RESOURCE_EXHAUSTED);
  CHECK(detail::barrier(Outcome::kNotApplied, &error, [] { throw std::runtime_error("odd"); }) == VCP_UNKNOWN);
  CHECK(error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(error.message) == "odd");
  CHECK(detail::barrier(Outcome::kUnknown, &error, [] { throw 42; }) == VCP_UNKNOWN);
  CHECK(error.outcome == VCP_OUTCOME_UNKNOWN);
  CHECK(detail::barrier(Outcome::kUnknown, nullptr, [] { throw 42; }) == VCP_UNKNOWN);
}

TEST_CASE("barrier: long texts are cut at a character, short error structs are left alone") {
  vcp_error_t error = detail::emptyError();
  const std::string text = std::string(510, 'a') + "\xe3\x81\x82tail";  // a 3-byte character across the limit
  detail::barrier(Outcome::kUnknown, &error, [&] { throw Error(Code::kInternal, Outcome::kApplied, text); });
  CHECK(std::string(error.message) == std::string(510, 'a'));

  vcp_error_t older = detail::emptyError();
  older.struct_size = 16;
  older.message[0] = '!';
  CHECK(detail::barrier(Outcome::kUnknown, &older, [] { throw std::runtime_error("x"); }) == VCP_UNKNOWN);
  CHECK(older.message[0] == '!');
}

TEST_CASE("entry: descriptor and table follow the class") {
  CHECK(vcp_plugin_v0.magic == VCP_PLUGIN_MAGIC);
  CHECK(vcp_plugin_v0.struct_size == sizeof(vcp_plugin_entry_t));
  CHECK(vcp_plugin_v0.abi_major == VCP_ABI_MAJOR);
  CHECK(vcp_plugin_v0.info->capabilities == VCP_CAP_POWER);
  CHECK(vcp_plugin_v0.info->struct_size == sizeof(vcp_plugin_info_t));
}

TEST_CASE("open: a constructor that throws refuses the configuration") {
  testing::FakeHost host;
  vcp_driver_t driver{};
  driver.struct_size = sizeof driver;
  vcp_error_t error = detail::emptyError();
  CHECK(vcp_plugin_v0.open_driver(host.table(), borrow("bad"), &driver, &error) == VCP_INVALID_ARGUMENT);
  CHECK(driver.instance == nullptr);
  CHECK(vcp_plugin_v0.open_driver(host.table(), borrow("int"), &driver, &error) == VCP_UNKNOWN);
}

TEST_CASE("trampolines: results, item errors and call errors") {
  testing::FakeHost host;
  testing::OpenDriver driver(vcp_plugin_v0, host, "{}");
  vcp_error_t error = detail::emptyError();
  CHECK((driver.ops().list == nullptr));
  CHECK(driver.validate("{}", "{}").empty());
  CHECK(driver.validate("[]", "{}") == "/cloud_params/x: is wrong");
  CHECK(driver.ops().probe(driver.instance(), host.call({}), &error) == VCP_UNKNOWN);
  CHECK(std::string(error.message) == "no route");

  std::vector<Item> items(3);
  for (std::size_t i = 0; i < items.size(); ++i) items[i].index = static_cast<std::int64_t>(i);
  const testing::Answers made = driver.create(host.call({}), "{}", items);
  CHECK(made.code == VCP_OK);
  CHECK(made.items.at(0).done == 1);
  CHECK(made.items.at(0).cloud_id == "m-1");
  CHECK(made.items.at(0).resources.at(0).id == "id-d");
  CHECK(made.items.at(1).error.code == VCP_RESOURCE_EXHAUSTED);
  CHECK(made.items.at(1).error.retry_after_ms == 9);
  CHECK(made.items.at(2).error.outcome == VCP_OUTCOME_UNKNOWN);

  CHECK(driver.create(host.call({}), "int", items).error.outcome == VCP_OUTCOME_UNKNOWN);
  CHECK(driver.destroy(host.call({}), items).code == VCP_RESOURCE_EXHAUSTED);
  CHECK(driver.power(host.call({}), false, items).items.at(2).pending_ms == 5);
  const testing::Seen seen = driver.observe(host.call({}), items);
  CHECK(seen.machines.size() == 3);
  CHECK(seen.machines.at(2).resources.at(0).kind == "nic");

  items[1].name = "unreadable";
  const testing::Seen partly = driver.observe(host.call({}), items);
  CHECK(partly.code == VCP_OK);
  CHECK(partly.machines.size() == 2);
  CHECK(std::string(partly.errors.at(1).message) == "odd");
  CHECK(partly.errors.at(1).outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("sizes: a struct has the fields that its struct_size reaches past, and no others") {
  vcp_error_t error = detail::emptyError();
  CHECK(VCP_HAS(vcp_error_t, &error, message));
  error.struct_size = offsetof(vcp_error_t, message) + sizeof error.message - 1;
  CHECK_FALSE(VCP_HAS(vcp_error_t, &error, message));
  CHECK(VCP_HAS(vcp_error_t, &error, request_id));
  CHECK(detail::fillError(&error, Outcome::kUnknown, VCP_UNAVAILABLE, "no room") == VCP_UNAVAILABLE);
  CHECK(error.code == VCP_OK);            // nothing was written
  error.struct_size = sizeof error + 64;  // of a newer caller
  CHECK(detail::fillError(&error, Outcome::kUnknown, VCP_UNAVAILABLE, "room") == VCP_UNAVAILABLE);
  CHECK(std::string(error.message) == "room");
}

TEST_CASE("extensions: offered by the class, behind the same barrier") {
  testing::FakeHost host;
  const testing::OpenDriver driver(vcp_plugin_v0, host, "{}");
  CHECK(driver.extension<void>("vcp.disk/2") == nullptr);
  CHECK((detail::Entry<Plain>::makeEntry(&kInfo).get_extension == nullptr));

  const testing::OpenDisks disks(driver);
  CHECK(disks.ops().struct_size == sizeof(vcp_disk_ops_t));
  vcp_error_t error = detail::emptyError();
  CHECK(disks.ops().validate(driver.instance(), borrow("{}"), borrow("{}"), &error) == VCP_OK);
  CHECK(disks.ops().validate(driver.instance(), borrow("[]"), borrow("{}"), &error) == VCP_INVALID_ARGUMENT);
  CHECK(std::string(error.message) == "/cloud_params/size: is wrong");

  Items items(2);
  items[1].index = 1;
  Items machines(2);
  machines[0].name = "on";
  machines[1].name = "off";
  CHECK(disks.create(host.call({}), "{}", items).items.at(1).cloud_id == "d-1");
  const testing::Answers thrown = disks.create(host.call({}), "int", items);
  CHECK(thrown.code == VCP_UNKNOWN);
  CHECK(thrown.error.outcome == VCP_OUTCOME_UNKNOWN);
  CHECK(disks.destroy(host.call({}), items).code == VCP_RESOURCE_EXHAUSTED);
  const testing::Answers attached = disks.attach(host.call({}), true, items, machines);
  CHECK(attached.items.at(0).driver_state == "on");
  CHECK(attached.items.at(1).error.code == VCP_FAILED_PRECONDITION);
  CHECK(disks.attach(host.call({}), false, items, machines).items.at(1).pending_ms == 3);

  items[1].name = "unreadable";
  const testing::SeenDisks seen = disks.observe(host.call({}), items);
  CHECK(seen.disks.at(0).state == DiskState::kAttached);
  CHECK(seen.disks.at(0).machine_id == "m-1");
  CHECK(seen.disks.at(0).size_gib == 20);
  CHECK(seen.disks.at(0).resources.at(0).kind == "key");
  CHECK(std::string(seen.errors.at(1).message) == "odd");
  CHECK(seen.errors.at(1).outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("extensions: notices of spot machines") {
  testing::FakeHost host;
  const testing::OpenDriver driver(vcp_plugin_v0, host, "{}");
  struct Kept {
    std::vector<vcp_spot_notice_t> notices;
    std::vector<std::int64_t> failed;
  } kept;
  vcp_spot_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.host_data = &kept;
  sink.notice = [](const vcp_spot_sink_t* s, const vcp_spot_notice_t* notice) {
    CHECK(view(notice->detail) == "marked");
    static_cast<Kept*>(s->host_data)->notices.push_back(*notice);
  };
  sink.error = [](const vcp_spot_sink_t* s, std::int64_t index, const vcp_error_t* error) {
    CHECK(error->outcome == VCP_OUTCOME_NOT_APPLIED);
    static_cast<Kept*>(s->host_data)->failed.push_back(index);
  };
  Items items(2);
  items[1].index = 1;
  items[1].name = "unreadable";
  const testing::RawItems raw(items);
  const auto* spot = driver.extension<vcp_spot_ops_t>(VCP_SPOT_ID);
  REQUIRE(spot != nullptr);
  vcp_error_t error = detail::emptyError();
  CHECK(spot->notices(driver.instance(), host.call({}), raw.pointers.data(), 2, &sink, &error) == VCP_OK);
  REQUIRE(kept.notices.size() == 1);
  CHECK(kept.notices[0].action == VCP_SPOT_TERMINATE);
  CHECK(kept.notices[0].at_wall_ms == 120'000);
  CHECK(kept.failed == std::vector<std::int64_t>{1});
}

TEST_CASE("json: scalars, numbers and what is refused") {
  const Json object = parseObject(R"({"s":"x","n":5,"d":"12","null":null,"list":[1],"b":true})", "test");
  CHECK(textOf(object, "s", "") == "x");
  CHECK(textOf(object, "n", "") == "5");
  CHECK(textOf(object, "b", "") == "true");
  CHECK_FALSE(textOf(object, "null", "").has_value());
  CHECK_FALSE(textOf(object, "absent", "").has_value());
  CHECK_THROWS_AS(textOf(object, "list", "/cloud_params"), Error);
  CHECK(integerOf(object, "d", "", 0, 12) == 12);
  CHECK_THROWS_AS(integerOf(object, "d", "", 0, 11), Error);
  CHECK_THROWS_AS(integerOf(object, "s", "", 0, 11), Error);
  CHECK(parseObject("", "test").empty());
  CHECK_THROWS_AS(parseObject("[]", "test"), Error);
  CHECK_THROWS_AS(parseObject("{", "test"), Error);
  CHECK_THROWS_AS(parseObject(std::string(100000, '['), "test"), Error);
}

TEST_CASE("http: responses as values, failures as errors") {
  testing::FakeHost host;
  CHECK_THROWS_AS(Http{Host(host.table())}, Error);
  testing::ScriptedHttp script(host);
  const Http http{Host(host.table())};
  const Call call(host.call({}));
  script.reply(429, "wait", {{"X-Id", "7"}});
  HttpRequest request;
  request.method = "POST";
  request.url = "https://a.test/";
  request.headers = {{"A", "b"}};
  request.body = "{}";
  const HttpResponse response = http.send(call, request);
  CHECK(response.status == 429);
  CHECK(response.body == "wait");
  CHECK(response.header("x-id") == "7");
  CHECK(response.header("x-i").empty());
  CHECK(script.requests.at(0).body == "{}");
  CHECK(script.requests.at(0).headers.at(0).second == "b");

  script.fail(Code::kUnavailable, Outcome::kUnknown);
  try {
    http.send(call, request);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.code() == Code::kUnavailable);
    CHECK(e.outcome() == Outcome::kUnknown);
  }
}
