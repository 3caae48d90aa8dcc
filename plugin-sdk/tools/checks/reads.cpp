// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "checks.h"

namespace vcp::check {
namespace {

/// After each step, with the name (and the place in the create) alone.
void byName(const Bench& bench) {
  const auto life = [&](std::size_t count) {
    const int steps = cleanRun(bench, count).steps;
    for (int step = 1; step <= steps; ++step) {
      within("after step " + std::to_string(step) + " of create" + (count > 1 ? " of a batch" : ""), [&] {
        Lab lab(bench);
        Machines machines = lab.mint(count);
        Course course;
        course.stop_after = step;
        lab.make(machines, course);
        lab.host().pass(bench.info().lookup_lag_ms);
        const std::vector<Sight> sights = lab.observe(bare(machines));
        for (std::size_t i = 0; i < count; ++i) {
          expect(!sights[i].failed, "an observation", sights[i].text());
          if (machines[i].cloud_id.empty() || !sights[i].seen.found) continue;
          expect(sights[i].seen.cloud_id == machines[i].cloud_id, "the machine " + machines[i].cloud_id,
                 sights[i].text());
        }
        for (const Object& object : lab.made()) {
          bool shown = false;
          for (const Sight& sight : sights) shown = shown || (sight.seen.found && sight.shows(object.id));
          expect(shown, "every part that exists is shown",
                 object.kind + " " + object.id + " is not; " + sights[0].text());
        }
        lab.remove(machines);
      });
    }
  };
  life(1);
  if (bench.maxBatch() > 1) life(2);
}

void absent(const Bench& bench) {
  Lab lab(bench);
  const Sight never = lab.observe(lab.mint(1)).front();
  expect(!never.failed && !never.seen.found, "found = 0 for a machine that was never made", never.text());
  Machines machines = lab.mint(1);
  lab.make(machines);
  const Machines known = machines;
  lab.remove(machines);
  for (const Machines& items : {machines, known, bare(machines)}) {
    const Sight gone = lab.observe(items).front();
    expect(gone.isGone(), "found = 0 (or GONE) after destroy", gone.text());
  }
}

void many(const Bench& bench) {
  constexpr std::size_t kMost = 50;
  Lab lab(bench);
  Machines first = lab.mint(1);
  Machines last = lab.mint(1);
  lab.make(first);
  lab.make(last);
  const std::size_t count = std::min(bench.maxObserve(), kMost);
  if (count < 2) throw Skipped{"max_observe is 1"};
  Machines all = first;
  while (all.size() < count - 1) all.push_back(lab.mint(1).front());
  all.push_back(last.front());
  lab.host().pass(bench.info().lookup_lag_ms);
  const std::vector<Sight> sights = lab.observe(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool exists = i == 0 || i + 1 == all.size();
    expect(!sights[i].failed && sights[i].seen.found == exists,
           std::string(exists ? "found" : "found = 0") + " for item " + std::to_string(i + 1) + " of " +
               std::to_string(count),
           sights[i].text());
    if (exists && !sights[i].seen.cloud_id.empty()) {
      expect(sights[i].seen.cloud_id == all[i].cloud_id, "the machine " + all[i].cloud_id, sights[i].text());
    }
  }
}

/// A read that fails proves nothing.
void failedRead(const Bench& bench) {
  using Kind = Fault::Kind;
  std::vector<Fault> faults;
  for (const Kind kind : {Kind::kRefused, Kind::kAnswerLost, Kind::kTorn}) {
    faults.emplace_back();
    faults.back().kind = kind;
  }
  for (const int status : {401, 403, 429, 500, 503}) {
    faults.emplace_back();
    faults.back().kind = Kind::kStatus;
    faults.back().status = status;
    faults.back().html = status >= 500;
  }
  Lab lab(bench);
  Machines machines = lab.mint(1);
  lab.make(machines);
  const Machines never = lab.mint(1);
  for (const Fault& fault : faults) {
    within("when " + fault.text() + " for every read", [&] {
      lab.wire().arm(fault);
      const Sight sight = lab.observe(machines).front();
      expect(sight.failed, "an error for a machine that exists", sight.text());
      if (fault.kind != Kind::kTorn) {
        const Sight none = lab.observe(never).front();
        expect(none.failed, "an error also when the machine is absent", none.text());
      }
      lab.wire().disarm();
    });
  }
  lab.remove(machines);
}

bool lists(const plugin::testing::Seen& seen, const Machine& machine) {
  for (const auto& [index, listed] : seen.machines) {
    if (listed.name == machine.name) return true;
    if (!machine.create_op.empty() && listed.create_op == machine.create_op &&
        listed.create_index == machine.create_index) {
      return true;
    }
  }
  return false;
}

void listOwn(const Bench& bench) {
  Lab lab(bench);
  if (bench.cloud() != nullptr) lab.wire().addForeign();
  Asking other;
  other.vcc = "00000000000000000000000000000000";
  Machines theirs = lab.mint(1);
  Machines mine = lab.mint(1);
  lab.make(theirs, other);
  lab.make(mine);
  lab.host().pass(bench.info().lookup_lag_ms);
  const plugin::testing::Seen seen = lab.list();
  expect(seen.code == VCP_OK && seen.complete, "a complete list",
         seen.code != VCP_OK ? toText(seen.error) : "not complete");
  expect(lists(seen, mine[0]), "the machine of this controller is listed", "it is not");
  expect(!lists(seen, theirs[0]), "the machine of another controller (vcc_id) is not listed", "it is");
  expect(seen.machines.size() == 1, "nothing else is listed", std::to_string(seen.machines.size()) + " machines");
  lab.remove(mine);
  lab.remove(theirs, other);
}

void listComplete(const Bench& bench) {
  Lab lab(bench);
  const std::size_t count = bench.of().batch;
  Machines machines;
  for (std::size_t i = 0; i < count; ++i) {
    Machines one = lab.mint(1);
    lab.make(one);
    machines.push_back(one.front());
  }
  lab.host().pass(bench.info().lookup_lag_ms);
  const int before = lab.wire().requests();
  const plugin::testing::Seen all = lab.list();
  const int requests = lab.wire().requests() - before;
  expect(all.code == VCP_OK && all.complete, "a complete list",
         all.code != VCP_OK ? toText(all.error) : "not complete");
  for (const Machine& machine : machines) {
    expect(lists(all, machine), std::to_string(count) + " machines are listed", machine.name + " is not");
  }
  for (int n = 1; n <= requests; ++n) {
    for (const Fault::Kind kind : {Fault::Kind::kStatus, Fault::Kind::kTorn, Fault::Kind::kAnswerLost}) {
      Fault fault;
      fault.kind = kind;
      fault.status = 500;
      fault.html = true;
      fault.at = n;
      lab.wire().arm(fault);
      const plugin::testing::Seen seen = lab.list();
      expect(seen.code != VCP_OK || !seen.complete, "a list that misses something is not complete",
             "it is called complete, though at request " + std::to_string(n) + " of it " + fault.text());
    }
  }
}

}  // namespace

std::vector<Check> readChecks() {
  return {
      {{"observe.by_name", "machines and parts are found by name alone, after every step",
        "by id when known, else by name, and so for their parts", "driver.h, observe",
        "search the cloud for the minted name (or create_op), and report every part"},
       kObserved | kVirtual,
       byName},
      {{"observe.absent", "what does not exist is found = 0, not an error",
        "found = 0 is a proof: the cloud itself said, with these credentials, that neither machine nor parts exist",
        "driver.h, observe", "turn the cloud's \"not found\" into found = 0"},
       kObserved,
       absent},
      {{"observe.many", "one call observes max_observe items", "One observation or one error per item.",
        "driver.h, observe", "answer each item; lower max_observe"},
       kObserved | kVirtual,
       many},
      {{"observe.failed_read", "a read that failed proves nothing",
        "When a page, a region or a right was missing, report an error instead.", "driver.h, observe",
        "throw for every answer but the cloud's own \"not found\""},
       kObserved | kCloud,
       failedRead},
      {{"list.own_only", "a list has the machines of this controller, and no others",
        "Reports every machine of this controller (call->vcc_id) that these credentials can see", "driver.h, list",
        "tag machines with vcc_id when they are made, and filter by it"},
       kObserved | kLists,
       listOwn},
      {{"list.complete", "a list is complete only when all was read", "Ends with out->complete only when all was read.",
        "driver.h, list", "call complete() after the last page, and let failures pass through"},
       kObserved | kLists | kCloud,
       listComplete},
  };
}

}  // namespace vcp::check
