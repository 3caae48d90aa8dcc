// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

namespace vcp::check {
namespace {

/// An answer of the cloud, and what a driver may make of it.
struct Class {
  Fault fault;
  std::vector<int> codes;
  bool pending = false;            ///< PENDING is as good
  std::int64_t least_wait_ms = 0;  ///< of either
};

Fault statusOf(int status, bool html, bool changes_only, std::int64_t retry_after_ms = 0) {
  Fault fault;
  fault.kind = Fault::Kind::kStatus;
  fault.status = status;
  fault.html = html;
  fault.changes_only = changes_only;
  fault.retry_after_ms = retry_after_ms;
  return fault;
}

std::vector<Class> classes(Verb verb) {
  const std::vector<int> outage{VCP_UNAVAILABLE, VCP_INTERNAL, VCP_UNKNOWN, VCP_ABORTED, VCP_DEADLINE_EXCEEDED};
  std::vector<Class> all;
  for (const bool changes_only : {false, true}) {
    all.push_back({statusOf(401, false, changes_only), {VCP_UNAUTHENTICATED, VCP_PERMISSION_DENIED}});
    all.push_back(
        {statusOf(403, false, changes_only), {VCP_PERMISSION_DENIED, VCP_UNAUTHENTICATED, VCP_RESOURCE_EXHAUSTED}});
    all.push_back({statusOf(429, false, changes_only, 7000), {VCP_UNAVAILABLE, VCP_ABORTED}, true, 7000});
    all.push_back({statusOf(500, true, changes_only), outage});
    all.push_back({statusOf(503, true, changes_only), outage, true});
  }
  all.push_back({statusOf(409, false, true),
                 {VCP_ALREADY_EXISTS, VCP_ABORTED, VCP_FAILED_PRECONDITION, VCP_RESOURCE_EXHAUSTED, VCP_UNAVAILABLE,
                  VCP_INVALID_ARGUMENT},
                 true});
  Fault refused;
  refused.kind = Fault::Kind::kRefused;
  all.push_back({refused, {VCP_UNAVAILABLE}, true});
  if (verb == Verb::kCreate) {
    all.push_back(
        {statusOf(404, false, true),
         {VCP_NOT_FOUND, VCP_INVALID_ARGUMENT, VCP_FAILED_PRECONDITION, VCP_UNAVAILABLE, VCP_ABORTED, VCP_OUT_OF_RANGE},
         true});
  }
  return all;
}

std::string namesOf(const Class& of) {
  std::string text;
  for (const int code : of.codes) text += (text.empty() ? "" : ", ") + codeName(code);
  return text + (of.pending ? ", or PENDING" : "");
}

void judge(const Class& of, const Result& result) {
  const Answer& answer = result.answers.front();
  expect(answer.say != Say::kDone, "not DONE", "DONE");
  const std::string wait =
      of.least_wait_ms == 0 ? "" : " with a pause of " + std::to_string(of.least_wait_ms) + " ms or more";
  if (answer.say == Say::kPending) {
    expect(of.pending && answer.retry_after_ms >= of.least_wait_ms, namesOf(of) + wait, answer.text());
    return;
  }
  const bool known = std::find(of.codes.begin(), of.codes.end(), answer.error.code) != of.codes.end();
  expect(known, namesOf(of) + wait, answer.text());
  expect(answer.error.retry_after_ms >= of.least_wait_ms,
         "retry_after_ms of " + std::to_string(of.least_wait_ms) + " or more",
         std::to_string(answer.error.retry_after_ms) + "; " + answer.text());
  if (of.fault.status >= 500 && result.changes > 0) {
    expect(answer.error.outcome != VCP_OUTCOME_NOT_APPLIED,
           "an outcome that is not NOT_APPLIED: a server that fails may have acted", answer.text());
  }
}

/// Each class at each step of create, or of destroy: in one life a class, the step that met the fault is then made
/// undisturbed, so that the whole takes as many steps as there are, twice, and not their square.
void answers(const Bench& bench, Verb verb) {
  const Clean clean = cleanRun(bench);
  const int steps = verb == Verb::kCreate ? clean.steps : clean.destroy_steps;
  for (const Class& of : classes(verb)) {
    Lab lab(bench);
    Machines machines = lab.mint(1);
    if (verb == Verb::kDestroy) lab.make(machines);
    Course course;
    bool ended = false;
    for (int step = 0; step < steps && !ended; ++step) {
      within("when " + of.fault.text() + " at step " + std::to_string(step + 1), [&] {
        lab.wire().arm(of.fault);
        const Result result =
            lab.call(verb, verb == Verb::kCreate ? machines[0].create_op : lab.newOp(), step + 1, machines);
        if (result.faults > 0) judge(of, result);
        lab.wire().disarm();
        const Answer& answer = result.answers.front();
        course.in_doubt = answer.say == Say::kError && answer.error.outcome != VCP_OUTCOME_NOT_APPLIED;
        course.stop_after = course.steps + 1;
        ended = verb == Verb::kCreate ? lab.make(machines, course) : lab.remove(machines, course);
      });
    }
  }
}

void create(const Bench& bench) { answers(bench, Verb::kCreate); }
void destroy(const Bench& bench) { answers(bench, Verb::kDestroy); }

}  // namespace

std::vector<Check> errorChecks() {
  return {
      {{"errors.create", "the cloud's refusals become the right codes, never DONE",
        "What the host does about an error, by its code", "types.h, status codes",
        "map statuses: 401 UNAUTHENTICATED, 403 PERMISSION_DENIED, 429 UNAVAILABLE with retry_after_ms, 5xx "
        "UNAVAILABLE "
        "with outcome UNKNOWN"},
       kObserved | kCloud,
       create},
      {{"errors.destroy", "a removal that the cloud did not accept is not DONE",
        "Done when the cloud has accepted the removal of every part.", "driver.h, destroy",
        "only success and the cloud's own \"not found\" are done"},
       kObserved | kCloud,
       destroy},
  };
}

}  // namespace vcp::check
