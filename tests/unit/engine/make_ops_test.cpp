// SPDX-License-Identifier: Apache-2.0
// What the engine asks a cloud for: batches, addresses, access.
#include "store/schema.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

std::string smallNetwork(const std::string& mask) {
  return "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: " + mask +
         "\n    cloud_instance_dns_servers: 10.0.0.2\n";
}

/// A cloud that gives no addresses.
struct AddressRig : EngineRig {
  std::string vcid;
  std::vector<std::string> given;
  explicit AddressRig(const std::string& mask) : EngineRig(smallNetwork(mask)) {
    driver->facts.needs_address = true;
    driver->script = [this](const std::string& call, const CallContext&, const MachineRef& ref) {
      if (call == "create") given.push_back(ref.requested_address);
      return FakeDriver::Fate{};
    };
    vcid = newVc();
  }
  Status add(const std::string& name, int nodes, const std::string& params = "") {
    return commands->addUnit(caller, vcid, name, unitCci(name, nodes, params));
  }
  std::size_t reserved() const {
    std::size_t count = 0;
    store->read([&](const ReadTx& tx) { count = tx.addresses().size(); });
    return count;
  }
};

}  // namespace

TEST_CASE("a cloud that gives no addresses gets one with each machine") {
  AddressRig rig("10.0.0.1/29");  // hosts .1 to .6; .1 and the name server .2 are taken by the entry itself
  REQUIRE(rig.add("fixed", 1, "        ip_address_list: ['10.0.0.4']\n").ok());
  REQUIRE(rig.add("web", 2).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  std::sort(rig.given.begin(), rig.given.end());
  CHECK(rig.given == std::vector<std::string>{"10.0.0.3", "10.0.0.4", "10.0.0.5"});
  CHECK(rig.reserved() == 3);

  // One is left: the second is refused with a conflict before anything is written.
  const Status refused = rig.add("two", 2);
  CHECK(refused.code() == Code::kFailedPrecondition);
  CHECK(refused.message().find("private_network_ipmask") != std::string::npos);
  CHECK(rig.commands->addNodes(rig.caller, rig.vcid, "web", {.count = 2}).code() == Code::kFailedPrecondition);
  REQUIRE(rig.add("one", 1).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 4; }));
  CHECK(rig.given.back() == "10.0.0.6");

  // What is free again is given again.
  REQUIRE(rig.commands->deleteUnit(rig.caller, rig.vcid, "web", true).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().size() == 2; }));
  CHECK(rig.reserved() == 2);
  REQUIRE(rig.add("web", 2).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 4; }));
}

TEST_CASE("no address is left when the machine is made: a fault that says so, until one is free") {
  AddressRig rig("10.0.0.1/29");
  REQUIRE(rig.add("web", 4).ok());
  // Somebody takes an address after the request was let in.
  REQUIRE(
      rig.store->transact([&](Tx& tx) {
                 return tx.addresses().put({"fake", "default", "10.0.0.3", "other", "other"});
               })
          .ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  CHECK_FALSE(rig.runUntil([&] { return rig.count(State::kRunning) == 4; }, 60000));
  bool told = false;
  for (const Node& node : rig.nodes()) {
    told = told || node.fault.text.find("no address of 10.0.0.0/29") != std::string::npos;
  }
  CHECK(told);
  REQUIRE(rig.store
              ->transact([&](Tx& tx) -> Status {
                tx.addresses().erase(Schema<Address>::key({"fake", "default", "10.0.0.3", "", ""}));
                return okStatus();
              })
              .ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 4; }));
}

TEST_CASE("a chosen address follows its machine: a refused create gives it back") {
  AddressRig rig("10.0.0.1/29");
  rig.driver->script = [](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    fate.apply = call != "create";
    if (call == "create") fate.error = Status(Code::kPermissionDenied, "no", Outcome::kNotApplied);
    return fate;
  };
  REQUIRE(rig.add("web", 2).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 2; }));
  CHECK(rig.reserved() == 0);
}

TEST_CASE("a network without a range cannot serve a cloud that gives no addresses") {
  EngineRig rig("cci_version: '1.0'\nfake:\n  default: {}\n");
  rig.driver->facts.needs_address = true;
  CHECK(rig.commands->addUnit(rig.caller, rig.newVc(), "web", unitCci("web", 1)).code() == Code::kInvalidArgument);
}

TEST_CASE("machines with and without a fixed address do not share an op") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(
      rig.commands
          ->addUnit(rig.caller, vcid, "web", unitCci("web", 2, "        ip_address_list: ['10.0.0.8', '10.0.0.9']\n"))
          .ok());
  REQUIRE(rig.commands->addNodes(rig.caller, vcid, "web", {.count = 3}).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 5; }));
  std::vector<std::string> calls = rig.driver->calls;
  std::sort(calls.begin(), calls.end());
  CHECK(calls == std::vector<std::string>{"create x2", "create x3"});
}

TEST_CASE("a machine is asked for with what the controller needs to log in to it") {
  EngineRig rig;
  rig.options.public_key = "ssh-ed25519 AAAA occtr";
  rig.crash();
  std::string spec;
  struct Spy final : FakeDriver {
    std::string* spec = nullptr;
    std::vector<ItemResult> create(const CallContext& call, const std::string& text,
                                   const std::vector<MachineRef>& items) override {
      *spec = text;
      return FakeDriver::create(call, text, items);
    }
  };
  const auto spy = std::make_shared<Spy>();
  spy->spec = &spec;
  rig.registry.replace(spy);
  const std::string vcid = rig.newVc();
  SUBCASE("as the user of the CCI") {
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1, "        user_name: admin\n")).ok());
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
    CHECK(spec.find(R"("user":"admin")") != std::string::npos);
  }
  SUBCASE("as ubuntu otherwise") {
    REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
    REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
    CHECK(
        spec.find(R"("access":{"user":"ubuntu","public_keys":["ssh-ed25519 AAAA occtr"],"user_data":"#cloud-config)") !=
        std::string::npos);
  }
}

TEST_CASE("machines of one place are given back together") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 12)).ok());
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "db", unitCci("db", 3)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 15; }));
  rig.driver->calls.clear();
  std::string bad;
  SUBCASE("all at once") {}
  SUBCASE("one of them fails, and does not hold the others") {
    rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef& ref) {
      FakeDriver::Fate fate;
      if (call != "destroy") return fate;
      if (bad.empty()) bad = ref.name;
      if (ref.name == bad) {
        fate.apply = false;
        fate.error = Status(Code::kPermissionDenied, "it is protected", Outcome::kNotApplied);
      }
      return fate;
    };
  }
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  const std::size_t left = rig.driver->script ? 1 : 0;
  REQUIRE(rig.runUntil([&] { return rig.nodes().size() == left; }, 60000));
  REQUIRE(rig.driver->calls.size() >= 2);
  CHECK(rig.driver->calls[0] == "destroy x10");
  CHECK(rig.driver->calls[1] == "destroy x5");
  for (std::size_t i = 2; i < rig.driver->calls.size(); ++i) CHECK(rig.driver->calls[i] == "destroy x1");
  if (left == 1) {
    CHECK(rig.nodes().front().fault.text.find("it is protected") != std::string::npos);
    rig.driver->script = {};
    REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  }
  CHECK(rig.driver->cloud.empty());
  CHECK(rig.openOps() == 0);
}

TEST_CASE("one bad item that spoils the whole destroy is parted from the others") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 5)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 5; }));
  const std::string bad = rig.machines().front().name;
  struct Picky final : FakeDriver {
    std::string bad;
    std::vector<ItemResult> destroy(const CallContext& call, const std::vector<MachineRef>& items) override {
      const bool spoilt = std::any_of(items.begin(), items.end(), [&](const MachineRef& m) { return m.name == bad; });
      if (!spoilt) return FakeDriver::destroy(call, items);
      const Status error(Code::kInvalidArgument, "malformed id", Outcome::kNotApplied);
      return std::vector<ItemResult>(items.size(), {.error = error});
    }
  };
  const auto picky = std::make_shared<Picky>();
  picky->cloud = rig.driver->cloud;
  picky->bad = bad;
  rig.registry.replace(picky);
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().size() == 1; }, 300000));
  CHECK(picky->cloud.size() == 1);
  CHECK(picky->cloud.contains(bad));
}
