// SPDX-License-Identifier: Apache-2.0
// Calls that are to end early.
#include "checks.h"

namespace vcp::check {
namespace {

constexpr std::int64_t kSoonMs = 2000;

void expectSoon(const Result& result) {
  expect(result.took_ms <= kSoonMs, "the call ends soon after it was cancelled",
         "it went on for " + std::to_string(result.took_ms) + " ms");
  expect(result.after_cancel <= 1, "no request after the host refused one because the call was cancelled",
         std::to_string(result.after_cancel) + " requests were tried");
}

void expectHonest(Lab& lab) {
  const std::string note = lab.host().notes.of(Rule::kHonest);
  expect(note.empty(), "an honest outcome", note);
}

/// Of a call that could not send anything.
void expectNothingDone(Lab& lab, const Result& result) {
  expectSoon(result);
  expect(result.answers[0].say == Say::kError, "an error: nothing could be done", result.answers[0].text());
  expect(result.answers[0].error.outcome != VCP_OUTCOME_APPLIED, "an outcome that is not APPLIED",
         result.answers[0].text());
  lab.expectNothingLeft("behind a call that could not send anything");
}

void cancelled(const Bench& bench) {
  Asking asking;
  asking.cancelled = true;
  {
    Lab lab(bench);
    Machines machines = lab.mint(1);
    expectNothingDone(lab, lab.call(Verb::kCreate, machines[0].create_op, 1, machines, asking));
    lab.make(machines);
    const std::string made = lab.madeText();
    const Sight sight = lab.observe(machines, asking).front();
    expect(sight.failed || sight.seen.found, "no proof of absence from a cancelled look", sight.text());
    Machines copy = machines;
    expectSoon(lab.call(Verb::kDestroy, lab.newOp(), 1, copy, asking));
    expect(lab.madeText() == made, "a cancelled destroy changes nothing: " + made, lab.madeText());
    lab.remove(machines);
  }
  if (bench.cloud() == nullptr) return;
  const Clean clean = cleanRun(bench);
  for (int step = 0; step < clean.steps; ++step) {
    for (int n = 1, requests = n; n <= requests; ++n) {
      within("cancelled after request " + std::to_string(n) + " of step " + std::to_string(step + 1), [&] {
        Lab lab(bench);
        Machines machines = lab.mint(1);
        Course course;
        course.stop_after = step;
        lab.make(machines, course);
        Asking late;
        late.cancel_after = n;
        const Result result = lab.call(Verb::kCreate, machines[0].create_op, step + 1, machines, late);
        expectSoon(result);
        expectHonest(lab);
        if (result.after_cancel > 0) requests = n + 1;
        Course rest;
        rest.in_doubt = true;
        lab.make(machines, rest);
        expect(lab.madeText() == clean.made, "in the end the cloud has: " + clean.made, lab.madeText());
        lab.remove(machines);
      });
    }
  }
}

void pastDeadline(const Bench& bench) {
  Asking asking;
  asking.deadline_ms = -1000;
  Lab lab(bench);
  Machines machines = lab.mint(1);
  const Result result = lab.call(Verb::kCreate, machines[0].create_op, 1, machines, asking);
  expectNothingDone(lab, result);
  lab.make(machines);
  const std::string made = lab.madeText();
  const Sight sight = lab.observe(machines, asking).front();
  expect(sight.failed || sight.seen.found, "no proof of absence from a look without time", sight.text());
  Machines copy = machines;
  const Answer answer = lab.call(Verb::kDestroy, lab.newOp(), 1, copy, asking).answers.front();
  expect(answer.say != Say::kDone, "destroy without time is not DONE", answer.text());
  expect(lab.madeText() == made, "destroy without time changes nothing: " + made, lab.madeText());
  lab.remove(machines);
}

}  // namespace

std::vector<Check> callChecks() {
  return {
      {{"call.cancelled", "a cancelled call ends soon, with an honest outcome",
        "A call that stops because of it reports CANCELLED with an honest outcome.", "host.h, vcp_call",
        "look at is_cancelled before each request and in each wait; pass the host's CANCELLED on"},
       kObserved | kVirtual,
       cancelled},
      {{"call.past_deadline", "a call without time ends at once and changes nothing",
        "the call must have returned by then", "host.h, vcp_call", "look at is_cancelled first: it knows the deadline"},
       kObserved | kVirtual,
       pastDeadline},
  };
}

}  // namespace vcp::check
