// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

namespace vcp::check {
namespace {

/// What no driver wrote. A crash, a hang or a missing answer fails the check; an error is an answer.
void garbage(const Bench& bench) {
  const std::vector<std::string> states{"garbage",
                                        "{",
                                        "[]",
                                        "null",
                                        "-1",
                                        "999999999999999999999 x",
                                        "2",
                                        std::string(4096, 'a'),
                                        "\xe3\x81\x82",
                                        std::string("1\0x", 3),
                                        "{\"v\":99}"};
  for (const std::string& state : states) {
    Lab lab(bench);
    Machines machines = lab.mint(1);
    lab.make(machines);
    const std::string kept = machines[0].driver_state;
    for (const Verb verb : {Verb::kCreate, Verb::kDestroy}) {
      machines[0].driver_state = state;
      lab.observe(machines);
      Machines copy = machines;
      lab.call(verb, verb == Verb::kCreate ? machines[0].create_op : lab.newOp(), 2, copy);
    }
    const std::string note = lab.host().notes.of(Rule::kAnswers);
    expect(note.empty(), "an answer for each item", note);
    machines[0].driver_state = kept;
    lab.remove(machines);
  }
}

void older(const Bench& bench) {
  if (bench.of().driver_states.empty()) throw Skipped{"the case file has no driver_states of older versions"};
  for (const std::string& state : bench.of().driver_states) {
    within("with driver_state \"" + state + "\"", [&] {
      Lab lab(bench);
      Machines machines = lab.mint(1);
      Course course;
      course.stop_after = 1;
      lab.make(machines, course);
      machines[0].driver_state = state;
      lab.make(machines);
      lab.awaitRunning(machines);
      machines[0].driver_state = state;
      lab.remove(machines);
    });
  }
}

}  // namespace

std::vector<Check> stateChecks() {
  return {
      {{"state.garbage", "a driver_state that cannot be read does no harm", "Inputs are borrowed for the call",
        "host.h, driver_state", "check the version at its beginning; throw DATA_LOSS, or go on from the cloud"},
       kObserved | kVirtual,
       garbage},
      {{"state.older", "a driver_state of an older version is understood",
        "beginning with the driver's own version of it, because a newer driver will one day read it",
        "host.h, driver_state", "read every version that was ever released"},
       kObserved | kVirtual,
       older},
  };
}

}  // namespace vcp::check
