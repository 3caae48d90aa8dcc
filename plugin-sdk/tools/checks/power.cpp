// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

namespace vcp::check {
namespace {

void awaitState(Lab& lab, const Machines& machines, plugin::State state, const std::string& word) {
  const std::int64_t end = lab.host().now() + lab.bench().of().boot_ms;
  for (;;) {
    const Sight sight = lab.observe(machines).front();
    if (!sight.failed && sight.seen.found && sight.seen.state == state) return;
    expect(lab.host().now() < end, "observe says " + word, sight.text());
    lab.host().pass(1000);
  }
}

void idempotent(const Bench& bench) {
  Lab lab(bench);
  Machines machines = lab.mint(1);
  lab.make(machines);
  lab.awaitRunning(machines);
  const std::string made = lab.madeText();
  for (const bool on : {true, false, false, true}) {
    lab.power(on, machines);
    awaitState(lab, machines, on ? plugin::State::kRunning : plugin::State::kStopped, on ? "RUNNING" : "STOPPED");
  }
  expect(lab.madeText() == made, "power makes nothing and takes nothing away: " + made, lab.madeText());
  lab.remove(machines);
}

void powerAbsent(const Bench& bench) {
  Lab lab(bench);
  for (const Verb verb : {Verb::kPowerOn, Verb::kPowerOff}) {
    Machines machines = lab.mint(1);
    const Answer answer = lab.call(verb, lab.newOp(), 1, machines).answers.front();
    expect(answer.say == Say::kError && answer.error.code == VCP_NOT_FOUND &&
               answer.error.outcome == VCP_OUTCOME_NOT_APPLIED,
           "NOT_FOUND, NOT_APPLIED for a machine that does not exist", answer.text());
  }
}

}  // namespace

std::vector<Check> powerChecks() {
  return {
      {{"power.idempotent", "power on and off lead to the state, also twice", "Already so is done.", "driver.h, power",
        "read the state first; take the cloud's \"already\" for done"},
       kObserved | kPowers,
       idempotent},
      {{"power.absent", "power of an absent machine is NOT_FOUND",
        "NOT_FOUND, not applied, when the machine does not exist.", "driver.h, power",
        "throw Error(kNotFound, kNotApplied)"},
       kObserved | kPowers,
       powerAbsent},
  };
}

}  // namespace vcp::check
