// SPDX-License-Identifier: Apache-2.0
#include "engine/target_file.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Running nodes, and what was written for Prometheus.
struct TargetRig : EngineRig {
  std::vector<std::string> written;
  Status refusal;
  std::string vcid;

  explicit TargetRig(int count) {
    writes_targets = [this](const std::string& content) {
      if (refusal.ok()) written.push_back(content);
      return refusal;
    };
    restart();
    vcid = newVc();
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", count)).ok());
    REQUIRE(runUntil([&] { return this->count(State::kRunning) == static_cast<std::size_t>(count); }));
    pass(20000);
  }
  void pass(std::int64_t ms) {
    runUntil([] { return false; }, ms);
  }
  Poco::JSON::Array::Ptr targets() const {
    return Poco::JSON::Parser().parse(written.back()).extract<Poco::JSON::Array::Ptr>();
  }
  Node node(std::int64_t number) const {
    for (const Node& one : nodes()) {
      if (one.node_no == number) return one;
    }
    FAIL("no such node");
    return {};
  }
};

std::string label(const Poco::JSON::Array::Ptr& list, unsigned index, const std::string& name) {
  return list->getObject(index)->getObject("labels")->optValue<std::string>(name, "-");
}

}  // namespace

TEST_CASE("Prometheus finds every running node, with labels that say which it is") {
  TargetRig rig(2);
  const auto list = rig.targets();
  REQUIRE(list->size() == 2);
  for (unsigned i = 0; i < 2; ++i) {
    const Node node = rig.node(i + 1);
    const auto targets = list->getObject(i)->getArray("targets");
    REQUIRE(targets->size() == 1);
    CHECK(targets->getElement<std::string>(0).ends_with(":18083"));
    CHECK(label(list, i, "job") == "basecontainer");
    CHECK(label(list, i, "ugroup") == "g");
    CHECK(label(list, i, "unit") == "web");
    CHECK(label(list, i, "node_no") == std::to_string(i + 1));
    CHECK(label(list, i, "node_id") == node.node_id);
    CHECK(label(list, i, "provider") == "fake");
    CHECK(label(list, i, "container_group") == "g-web");
    CHECK(label(list, i, "error") == "-");
  }
}

TEST_CASE("the file is written when something changed, and not otherwise") {
  TargetRig rig(2);
  const std::size_t before = rig.written.size();
  rig.pass(600000);
  CHECK(rig.written.size() == before);
  SUBCASE("an error is a label") {
    rig.driver->cloud.begin()->second.state = MachineState::kFailed;
    rig.decider->lookAt({rig.nodes()[0].node_id, rig.nodes()[1].node_id});
    REQUIRE(rig.runUntil([&] { return rig.count(State::kHostError) == 1; }, 60000));
    rig.pass(10000);
    REQUIRE(rig.targets()->size() == 2);
    const bool first = rig.node(1).state == State::kHostError;
    CHECK(label(rig.targets(), 0, "error") == (first ? "HOST_ERROR" : "-"));
    CHECK(label(rig.targets(), 1, "error") == (first ? "-" : "HOST_ERROR"));
  }
  SUBCASE("a suspended node has no container to ask") {
    REQUIRE(rig.commands->changeNode(rig.caller, rig.vcid, "web", rig.node(1).node_id, Verb::kSuspend).ok());
    rig.pass(20000);
    REQUIRE(rig.targets()->size() == 1);
    CHECK(label(rig.targets(), 0, "node_no") == "2");
  }
  SUBCASE("a deleted one is gone, and with the last the list is empty") {
    REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
    REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
    rig.pass(10000);
    CHECK(rig.targets()->size() == 0);
  }
}

TEST_CASE("a file that cannot be written is logged once, and written when it can be") {
  TargetRig rig(1);
  rig.refusal = unavailable("prometheus_targets: no such folder");
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.vcid); }));
  rig.pass(60000);
  CHECK(rig.log.count("TARGETS_WRITE_FAILED") == 1);
  CHECK(rig.targets()->size() == 1);
  rig.refusal = okStatus();
  rig.pass(10000);
  CHECK(rig.targets()->size() == 0);
}

TEST_CASE("a GPU exporter is a second target of its node") {
  TargetRig rig(2);
  std::string text;
  const std::string with = rig.node(2).node_id;
  rig.store->read([&](const ReadTx& tx) {
    text = "[" + renderTargets(tx, *tx.vcs().find(rig.vcid), [&](const std::string& id) { return id == with; }) + "]";
  });
  const auto list = Poco::JSON::Parser().parse(text).extract<Poco::JSON::Array::Ptr>();
  REQUIRE(list->size() == 2);
  CHECK(list->getObject(0)->getArray("targets")->size() == 1);
  const auto targets = list->getObject(1)->getArray("targets");
  REQUIRE(targets->size() == 2);
  CHECK(targets->getElement<std::string>(1).ends_with(":9400"));
}
