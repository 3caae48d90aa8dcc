// SPDX-License-Identifier: Apache-2.0
#include "engine/frozen_request.h"

#include "secrets/sealed_records.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

std::string catalogWith(const std::string& value) {
  return "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n    fake_zone: " + value +
         "\n    ssh_port: 22\n";
}

/// Keeps what each call was given.
struct Recorder final : FakeDriver {
  std::vector<std::string> entries;
  std::vector<std::string> specs;
  std::vector<ItemResult> create(const CallContext& call, const std::string& spec,
                                 const std::vector<MachineRef>& items) override {
    entries.push_back(call.catalog_entry);
    specs.push_back(spec);
    return FakeDriver::create(call, spec, items);
  }
  std::vector<ItemResult> destroy(const CallContext& call, const std::vector<MachineRef>& items) override {
    entries.push_back(call.catalog_entry);
    return FakeDriver::destroy(call, items);
  }
  std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) override {
    entries.push_back(call.catalog_entry);
    return FakeDriver::observe(call, refs);
  }
};

struct RecordingRig : EngineRig {
  std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
  std::string vcid;
  RecordingRig() : EngineRig(catalogWith("tokyo")) {
    registry.replace(recorder);
    vcid = newVc();
  }
  void edit(const std::string& yaml) { catalog = std::make_shared<const Catalog>(std::move(*Catalog::parse(yaml))); }
  std::size_t requests() const {
    std::size_t count = 0;
    store->read([&](const ReadTx& tx) { count = tx.requests().size(); });
    return count;
  }
  bool allSaw(std::string_view word) const {
    return !recorder->entries.empty() &&
           std::all_of(recorder->entries.begin(), recorder->entries.end(),
                       [&](const std::string& entry) { return entry.find(word) != std::string::npos; });
  }
};

}  // namespace

TEST_CASE("what is frozen comes out as it went in; damage is told") {
  const FrozenRequest request{R"({"a":"x\"y","b":null,"c":["1",{"d":"\u00e9"}]})", R"({"z":"1","a":"2"})"};
  SeededRandom random{1};
  const Sealer sealer(SecretString(std::string(32, 'd')), random);
  const auto freezeAndThaw = [&](const FrozenRequest& asked) {
    return thaw(Request{.request_id = "r", .text = freeze(asked, "r", sealer)}, sealer);
  };
  const auto back = freezeAndThaw(request);
  REQUIRE(back.ok());
  const auto again = freezeAndThaw(*back);
  REQUIRE(again.ok());
  CHECK(thaw(Request{.request_id = "other", .text = freeze(request, "r", sealer)}, sealer).status().code() ==
        Code::kDataLoss);
  CHECK(again->spec == back->spec);
  CHECK(back->catalog_entry == request.catalog_entry);
  const auto thawText = [&](std::string_view text) {
    return thaw(Request{.request_id = "r", .text = sealRequest(sealer, "r", text)}, sealer);
  };
  CHECK(thawText(R"({"spec":{},"catalog_entry":null})")->catalog_entry.empty());
  for (const char* bad : {"", "[]", "{}", R"({"spec":{}})", R"({"spec":"a","catalog_entry":{}})", R"({"spec":{},)"}) {
    CAPTURE(bad);
    CHECK(thawText(bad).status().code() == Code::kDataLoss);
  }
}

TEST_CASE("the scope of a machine knows its catalog entry") {
  const std::string scope = scopeOf("inst", "net", "abc", "{}");
  CHECK(scope.starts_with("inst/net/abc/"));
  CHECK(isOnEntry(scope, "{}"));
  CHECK_FALSE(isOnEntry(scope, R"({"a":"b"})"));
  CHECK(isOnEntry("inst/net/abc", "{}"));  // of step 1: served with the present entry
}

TEST_CASE("an edited catalog entry serves new machines only") {
  RecordingRig rig;
  REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 3)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  CHECK(rig.requests() == 1);  // shared by all of them
  CHECK(rig.allSaw("tokyo"));
  CHECK(rig.decider->status().on_older_entry == 0);
  const std::string old_scope = rig.machines().front().scope;

  rig.edit(catalogWith("osaka"));
  CHECK(rig.decider->status().on_older_entry == 3);
  rig.recorder->entries.clear();
  REQUIRE(rig.commands->addNodes(rig.caller, rig.vcid, "web", {.count = 1}).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 4; }));
  CHECK(rig.allSaw("osaka"));
  CHECK(rig.requests() == 2);
  for (const Machine& machine : rig.machines()) {
    if (machine.request_id != rig.machines().front().request_id) CHECK(machine.scope != rig.machines().front().scope);
  }

  SUBCASE("the entry changed") {}
  SUBCASE("the entry is gone") { rig.edit("cci_version: '1.0'\n"); }
  rig.crash();
  rig.recorder->entries.clear();
  std::vector<std::string> old_nodes;
  for (const Machine& machine : rig.machines()) {
    if (machine.scope == old_scope) old_nodes.push_back(machine.node_id);
  }
  REQUIRE(old_nodes.size() == 3);
  for (const std::string& id : old_nodes) REQUIRE(rig.commands->deleteNode(rig.caller, rig.vcid, "web", id).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().size() == 1; }));
  CHECK(rig.allSaw("tokyo"));
  CHECK(rig.requests() == 1);
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
  CHECK(rig.recorder->cloud.empty());
  CHECK(rig.requests() == 0);
}

TEST_CASE("an entry that is edited while a create is in doubt does not get into its repeat") {
  RecordingRig rig;
  int losses = 1;
  rig.recorder->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create" && losses-- > 0) {
      fate.apply = false;
      fate.error = Status(Code::kUnavailable, "cut", Outcome::kUnknown);
      rig.edit(catalogWith("osaka"));
    }
    return fate;
  };
  REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.allSaw("tokyo"));
  REQUIRE(rig.recorder->specs.size() == 2);
  CHECK(rig.recorder->specs[0] == rig.recorder->specs[1]);
  CHECK(rig.recorder->tokens[0] == rig.recorder->tokens[1]);
}

TEST_CASE("a damaged request is a condition of its nodes, and nothing else stops") {
  RecordingRig rig;
  REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "web", unitCci("web", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  const std::string id = rig.machines().front().request_id;
  REQUIRE(rig.store->transact([&](Tx& tx) { return tx.requests().put({id, "not json", 1}); }).ok());
  rig.crash();
  REQUIRE(rig.commands->deleteNode(rig.caller, rig.vcid, "web", rig.nodes().front().node_id).ok());
  REQUIRE(rig.commands->addUnit(rig.caller, rig.vcid, "two", unitCci("two", 1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK_FALSE(rig.runUntil([&] { return rig.nodes().size() == 1; }, 120000));
  CHECK(rig.recorder->cloud.size() == 2);
}
