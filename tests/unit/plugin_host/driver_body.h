// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "plugin_host/driver.h"

/// What any driver must do, whatever is around it: one body of tests for the bare drivers and for each interposer.
namespace vcc::test {

constexpr char kVccId[] = "0123456789abcdef0123456789abcdef";

/// Drivers to be put through the body, and the words with which each is asked.
struct Subject {
  std::string name;
  std::shared_ptr<Driver> driver;     ///< a cloud of machines that run at once; can power and list
  std::shared_ptr<Driver> remembers;  ///< makes "nic" first, with driver_state "step 1", pending for 250 ms; then done
  std::string params;                 ///< cloud_params that it likes
  std::string bad_params;             ///< and that it does not
  std::string entry;                  ///< catalog entry
  std::string slow_entry;             ///< with which every call takes ten minutes, unless cancelled or out of time
  std::string refusing_entry;         ///< with which each item of a create is UNAVAILABLE, not applied
};

inline CallContext bodyCall(const std::string& op, const std::string& entry) {
  CallContext call;
  call.op_id = op;
  call.catalog_entry = entry;
  call.credentials = SecretString("{}");
  call.vcc_id = kVccId;
  call.deadline_ms = 30000;
  return call;
}

inline std::vector<MachineRef> bodyRefs(std::size_t count, const std::string& group) {
  std::vector<MachineRef> items(count);
  for (std::size_t i = 0; i < count; ++i) {
    items[i].index = static_cast<std::int64_t>(10 * i + 3);  // a handle, not a position
    items[i].name = "vcp-01234567-" + group + "-" + std::to_string(i);
    items[i].create_op = "op-" + group;
    items[i].create_index = static_cast<std::int64_t>(i);
    items[i].create_size = static_cast<std::int64_t>(count);
  }
  return items;
}

inline std::set<std::string> listed(Driver& driver, const CallContext& call) {
  std::set<std::string> names;
  bool complete = false;
  const Status status = driver.list(
      call, [&](const Observation& seen) { names.insert(seen.name); }, &complete);
  CHECK(status.ok());
  CHECK(complete);
  return names;
}

inline void checkLife(const Subject& subject) {
  Driver& driver = *subject.driver;
  const std::string spec = R"({"provider":")" + driver.info().provider + R"(","cloud_params":{},"labels":{}})";
  const auto call = [&](const std::string& op) { return bodyCall(op, subject.entry); };

  CHECK(driver.validate(subject.params, subject.entry).ok());
  const Status bad = driver.validate(subject.bad_params, subject.entry);
  CHECK(bad.code() == Code::kInvalidArgument);
  CHECK(bad.message().find("/cloud_params/") == 0);
  CHECK(driver.probe(call("")).ok());

  std::vector<MachineRef> items = bodyRefs(5, "life");
  const auto made = driver.create(call("op-life"), spec, items);
  REQUIRE(made.size() == 5);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < made.size(); ++i) {
    REQUIRE(made[i].state == ItemState::kDone);
    ids.insert(items[i].cloud_id = made[i].cloud_id);
  }
  CHECK(ids.size() == 5);
  CHECK(driver.create(call("op-life"), spec, items)[3].cloud_id == made[3].cloud_id);
  CHECK(listed(driver, call("")).size() == 5);

  const auto seen = driver.observe(call(""), items);
  REQUIRE(seen.size() == 5);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].error.ok());
    CHECK(seen[i].found);
    CHECK(seen[i].state == MachineState::kRunning);
    CHECK(seen[i].cloud_id == items[i].cloud_id);
    CHECK_FALSE(seen[i].address.empty());
  }

  CHECK(driver.power(call("off"), false, {items[3]})[0].state == ItemState::kDone);
  CHECK(driver.observe(call(""), {items[3]})[0].state == MachineState::kStopped);
  CHECK(driver.power(call("on"), true, {items[3]})[0].state == ItemState::kDone);
  CHECK(driver.observe(call(""), {items[3]})[0].state == MachineState::kRunning);
  const auto nobody = driver.power(call("none"), true, bodyRefs(1, "nobody"));
  CHECK(nobody[0].error.code() == Code::kNotFound);
  CHECK(nobody[0].error.outcome() == Outcome::kNotApplied);

  for (int time = 0; time < 2; ++time) {
    for (const ItemResult& gone : driver.destroy(call("del"), items)) CHECK(gone.state == ItemState::kDone);
  }
  for (const Observation& gone : driver.observe(call(""), items)) {
    CHECK(gone.error.ok());
    CHECK((!gone.found || gone.state == MachineState::kGone));
  }
  CHECK(listed(driver, call("")).empty());
}

inline void checkErrors(const Subject& subject) {
  Driver& driver = *subject.driver;
  std::vector<MachineRef> first = bodyRefs(1, "first");
  first[0].requested_address = "10.250.0.77";
  REQUIRE(driver.create(bodyCall("op-first", subject.entry), "{}", first)[0].state == ItemState::kDone);
  std::vector<MachineRef> batch = bodyRefs(3, "batch");
  batch[1].requested_address = "10.250.0.77";
  const auto made = driver.create(bodyCall("op-batch", subject.entry), "{}", batch);
  REQUIRE(made.size() == 3);
  CHECK(made[0].state == ItemState::kDone);
  CHECK(made[1].state == ItemState::kFailed);
  CHECK(made[1].error.code() == Code::kAlreadyExists);
  CHECK(made[1].error.outcome() == Outcome::kNotApplied);
  CHECK(made[1].error.providerCode() == "AddressInUse");
  CHECK(made[2].state == ItemState::kDone);
  CHECK_FALSE(driver.observe(bodyCall("", subject.entry), batch)[1].found);

  const auto refused = driver.create(bodyCall("op-no", subject.refusing_entry), "{}", bodyRefs(2, "refused"));
  REQUIRE(refused.size() == 2);
  CHECK(refused[1].error.code() == Code::kUnavailable);
  CHECK(refused[1].error.outcome() == Outcome::kNotApplied);
  CHECK_FALSE(driver.observe(bodyCall("", subject.entry), bodyRefs(2, "refused"))[0].found);
}

inline void checkTime(const Subject& subject) {
  Driver& driver = *subject.driver;
  CallContext call = bodyCall("op-late", subject.slow_entry);
  call.deadline_ms = 120;
  const auto late = driver.create(call, "{}", bodyRefs(1, "late"));
  CHECK(late[0].error.code() == Code::kDeadlineExceeded);
  CHECK(late[0].error.outcome() == Outcome::kNotApplied);

  std::atomic<bool> cancelled{false};
  call.deadline_ms = 30000;
  call.cancelled = &cancelled;
  std::vector<ItemResult> result;
  {
    Thread caller("caller", [&] { result = driver.create(call, "{}", bodyRefs(1, "late")); });
    cancelled = true;
  }
  CHECK(result[0].error.code() == Code::kCancelled);
  CHECK(result[0].error.outcome() == Outcome::kNotApplied);
  CHECK_FALSE(driver.observe(bodyCall("", subject.entry), bodyRefs(1, "late"))[0].found);
}

inline void checkMemory(const Subject& subject) {
  Driver& driver = *subject.remembers;
  std::vector<MachineRef> items = bodyRefs(2, "memory");
  const auto first = driver.create(bodyCall("op-memory", subject.entry), "{}", items);
  REQUIRE(first.size() == 2);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].state == ItemState::kPending);
    CHECK(first[i].retry_after_ms == 250);
    REQUIRE(first[i].has_driver_state);
    items[i].driver_state = first[i].driver_state;
    REQUIRE(first[i].resources.size() == 1);
    CHECK(first[i].resources[0] == Resource{"nic", "the-nic", "nic-1"});
    items[i].resources = first[i].resources;
  }
  for (const ItemResult& second : driver.create(bodyCall("op-memory", subject.entry), "{}", items)) {
    CHECK(second.state == ItemState::kDone);
    CHECK(second.cloud_id == "m-1");
    CHECK(second.driver_state == "step 2");
  }
}

/// The whole body.
inline void checkDriver(const Subject& subject) {
  CAPTURE(subject.name);
  checkLife(subject);
  checkErrors(subject);
  checkTime(subject);
  checkMemory(subject);
}

}  // namespace vcc::test
