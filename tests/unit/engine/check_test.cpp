// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct CheckRig : EngineRig {
  std::string vcid;

  explicit CheckRig(bool simulated = true, int nodes = 3) {
    driver->facts.simulated_hosts = simulated;
    vcid = newVc();
    REQUIRE(commands->addUnit(caller, vcid, "web", unitCci("web", nodes)).ok());
    REQUIRE(runUntil([&] { return count(State::kRunning) == static_cast<std::size_t>(nodes); }));
  }
  CheckResult check(const std::string& of = "") {
    const auto id = decider->startCheck(of);
    REQUIRE_MESSAGE(id.ok(), id.status().toString());
    CheckResult report;
    REQUIRE(runUntil(
        [&] {
          const auto now = decider->checkReport(*id);
          REQUIRE(now.ok());
          report = *now;
          return report.done;
        },
        400000));
    return report;
  }
};

std::size_t differences(const CheckResult& report) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.lines, [](const CheckLine& line) { return !line.difference.empty(); }));
}

}  // namespace

TEST_CASE("check: all is well, by point reads and by a list") {
  for (const bool lists : {false, true}) {
    CheckRig rig;
    rig.driver->facts.can_list = lists;
    rig.driver->observe_calls = 0;
    const CheckResult report = rig.check();
    REQUIRE(report.lines.size() == 3);
    CHECK(differences(report) == 0);
    CHECK(report.lines[0].vc == "g");
    CHECK(report.lines[0].unit == "web");
    CHECK(report.lines[0].node_no == 1);
    CHECK(report.lines[0].record == "RUNNING");
    CHECK(report.lines[0].monitor == "-");
    CHECK(report.lines[0].container == "-");
    CHECK(rig.driver->observe_calls == (lists ? 0 : 1));
    for (int again = 0; again < 8; ++again) CHECK(rig.check(rig.vcid).lines.size() == 3);  // reports that were read go
  }
}

TEST_CASE("check: a machine that is gone, one that is off, and one that nobody knows") {
  CheckRig rig;
  rig.driver->facts.can_list = true;
  const auto machines = rig.machines();
  rig.driver->cloud.erase(machines[0].name);
  rig.driver->cloud[machines[1].name].state = MachineState::kStopped;
  rig.driver->cloud["vcp-01234567-000000000000000000aa"] = {.id = "i-stray"};
  CheckResult report = rig.check();
  REQUIRE(report.lines.size() == 4);
  CHECK(differences(report) == 3);
  CHECK(report.lines.back().vcid.empty());
  CHECK(report.lines.back().record == "unknown");
  CHECK(report.lines.back().cloud_id == "i-stray");
  report = rig.check(rig.vcid);  // of one UnitGroup: no more than that
  CHECK(report.lines.size() == 3);
  CHECK(differences(report) == 2);
  CHECK(rig.count(State::kRunning) == 3);  // it looks, and changes nothing
}

TEST_CASE("check: a list that fails leaves it to the point reads; those that fail say so") {
  CheckRig rig;
  rig.driver->facts.can_list = true;
  rig.driver->list_error = unavailable("the list is down");
  rig.driver->list_cut = 0;
  CHECK(differences(rig.check()) == 0);
  rig.registry.unload();
  const CheckResult report = rig.check();
  CHECK(differences(report) == 3);
  CHECK(report.lines[0].cloud == "not known");
  CHECK(report.lines[0].difference.find("not loaded") != std::string::npos);
}

TEST_CASE("check: the base container, by its label") {
  CheckRig rig(false, 1);
  CHECK(rig.check().lines.at(0).container == "running");
  auto& containers = rig.host.containers[rig.machines()[0].address];
  REQUIRE(containers.size() == 1);
  containers[0].running = false;
  containers[0].status = "exited";
  CheckResult report = rig.check();
  CHECK(report.lines[0].container == "exited");
  CHECK(differences(report) == 1);
  containers.clear();
  report = rig.check();
  CHECK(report.lines[0].container == "absent");
  CHECK(differences(report) == 1);
  rig.host.failure["inspect"] = unavailable("connection refused");
  report = rig.check();
  CHECK(report.lines[0].container == "not known");
  CHECK(report.lines[0].difference.find("connection refused") != std::string::npos);
}

TEST_CASE("check: one that nobody asks about ends by itself; what there is not is said") {
  CheckRig rig;
  CHECK(rig.decider->startCheck("0123").status().code() == Code::kNotFound);
  CHECK(rig.decider->checkReport("0123").status().code() == Code::kNotFound);
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(rig.decider->startCheck("").value());
  CHECK(rig.decider->startCheck("").status().code() == Code::kResourceExhausted);
  rig.runUntil([] { return false; }, 20000);
  REQUIRE(rig.decider->startCheck("").ok());
  CHECK(rig.decider->checkReport(ids[0]).status().code() == Code::kNotFound);
}
