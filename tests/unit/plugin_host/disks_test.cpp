// SPDX-License-Identifier: Apache-2.0
// Disks through the adapter and everything around it, on mock's .so.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "plugin_host/interposers/checking.h"
#include "plugin_host/plugin_json.h"
#include "rig.h"

using namespace vcc;
using test::callFor;
using test::refs;
using test::Rig;

namespace {

constexpr char kDiskSpec[] = R"({"provider":"mock","cloud_params":{"size":"20"},"labels":{}})";
constexpr char kFastDisk[] = R"({"mock_boot_ms":"0"})";

CallContext onDisks(const std::string& op, const std::string& entry = kFastDisk) {
  CallContext call = callFor(op, entry);
  call.kind = UnitKind::kStorage;
  return call;
}

/// The disk with the machine that it is to hang on.
MachineRef on(MachineRef disk, const MachineRef& machine) {
  disk.machine = std::make_shared<const MachineRef>(machine);
  return disk;
}

}  // namespace

TEST_CASE("disks: a life on mock, bare and through all interposers") {
  for (const bool bare : {true, false}) {
    CAPTURE(bare);
    Rig rig;
    rig.config.bare = bare;
    rig.provider("mock.yml", "plugin: mock.so\nlog_calls: true\n");
    REQUIRE(rig.load().ok());
    Driver& driver = rig.driver("mock");
    CHECK(driver.info().offers_disks);
    CHECK(driver.info().attach_needs == AttachNeeds::kAny);
    CHECK(driver.info().disk_keys == std::vector<std::string>{"volume_id"});
    CHECK(driver.validateDisks(R"({"size":"20"})", kFastDisk).ok());
    CHECK(driver.validateDisks(R"({"size":"0"})", kFastDisk).message().starts_with("/cloud_params/size"));

    std::vector<MachineRef> disks = refs(2, "vcp-disk-");
    const auto made = driver.create(onDisks("op-d"), kDiskSpec, disks);
    REQUIRE(made.size() == 2);
    for (std::size_t i = 0; i < made.size(); ++i) {
      REQUIRE(made[i].state == ItemState::kDone);
      CHECK(made[i].address.empty());
      disks[i].cloud_id = made[i].cloud_id;
    }
    CHECK(driver.create(onDisks("op-d"), kDiskSpec, disks)[1].cloud_id == disks[1].cloud_id);
    std::vector<MachineRef> machines = refs(2, "vcp-machine-");
    const auto booted = driver.create(callFor("op-m", kFastDisk), R"({"provider":"mock","cloud_params":{}})", machines);
    for (std::size_t i = 0; i < booted.size(); ++i) machines[i].cloud_id = booted[i].cloud_id;

    auto seen = driver.observe(onDisks(""), disks);
    CHECK(seen[0].state == MachineState::kRunning);
    CHECK(seen[0].size_gib == 20);
    CHECK(seen[0].holder.empty());
    CHECK_FALSE(driver.observe(callFor("", kFastDisk), disks)[0].found);  // a disk is no machine

    const std::vector<MachineRef> pairs{on(disks[0], machines[0]), on(disks[1], machines[0])};
    for (int time = 0; time < 2; ++time) {
      for (const ItemResult& done : driver.attach(onDisks("op-a"), true, pairs)) CHECK(done.state == ItemState::kDone);
    }
    seen = driver.observe(onDisks(""), disks);
    CHECK(seen[1].attached);
    CHECK(seen[1].holder == machines[0].cloud_id);
    MachineRef foreign;  // known by its id only
    foreign.cloud_id = disks[0].cloud_id;
    CHECK(driver.observe(onDisks(""), {foreign})[0].holder == machines[0].cloud_id);
    const auto taken = driver.attach(onDisks("op-b"), true, {on(foreign, machines[1])});
    CHECK(taken[0].error.code() == Code::kFailedPrecondition);
    CHECK(taken[0].error.outcome() == Outcome::kNotApplied);
    CHECK(driver.destroy(onDisks("op-c"), {disks[0]})[0].error.code() == Code::kFailedPrecondition);

    CHECK(driver.attach(onDisks("op-e"), false, {on(foreign, machines[1])})[0].state == ItemState::kDone);
    CHECK(driver.observe(onDisks(""), {foreign})[0].attached);  // it hung on another one
    CHECK(driver.attach(onDisks("op-e"), false, {pairs[0]})[0].state == ItemState::kDone);
    CHECK_FALSE(driver.observe(onDisks(""), {foreign})[0].attached);
    CHECK(driver.destroy(callFor("op-f", kFastDisk), machines)[0].state == ItemState::kDone);
    CHECK(driver.observe(onDisks(""), disks)[1].holder.empty());  // it survived its machine
    CHECK(driver.destroy(onDisks("op-g"), disks)[1].state == ItemState::kDone);
    CHECK_FALSE(driver.observe(onDisks(""), disks)[1].found);
    CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 0);
    if (!bare) {
      CHECK(rig.log.all().find("call=attach of=disks") != std::string::npos);
      CHECK(rig.log.all().find("attached to " + machines[0].cloud_id) != std::string::npos);
    }
  }
}

TEST_CASE("disks: a driver without them refuses every call for them, and nothing is sent") {
  Rig rig;
  rig.plain("onpremises");
  REQUIRE(rig.load().ok());
  Driver& driver = rig.driver("onpremises");
  CHECK_FALSE(driver.info().offers_disks);
  CHECK(driver.validateDisks("{}", "{}").code() == Code::kUnimplemented);
  const auto refused = [](const std::vector<ItemResult>& results) {
    return results.size() == 1 && results[0].error.code() == Code::kUnimplemented &&
           results[0].error.outcome() == Outcome::kNotApplied;
  };
  CHECK(refused(driver.create(onDisks("a"), kDiskSpec, refs(1))));
  CHECK(refused(driver.destroy(onDisks("a"), refs(1))));
  CHECK(refused(driver.attach(onDisks("a"), true, {on(refs(1)[0], refs(1, "vcp-m-")[0])})));
  CHECK(driver.observe(onDisks(""), refs(1))[0].error.code() == Code::kUnimplemented);
}

TEST_CASE("disks: an answer that is none is an error of its disk") {
  Rig rig;
  rig.config.bare = true;
  rig.plain("offers_disk");
  REQUIRE(rig.load().ok());
  CHECK(rig.driver("offers_disk").create(onDisks("a"), kDiskSpec, refs(1))[0].error.code() == Code::kUnimplemented);
  CHECK(rig.driver("offers_disk").observe(onDisks(""), refs(1))[0].error.code() == Code::kUnimplemented);
}

TEST_CASE("disks: one machine may stand in several items of a call, and in no other call") {
  /// Asks for its machine in a second call while it is in the first.
  class Nested final : public Driver {
   public:
    const DriverInfo& info() const override { return info_; }
    Status validate(const std::string&, const std::string&) override { return okStatus(); }
    Status probe(const CallContext&) override { return okStatus(); }
    std::vector<ItemResult> create(const CallContext&, const std::string&, const std::vector<MachineRef>&) override {
      return {};
    }
    std::vector<ItemResult> destroy(const CallContext&, const std::vector<MachineRef>& items) override {
      return std::vector<ItemResult>(items.size(), {.state = ItemState::kDone});
    }
    std::vector<ItemResult> power(const CallContext&, bool, const std::vector<MachineRef>&) override { return {}; }
    std::vector<ItemResult> attach(const CallContext&, bool, const std::vector<MachineRef>& disks) override {
      nested = checking->destroy(callFor("inner"), {*disks[0].machine})[0].error.code();
      return std::vector<ItemResult>(disks.size(), {.state = ItemState::kDone});
    }
    std::vector<Observation> observe(const CallContext&, const std::vector<MachineRef>&) override { return {}; }
    Status list(const CallContext&, const std::function<void(const Observation&)>&, bool*) override {
      return okStatus();
    }
    Driver* checking = nullptr;
    Code nested = Code::kOk;

   private:
    DriverInfo info_;
  };
  test::CountingLogger log;
  const auto nested = std::make_shared<Nested>();
  CheckingDriver checking(nested, "nested", log);
  nested->checking = &checking;
  const std::vector<MachineRef> disks = refs(2, "vcp-disk-");
  const MachineRef machine = refs(1, "vcp-machine-")[0];
  for (const ItemResult& done : checking.attach(onDisks("a"), true, {on(disks[0], machine), on(disks[1], machine)})) {
    CHECK(done.state == ItemState::kDone);
  }
  CHECK(nested->nested == Code::kAborted);
  CHECK(checking.destroy(callFor("later"), {machine})[0].state == ItemState::kDone);
}

TEST_CASE("disks: which keys of the schema name them") {
  const auto keys = schemaKeys(R"({"properties":{"a":{"x-vcp-disks":true},"b":{},"c":{"x-vcp-secret":true}}})");
  REQUIRE(keys.ok());
  CHECK(keys->disks == std::vector<std::string>{"a"});
  CHECK(keys->clear == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(schemaKeys(R"({"properties":{"a":{"x-vcp-disks":true,"x-vcp-secret":true}}})").ok());
}
