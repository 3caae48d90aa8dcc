// SPDX-License-Identifier: Apache-2.0
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {
std::vector<std::string> list(std::initializer_list<std::string> lines) { return lines; }
}  // namespace

TEST_CASE("every change of a UnitGroup, unit and node leaves its event, with where from and why") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  REQUIRE(
      rig.commands
          ->renameVc(rig.caller, vcid, base64Encode("- vc:\n    type: compute\n    name: h\n    description: \"d\"\n"))
          .ok());
  REQUIRE(rig.store->transact([](Tx& tx) { return tx.users().put({.name = "anna"}); }).ok());
  REQUIRE(rig.commands->changeOwner(rig.caller, vcid, "anna").ok());
  const Caller anna{.principal = {.user = "anna", .token_head = "s.anna"}};
  REQUIRE(rig.commands->deleteVc(anna, vcid, true).ok());
  REQUIRE(rig.commands->deleteVc(anna, vcid, true).ok());  // says nothing new
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));

  CHECK(rig.events("node 1 of unit web") == list({"node 1 of unit web:  > BOOTING (added by nobody)",
                                                  "node 1 of unit web: BOOTING > RUNNING (goal reached)",
                                                  "node 1 of unit web: RUNNING > DELETING (goal GONE by anna)",
                                                  "node 1 of unit web: DELETING > gone (gone)"}));
  CHECK(rig.events("unit web") ==
        list({"unit web:  > BOOTING (added by nobody)", "unit web: RUNNING > DELETING (deleted by anna)",
              "unit web: DELETING > gone (it has no node left)"}));
  CHECK(rig.events("vc g") ==
        list({"vc g:  > RUNNING (created by nobody)", "vc g: name g > name h (renamed by nobody)"}));
  CHECK(rig.events("vc h") ==
        list({"vc h: owner nobody > owner anna (given by nobody)", "vc h: RUNNING > DELETING (deleted by anna)",
              "vc h: DELETING > gone (it has no unit left)"}));
  CHECK(rig.events().size() == 12);
}

TEST_CASE("the event of a state that the engine reached names its op: where the machine came from, or what ended it") {
  EngineRig rig;
  std::string destroy;
  rig.driver->script = [&](const std::string& call, const CallContext& context, const MachineRef&) {
    if (call == "destroy") destroy = context.op_id;
    return FakeDriver::Fate{};
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  const auto ops = [&] {
    std::vector<std::string> all;
    rig.store->read([&](const ReadTx& tx) {
      tx.events().scan([&](const Event& event) {
        all.push_back(event.op_id);
        return true;
      });
    });
    return all;
  };
  REQUIRE(rig.machines().size() == 1);
  const std::string create = rig.machines().front().create_op;
  CHECK(ops() == list({"", "", "", create}));
  REQUIRE(rig.commands->deleteNode(rig.caller, vcid, "web", rig.nodes().front().node_id).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  CHECK_FALSE(destroy.empty());
  CHECK(ops() == list({"", "", "", create, "", destroy}));
}

TEST_CASE("a failed boot says why in its event; an empty unit is deleted with both events at once") {
  EngineRig rig;
  std::string create;
  rig.driver->script = [&](const std::string& call, const CallContext& context, const MachineRef&) {
    FakeDriver::Fate fate;
    fate.apply = call != "create";
    if (call == "create") fate.error = Status(Code::kUnauthenticated, "the key is not known", Outcome::kNotApplied);
    if (call == "create") create = context.op_id;
    return fate;
  };
  const std::string vcid = rig.newVc();
  REQUIRE(rig.commands->addUnit(rig.caller, vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kError) == 1; }));
  CHECK(rig.events().back() == "node 1 of unit web: BOOTING > ERROR (creating a machine failed: the key is not known)");
  std::string told;
  rig.store->read([&](const ReadTx& tx) {
    tx.events().scan([&](const Event& event) {
      told = event.op_id;
      return true;
    });
  });
  CHECK(told == create);
  REQUIRE(rig.commands->deleteNode(rig.caller, vcid, "web", rig.nodes().front().node_id).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  const std::size_t before = rig.events().size();
  REQUIRE(rig.commands->deleteUnit(rig.caller, vcid, "web", false).ok());
  CHECK(rig.events().size() == before + 2);
  CHECK(rig.events().back() == "unit web: DELETING > gone (it has no node left)");
}
