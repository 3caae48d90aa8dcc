// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "temp_folder.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_host.h"

using namespace vcp::plugin;
using testing::CallOptions;
using testing::FakeHost;
using testing::OpenDriver;

namespace {

constexpr char kSpec[] =
    R"({"provider":"mock","cloud_params":{"tags":{"a":"b"},"size":"10","access_key":"s3cret"},"labels":{"unit":"web"}})";

/// `count` items with minted names; the strings live as long as this object.
struct Batch {
  explicit Batch(int count, std::string op_id = "op") : op(std::move(op_id)) {
    names.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      names.push_back("vcp-" + op + "-" + std::to_string(i));
      Item item;
      item.index = i;
      item.name = names.back();
      item.create_op = op;
      item.create_index = i;
      item.create_size = count;
      items.push_back(item);
    }
  }
  std::string op;
  std::vector<std::string> names;
  Items items;
};

struct Fixture {
  TempFolder folder;
  FakeHost host;
  OpenDriver driver{vcp_plugin_v0, host,
                    R"({"instance":"mock","data_dir":")" + folder.path() + R"(","evaluation":true,"options":{}})"};

  std::string stateFile() const { return folder.file("mock-cloud.jsonl"); }
  std::string content() const {
    std::stringstream text;
    text << std::ifstream(stateFile()).rdbuf();
    return text.str();
  }
  const vcp_call_t* call(const std::string& op = "op", const std::string& entry = "{}") {
    CallOptions options;
    options.op_id = op;
    options.catalog_entry = entry;
    return host.call(options);
  }
  Observation observe(const Item& item, const std::string& entry = "{}") {
    return driver.observe(call("", entry), {item}).machines.at(item.index);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a machine's life: created, booting, running, off, on, gone") {
  Batch batch(2);
  const auto made = driver.create(call(), kSpec, batch.items);
  REQUIRE(made.code == VCP_OK);
  REQUIRE(made.items.at(0).done == 1);
  const std::string id = made.items.at(0).cloud_id;
  CHECK(id.size() == 22);
  CHECK(id.rfind("mock-", 0) == 0);
  CHECK(made.items.at(0).address == "10.250.0.2");
  CHECK(made.items.at(1).address == "10.250.0.3");

  Item& item = batch.items[0];
  CHECK(observe(item).state == State::kProvisioning);  // by name: the id is not known yet
  CHECK(observe(item).cloud_id == id);
  host.wall_ms += 2999;
  item.cloud_id = id;
  CHECK(observe(item).state == State::kProvisioning);
  host.wall_ms += 1;
  CHECK(observe(item).state == State::kRunning);
  CHECK(observe(item).address == "10.250.0.2");

  CHECK(driver.power(call("off"), false, {item}).items.at(0).done == 1);
  CHECK(driver.power(call("off"), false, {item}).items.at(0).done == 1);
  CHECK(observe(item).state == State::kStopped);
  CHECK(observe(item).reason == Reason::kRequested);
  CHECK(driver.power(call("on"), true, {item}).items.at(0).done == 1);
  CHECK(observe(item).state == State::kProvisioning);
  host.wall_ms += 3000;
  CHECK(observe(item).state == State::kRunning);

  CHECK(driver.destroy(call("del"), {item}).items.at(0).done == 1);
  CHECK(driver.destroy(call("del"), {item}).items.at(0).done == 1);
  CHECK(observe(item).state == State::kGone);
  const auto off = driver.power(call("off2"), false, {item});
  CHECK(off.items.at(0).error.code == VCP_NOT_FOUND);
  CHECK(off.items.at(0).error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(observe(batch.items[1]).state == State::kRunning);
}

TEST_CASE_FIXTURE(Fixture, "create: one token makes one machine, also in another process life") {
  Batch batch(3);
  const auto first = driver.create(call(), kSpec, batch.items);
  const OpenDriver restarted(vcp_plugin_v0, host, R"({"data_dir":")" + folder.path() + R"("})");
  const auto second = restarted.create(call(), kSpec, batch.items);
  for (int i = 0; i < 3; ++i) CHECK(second.items.at(i).cloud_id == first.items.at(i).cloud_id);
  const auto seen = driver.list(call(""));
  CHECK(seen.complete);
  CHECK(seen.machines.size() == 3);

  Item other = batch.items[0];
  other.requested_address = "10.250.9.9";
  const auto mismatch = driver.create(call(), kSpec, {other});
  CHECK(mismatch.items.at(0).error.code == VCP_ALREADY_EXISTS);
  CHECK(mismatch.items.at(0).error.outcome == VCP_OUTCOME_APPLIED);  // by the send that took the token

  driver.destroy(call("del"), batch.items);
  CHECK(driver.create(call(), kSpec, batch.items).items.at(0).cloud_id == first.items.at(0).cloud_id);
  CHECK(driver.list(call("")).machines.empty());
}

TEST_CASE_FIXTURE(Fixture, "list: own machines only, never those of another controller") {
  driver.create(call(), kSpec, Batch(2).items);
  CallOptions foreign;
  foreign.vcc_id = "other";
  driver.create(host.call(foreign), kSpec, Batch(1, "foreign").items);
  CHECK(driver.list(call("")).machines.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "list: what was made by hand is there, what is terminated is not") {
  const Batch batch(1);
  driver.create(call(), kSpec, batch.items);
  CallOptions asking;
  std::ofstream(stateFile(), std::ios::app)
      << R"({"id":"mock-stray","name":"vcp-stray","vcc":")" << asking.vcc_id << R"(","address":"10.250.0.77"})"
      << "\n";
  const auto both = driver.list(call(""));
  CHECK(both.complete);
  REQUIRE(both.machines.size() == 2);
  driver.destroy(call("del"), batch.items);
  const auto left = driver.list(call(""));
  CHECK(left.complete);
  REQUIRE(left.machines.size() == 1);
  const Observation& stray = left.machines.begin()->second;
  CHECK(stray.cloud_id == "mock-stray");
  CHECK(stray.name == "vcp-stray");
  CHECK(stray.address == "10.250.0.77");
  CHECK(stray.found);
}

TEST_CASE_FIXTURE(Fixture, "list: a failed or partial one is never called complete") {
  driver.create(call(), kSpec, Batch(4).items);
  const auto refused = driver.list(call("", R"({"mock_fail":{"list":"1 UNAVAILABLE"}})"));
  CHECK(refused.code == VCP_UNAVAILABLE);
  CHECK_FALSE(refused.complete);
  CHECK(refused.machines.empty());
  const auto partial = driver.list(call("", R"({"mock_fail":{"list":"1 partial"}})"));
  CHECK(partial.code == VCP_OK);
  CHECK_FALSE(partial.complete);
  CHECK(partial.machines.size() == 2);
  CHECK(driver.list(call("", R"({"mock_fail":{"list":"0 partial"}})")).complete);
}

TEST_CASE_FIXTURE(Fixture, "addresses: fixed, taken, outside, reused, used up") {
  Batch batch(4);
  batch.items[0].requested_address = "10.250.0.2";
  batch.items[1].requested_address = "10.250.0.2";
  batch.items[2].requested_address = "192.0.2.1";
  const auto made = driver.create(call(), kSpec, batch.items);
  CHECK(made.items.at(0).address == "10.250.0.2");
  CHECK(made.items.at(1).error.code == VCP_ALREADY_EXISTS);
  CHECK(std::string(made.items.at(1).error.provider_code) == "AddressInUse");
  CHECK(made.items.at(1).error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(made.items.at(2).error.code == VCP_INVALID_ARGUMENT);
  CHECK(made.items.at(3).address == "10.250.0.3");

  driver.destroy(call("del"), {batch.items[0]});
  Batch again(1, "again");
  again.items[0].requested_address = "10.250.0.2";
  CHECK(driver.create(call("op2"), kSpec, again.items).items.at(0).address == "10.250.0.2");

  const std::string small = R"({"private_network_ipmask":"10.1.0.0/29"})";  // .2 to .6
  const auto full = driver.create(call("op3", small), kSpec, Batch(6, "small").items);
  CHECK(full.items.at(4).address == "10.1.0.6");
  CHECK(full.items.at(5).error.code == VCP_RESOURCE_EXHAUSTED);
}

TEST_CASE_FIXTURE(Fixture, "credentials: mock_access_key is compared, secrets stay out of the file") {
  const std::string entry = R"({"mock_access_key":"s3cret"})";
  CallOptions options;
  options.catalog_entry = entry;
  CHECK(driver.create(host.call(options), kSpec, Batch(1).items).code == VCP_UNAUTHENTICATED);
  options.credentials = R"({"access_key":"wrong"})";
  vcp_error_t error = detail::emptyError();
  CHECK(driver.ops().probe(driver.instance(), host.call(options), &error) == VCP_UNAUTHENTICATED);
  CHECK(std::string(error.message).find("s3cret") == std::string::npos);
  options.credentials = R"({"access_key":"s3cret"})";
  CHECK(driver.ops().probe(driver.instance(), host.call(options), &error) == VCP_OK);
  CHECK(driver.create(host.call(options), kSpec, Batch(1).items).items.at(0).done == 1);
  CHECK(content().find("s3cret") == std::string::npos);
  CHECK(content().find(R"("tags":{"a":"b"})") != std::string::npos);
  CHECK(content().find(R"("unit":"web")") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "knobs: latency, rate, batch size") {
  const std::int64_t before = host.mono_ms;
  driver.list(call("", R"({"mock_api_latency_ms":"70"})"));
  CHECK(host.mono_ms - before == 70);
  CallOptions hasty;
  hasty.catalog_entry = R"({"mock_api_latency_ms":"70"})";
  hasty.deadline_ms = 69;
  CHECK(driver.create(host.call(hasty), kSpec, Batch(1).items).code == VCP_DEADLINE_EXCEEDED);
  CHECK(driver.list(call("")).machines.empty());

  const std::string entry = R"({"mock_rate_per_s":"2"})";
  CHECK(driver.list(call("", entry)).code == VCP_OK);
  CHECK(driver.list(call("", entry)).code == VCP_OK);
  const auto refused = driver.create(call("op", entry), kSpec, Batch(1).items);
  CHECK(refused.code == VCP_UNAVAILABLE);
  CHECK(refused.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(refused.error.retry_after_ms == 500);
  host.mono_ms += 500;
  CHECK(driver.create(call("op", entry), kSpec, Batch(1).items).items.at(0).done == 1);

  const Batch big(5, "big");
  const auto step = driver.create(call("big", R"({"mock_max_batch":"3"})"), kSpec, big.items);
  CHECK(step.items.at(2).done == 1);
  CHECK(step.items.at(3).pending == 1);
  CHECK_FALSE(observe(big.items[3]).found);
}

TEST_CASE_FIXTURE(Fixture, "faults: refused, lost answers, dropped requests, failed boots") {
  const Batch batch(1);
  const auto refused =
      driver.create(call("op", R"({"mock_fail":{"create":"1 RESOURCE_EXHAUSTED"}})"), kSpec, batch.items);
  CHECK(refused.items.at(0).error.code == VCP_RESOURCE_EXHAUSTED);
  CHECK(refused.items.at(0).error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK_FALSE(observe(batch.items[0]).found);

  const auto dropped = driver.create(call("op", R"({"mock_fail":{"create":"1 dropped"}})"), kSpec, batch.items);
  CHECK(dropped.items.at(0).error.outcome == VCP_OUTCOME_UNKNOWN);
  CHECK_FALSE(observe(batch.items[0]).found);

  const auto lost = driver.create(call("op", R"({"mock_fail":{"create":"1 lost"}})"), kSpec, batch.items);
  CHECK(lost.items.at(0).error.outcome == VCP_OUTCOME_UNKNOWN);
  CHECK(lost.items.at(0).cloud_id.empty());
  const Observation found = observe(batch.items[0]);
  CHECK(found.found);
  CHECK(driver.create(call(), kSpec, batch.items).items.at(0).cloud_id == found.cloud_id);

  const auto blind = driver.observe(call("", R"({"mock_fail":{"observe":"1 UNAVAILABLE"}})"), batch.items);
  CHECK(blind.code == VCP_UNAVAILABLE);
  CHECK(blind.machines.empty());

  const Batch sick(1, "sick");
  driver.create(call("sick", R"({"mock_boot_ms":"10","mock_fail":{"boot":"1 INTERNAL"}})"), kSpec, sick.items);
  CHECK(observe(sick.items[0]).state == State::kProvisioning);
  host.wall_ms += 10;
  CHECK(observe(sick.items[0]).state == State::kFailed);
  CHECK_FALSE(observe(sick.items[0]).detail.empty());

  int failed = 0;
  const Batch many(200, "many");
  for (const auto& [index, answer] :
       driver
           .create(call("many", R"({"mock_max_batch":"1000","mock_fail":{"create":"0.5 UNAVAILABLE"}})"), kSpec,
                   many.items)
           .items) {
    failed += answer.errors;
  }
  CHECK(failed > 50);
  CHECK(failed < 150);
}

TEST_CASE_FIXTURE(Fixture, "validate: bad values are named by pointer") {
  const auto starts = [&](const std::string& params, const std::string& entry, const std::string& pointer) {
    const std::string text = driver.validate(params, entry);
    CAPTURE(text);
    CHECK(text.rfind(pointer + ": ", 0) == 0);
  };
  CHECK(driver.validate("{}", "{}").empty());
  CHECK(driver
            .validate(
                R"({"ip_address_list":["10.250.1.1"],"tags":{"a":"b"},"volume_id":["v"],"size":"5","access_key":null})",
                "{}")
            .empty());
  starts(R"({"ip_address_list":"10.250.1.1"})", "{}", "/cloud_params/ip_address_list");
  starts(R"({"ip_address_list":["10.250.1.1","10.250.1.1"]})", "{}", "/cloud_params/ip_address_list/1");
  starts(R"({"ip_address_list":["10.251.1.1"]})", "{}", "/cloud_params/ip_address_list/0");
  starts(R"({"tags":["a"]})", "{}", "/cloud_params/tags");
  starts(R"({"size":"0"})", "{}", "/cloud_params/size");
  starts(R"({"volume_id":{}})", "{}", "/cloud_params/volume_id");
  starts("{}", R"({"private_network_ipmask":"10.0.0.0"})", "/catalog_entry/private_network_ipmask");
  starts("{}", R"({"private_network_ipmask":"10.0.0.0/31"})", "/catalog_entry/private_network_ipmask");
  starts("{}", R"({"mock_boot_ms":"soon"})", "/catalog_entry/mock_boot_ms");
  starts("{}", R"({"mock_fail":"x"})", "/catalog_entry/mock_fail");
  starts("{}", R"({"mock_fail":{"creation":"1 lost"}})", "/catalog_entry/mock_fail");
  for (const char* bad : {"1.5 lost", "lost", "0.5", "0.5 WRONG", "-1 lost", "nan lost", "1 partial"}) {
    starts("{}", R"({"mock_fail":{"create":")" + std::string(bad) + R"("}})", "/catalog_entry/mock_fail/create");
  }
}

TEST_CASE_FIXTURE(Fixture, "state file: changes from outside are seen") {
  const Batch batch(2);
  const auto made = driver.create(call(), kSpec, batch.items);
  std::ofstream(stateFile(), std::ios::app)
      << R"({"id":")" << made.items.at(0).cloud_id << R"(","state":"stopped","reason":"interrupted"})"
      << "\n";
  CHECK(observe(batch.items[0]).state == State::kStopped);
  CHECK(observe(batch.items[0]).reason == Reason::kInterrupted);

  std::string kept;
  std::istringstream lines(content());
  for (std::string line; std::getline(lines, line);) {
    if (line.find(made.items.at(1).cloud_id) == std::string::npos) kept += line + "\n";
  }
  std::ofstream(stateFile(), std::ios::trunc) << kept;
  CHECK_FALSE(observe(batch.items[1]).found);
  CHECK(observe(batch.items[0]).found);

  std::ofstream(stateFile(), std::ios::app) << "not json\n{\"id\":\"mock-x\"}\n{\"id\":5}\n[]\n{\"torn\":";
  CHECK(observe(batch.items[0]).found);
  CHECK(host.logged("MOCK_STATE_LINES_SKIPPED") == 1);
  CHECK(driver.create(call("op2"), kSpec, Batch(1, "next").items).items.at(0).done == 1);
  CHECK(driver.list(call("")).machines.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "state file: history is compacted, machines and tokens survive") {
  const Batch batch(1);
  const auto made = driver.create(call(), kSpec, batch.items);
  for (int i = 0; i < 1500; ++i) driver.power(call("p" + std::to_string(i)), i % 2 == 1, batch.items);
  const std::string text = content();
  CHECK(std::count(text.begin(), text.end(), '\n') < 1100);
  CHECK(driver.create(call(), kSpec, batch.items).items.at(0).cloud_id == made.items.at(0).cloud_id);
  CHECK(text.find(R"("unit":"web")") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "state file: an unusable one is a clear error, nothing applied") {
  const auto made = driver.create(call("op", R"({"mock_state_file":"no/such/folder.jsonl"})"), kSpec, Batch(1).items);
  CHECK(made.code == VCP_UNAVAILABLE);
  CHECK(made.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(made.error.message).find("no/such/folder.jsonl") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "concurrency: 50 creates at once, each with its own machine and address") {
  std::vector<std::thread> threads;
  std::vector<std::string> addresses(50);
  for (int t = 0; t < 50; ++t) {
    threads.emplace_back([&, t] {
      const Batch batch(1, "t" + std::to_string(t));
      addresses[static_cast<std::size_t>(t)] =
          driver.create(call("op" + std::to_string(t)), kSpec, batch.items).items.at(0).address;
      driver.observe(call(""), batch.items);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::set<std::string>(addresses.begin(), addresses.end()).size() == 50);
  CHECK(driver.list(call("")).machines.size() == 50);
}

TEST_CASE_FIXTURE(Fixture, "two processes share one cloud") {
  constexpr int kEach = 40;
  // Creates machines one by one; returns how many were made.
  const auto createAll = [](const OpenDriver& in, FakeHost& by, const std::string& prefix) {
    int made = 0;
    for (int i = 0; i < kEach; ++i) {
      CallOptions options;
      options.op_id = prefix + std::to_string(i);
      // The fake host's sleep moves its clock without waiting, so trying for the lock must not use up the deadline.
      options.deadline_ms = std::int64_t{1} << 40U;
      const auto answers = in.create(by.call(options), kSpec, Batch(1, options.op_id).items);
      made += answers.items.count(0) > 0 ? answers.items.at(0).done : 0;
    }
    return made;
  };
  const pid_t child = fork();
  if (child == 0) {
    FakeHost other_host(2);
    const OpenDriver other(vcp_plugin_v0, other_host, R"({"data_dir":")" + folder.path() + R"("})");
    _exit(createAll(other, other_host, "c") == kEach ? 0 : 1);
  }
  CHECK(createAll(driver, host, "p") == kEach);
  int status = 1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);

  std::set<std::string> addresses;
  const auto seen = driver.list(call(""));
  for (const auto& [index, machine] : seen.machines) addresses.insert(machine.address);
  CHECK(seen.machines.size() == 2 * kEach);
  CHECK(addresses.size() == 2 * kEach);
}

TEST_CASE_FIXTURE(Fixture, "cancel: a cancelled call changes nothing") {
  host.cancelled = true;
  const auto made = driver.create(call(), kSpec, Batch(1).items);
  CHECK(made.code == VCP_CANCELLED);
  CHECK(made.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  host.cancelled = false;
  CHECK(driver.list(call("")).machines.empty());
}
