// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

namespace vcp::check {
namespace {

void leavesNothing(const Bench& bench) {
  const auto life = [&](std::size_t count) {
    Lab lab(bench);
    Machines machines = lab.mint(count);
    lab.make(machines);
    lab.awaitRunning(machines);
    lab.remove(machines);
    lab.expectNothingLeft("after destroy");
  };
  life(1);
  if (bench.maxBatch() > 1) life(std::min<std::size_t>(3, batchOf(bench)));
}

void destroyTwice(const Bench& bench) {
  Lab lab(bench);
  Machines machines = lab.mint(1);
  lab.make(machines);
  const Machines known = machines;
  lab.remove(machines);
  const auto again = [&](const std::string& what, Machines items) {
    within(what, [&] {
      for (int step = 1; !items[0].done; ++step) {
        expect(step <= 20, "DONE", "not done after 20 steps");
        const Result result = lab.call(Verb::kDestroy, "0123456789abcdef0123456789abcdef", step, items);
        expect(result.answers[0].say != Say::kError, "DONE for what is absent", result.answers[0].text());
        lab.host().pass(result.answers[0].retry_after_ms);
      }
    });
  };
  again("destroyed again", machines);
  again("destroyed again with the ids of before", known);
  again("destroyed again by name", bare(machines));
}

void halfMade(const Bench& bench) {
  const Clean clean = cleanRun(bench);
  for (int steps = 0; steps < clean.steps; ++steps) {
    for (const bool by_name : {false, true}) {
      within("destroyed after " + std::to_string(steps) + " steps" + (by_name ? ", by name" : ""), [&] {
        Lab lab(bench);
        Machines machines = lab.mint(1);
        Course course;
        course.stop_after = steps;
        lab.make(machines, course);
        if (by_name) machines = bare(machines);
        lab.reopen();
        lab.remove(machines);
        lab.expectNothingLeft("after destroy");
      });
    }
  }
}

/// The answer to a change of create is lost, and then the node is not wanted any more.
void afterLostAnswer(const Bench& bench) {
  const std::size_t counts[] = {1, std::min<std::size_t>(3, batchOf(bench))};
  for (const std::size_t count : counts) {
    const Clean clean = cleanRun(bench, count);
    for (std::size_t n = 1; n <= clean.changes.size(); ++n) {
      within("when the answer to change " + std::to_string(n) + " (" + clean.changes[n - 1] + ") was lost", [&] {
        Lab lab(bench);
        Machines machines = lab.mint(count);
        Fault fault;
        fault.kind = Fault::Kind::kAnswerLost;
        fault.changes_only = true;
        fault.at = static_cast<int>(n);
        lab.wire().arm(fault);
        Course course;
        for (course.stop_after = 1; lab.wire().hits() == 0; ++course.stop_after) {
          if (lab.make(machines, course)) break;
        }
        lab.remove(machines);
        lab.expectNothingLeft("after destroy");
      });
    }
    if (bench.maxBatch() == 1) return;
  }
}

void disturbEach(const Bench& bench, Fault::Kind kind) {
  const Clean clean = cleanRun(bench);
  for (std::size_t n = 1; n <= clean.destroy_changes.size(); ++n) {
    Fault fault;
    fault.kind = kind;
    fault.changes_only = true;
    fault.at = static_cast<int>(n);
    within("when at change " + std::to_string(n) + " (" + clean.destroy_changes[n - 1] + ") " + fault.text(), [&] {
      Lab lab(bench);
      Machines machines = lab.mint(1);
      lab.make(machines);
      lab.wire().arm(fault);
      lab.remove(machines);
      lab.expectNothingLeft("after destroy");
    });
  }
}

void destroyAnswerLost(const Bench& bench) {
  disturbEach(bench, Fault::Kind::kAnswerLost);
  disturbEach(bench, Fault::Kind::kRequestLost);
  disturbEach(bench, Fault::Kind::kTorn);
}

void crashWhileDestroying(const Bench& bench) {
  const auto life = [&](Course course) {
    Lab lab(bench);
    Machines machines = lab.mint(1);
    lab.make(machines);
    lab.remove(machines, course);
    lab.expectNothingLeft("after destroy");
    return course.steps;
  };
  Course reopening;
  reopening.reopen = true;
  const int steps = life(reopening);
  for (int step = 1; step <= steps; ++step) {
    Course course;
    course.forget_answer = step;
    within("when the answer to step " + std::to_string(step) + " was not written down", [&] { life(course); });
  }
}

void absentItem(const Bench& bench) {
  Lab lab(bench);
  Machines machines = lab.mint(1);
  lab.make(machines);
  machines.insert(machines.begin(), lab.mint(1).front());
  lab.remove(machines);
  lab.expectNothingLeft("after destroy");
}

}  // namespace

std::vector<Check> destroyChecks() {
  return {
      {{"destroy.leaves_nothing", "nothing that costs money is left",
        "One step towards gone machines, their parts included", "driver.h, destroy",
        "remove every part that create makes, found by id and by name"},
       kObserved,
       leavesNothing},
      {{"destroy.twice", "destroying what is absent is done", "Absent is done; destroying twice is done.",
        "driver.h, destroy", "take the cloud's \"not found\" for done"},
       kObserved,
       destroyTwice},
      {{"destroy.half_made", "what is half made can be taken away, also by its name alone",
        "One step towards gone machines, their parts included", "driver.h, destroy",
        "look for each part by name; do not stop when the machine itself is absent"},
       kObserved | kVirtual,
       halfMade},
      {{"destroy.after_lost_answer", "what a lost request made is taken away",
        "What a step could not report, because its answer was lost, is found again by name", "types.h, vcp_item_t",
        "look by name, or by (create_op, create_index), before saying DONE"},
       kObserved | kCloud,
       afterLostAnswer},
      {{"destroy.lost_answer", "a removal whose request or answer is lost is repeated",
        "Done when the cloud has accepted the removal of every part.", "driver.h, destroy",
        "report outcome UNKNOWN; look again in the next step"},
       kObserved | kCloud,
       destroyAnswerLost},
      {{"destroy.crash_between_steps", "a new instance goes on where the last one was",
        "A driver decides what to do next from the item and from what it reads in the cloud, never from memory.",
        "driver.h, vcp_driver_ops_t", "keep nothing between calls"},
       kObserved | kVirtual,
       crashWhileDestroying},
      {{"destroy.absent_item", "an absent item of a batch does not stop the others", "Absent is done",
        "driver.h, destroy", "run each item in Results::guard(), and answer it by itself"},
       kObserved | kBatches | kVirtual,
       absentItem},
  };
}

}  // namespace vcp::check
