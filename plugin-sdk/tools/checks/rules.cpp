// SPDX-License-Identifier: Apache-2.0
// Rules that hold in every call: watched through a life with everything that can happen in it.
#include "checks.h"
#include "isolate.h"

extern "C" int __lsan_do_recoverable_leak_check() __attribute__((weak));  // NOLINT(bugprone-reserved-identifier)

namespace vcp::check {
namespace {

/// A scenario that may fail: other checks say so. Its notes are what counts here.
template <class Body>
void tryOut(Lab& lab, Rule rule, Body&& body) {
  try {
    body();
  } catch (const Failed&) {  // told by the check that is about it
  } catch (const Skipped&) {
  }
  const std::string note = lab.host().notes.of(rule);
  if (!note.empty()) throw Failed{"the rule is kept in every call", note};
}

void life(const Bench& bench, Rule rule, std::size_t count) {
  Lab lab(bench);
  tryOut(lab, rule, [&] {
    Machines machines = lab.mint(count);
    lab.observe(machines);
    lab.make(machines);
    lab.awaitRunning(machines);
    if ((bench.info().capabilities & VCP_CAP_LIST) != 0) lab.list();
    if ((bench.info().capabilities & VCP_CAP_POWER) != 0) {
      lab.power(false, machines);
      lab.power(true, machines);
    }
    Grant nobody;
    nobody.credentials = "{}";
    lab.probe(nobody);
    if (bench.info().existence == VCP_EXISTENCE_ASSERTED) {
      lab.call(Verb::kDestroy, lab.newOp(), 1, machines);
    } else {
      lab.remove(machines);
    }
    Machines absent = lab.mint(1);
    lab.observe(absent);
    lab.call(Verb::kDestroy, lab.newOp(), 1, absent);
    if ((bench.info().capabilities & VCP_CAP_POWER) != 0) lab.call(Verb::kPowerOn, lab.newOp(), 1, absent);
  });
}

/// The same for a data disk.
void lifeOfDisk(const Bench& bench, Rule rule) {
  Lab lab(bench);
  tryOut(lab, rule, [&] {
    Machines machines = lab.mint(1);
    Machines disks = lab.mintDisks(1);
    lab.observe(disks);
    lab.make(machines);
    lab.prepareAttach(machines);
    lab.make(disks);
    lab.setAttached(true, disks[0], machines[0]);
    lab.call(Verb::kDestroy, lab.newOp(), 1, disks);
    lab.setAttached(false, disks[0], machines[0]);
    lab.remove(disks);
    lab.attach(true, lab.newOp(), 1, disks[0], machines[0]);
    lab.remove(machines);
  });
}

/// Every fault at every change of the create.
void troubled(const Bench& bench, Rule rule) {
  using Kind = Fault::Kind;
  std::size_t changes = 1;
  for (std::size_t n = 1; n <= changes; ++n) {
    for (const Kind kind :
         {Kind::kAnswerLost, Kind::kRequestLost, Kind::kTorn, Kind::kRefused, Kind::kSlow, Kind::kStatus}) {
      for (const int status : {400, 401, 403, 404, 409, 429, 500}) {
        Fault fault;
        fault.kind = kind;
        fault.status = status;
        fault.html = status == 500;
        fault.changes_only = true;
        fault.at = static_cast<int>(n);
        Lab lab(bench);
        tryOut(lab, rule, [&] {
          Machines machines = lab.mint(1);
          lab.wire().arm(fault);
          try {
            lab.make(machines);
          } catch (const Failed&) {  // given up, as the code says
          }
          changes = std::max(changes, lab.wire().changes().size());
          lab.observe(machines);
          lab.remove(machines);
        });
        if (kind != Kind::kStatus) break;
      }
    }
    constexpr std::size_t kEnough = 20;
    changes = std::min(changes, kEnough);
  }
}

void everything(const Bench& bench, Rule rule) {
  life(bench, rule, 1);
  if (bench.maxBatch() > 1) life(bench, rule, 2);
  if (bench.hasDisks() && !bench.of().disk_params.empty()) lifeOfDisk(bench, rule);
  if (bench.cloud() != nullptr) troubled(bench, rule);
}

void answers(const Bench& bench) { everything(bench, Rule::kAnswers); }
void texts(const Bench& bench) { everything(bench, Rule::kTexts); }
void secrets(const Bench& bench) { everything(bench, Rule::kSecrets); }
void honest(const Bench& bench) { everything(bench, Rule::kHonest); }

void quiet(const Bench& bench) {
  try {
    everything(bench, Rule::kAnswers);
  } catch (const Failed&) {  // another check
  }
  const std::string output = outputSoFar();
  expect(output.empty(), "nothing on standard output and error", output.substr(0, 500));
}

void memory(const Bench& bench) {
  if (__lsan_do_recoverable_leak_check == nullptr) throw Skipped{"it needs a build with AddressSanitizer"};
  try {
    everything(bench, Rule::kAnswers);
  } catch (const Failed&) {  // another check
  }
  expect(__lsan_do_recoverable_leak_check() == 0, "no memory is lost", "LeakSanitizer: " + outputSoFar());
}

void asserted(const Bench& bench) {
  Lab lab(bench);
  const std::size_t count = std::min({bench.maxBatch(), std::size_t{2}, bench.of().addresses.size()});
  Machines machines = lab.mint(std::max<std::size_t>(1, count));
  lab.make(machines);
  const auto look = [&](const std::string& when) {
    for (const Sight& sight : lab.observe(machines)) {
      expect(!sight.failed && sight.seen.found, "found " + when, sight.text());
    }
  };
  for (const Machine& machine : machines) {
    expect(machine.address == machine.requested_address, "the address " + machine.requested_address, machine.address);
  }
  look("after create");
  lab.awaitRunning(machines);
  for (int i = 1; i <= 2; ++i) {
    const Result result = lab.call(Verb::kDestroy, lab.newOp(), 1, machines);
    for (const Answer& answer : result.answers) expect(answer.say == Say::kDone, "destroy is DONE", answer.text());
    look("after destroy: the server is still there");
  }
}

}  // namespace

std::vector<Check> ruleChecks() {
  return {
      {{"asserted.life", "existing servers are neither made nor taken away",
        "Create and destroy change nothing and are done; observe says found, RUNNING unless it knows better, also "
        "after a "
        "destroy.",
        "driver.h, VCP_EXISTENCE_ASSERTED", "answer from requested_address alone"},
       kAsserted,
       asserted},
      {{"rules.answers", "each item has one answer in every call",
        "Every item of the call needs exactly one of done, pending, error.", "host.h, vcp_item_sink_t",
        "end each item with one answer, on every path"},
       0,
       answers},
      {{"rules.texts", "texts are UTF-8 and within their limits", "Texts are UTF-8, given as pointer and length",
        "abi.h, rule 4; limits at each function of host.h",
        "cut at a character boundary, and convert what the cloud sends"},
       0,
       texts},
      {{"rules.secrets", "no secret leaves by a log, an error, a state or a part", "Never pass a secret.",
        "host.h, log; types.h, vcp_error_t", "never put a request or its headers into a text"},
       0,
       secrets},
      {{"rules.honest", "the outcome of an error is true", "Whether the change that an error speaks of took effect.",
        "types.h, outcome", "NOT_APPLIED only when the cloud refused, or no request was sent; else UNKNOWN"},
       kObserved | kCloud,
       honest},
      {{"rules.quiet", "nothing is written to standard output and error", "write to stdout or stderr", "abi.h, rule 8",
        "use host->log"},
       0,
       quiet},
      {{"rules.memory", "no memory is lost", "stops and joins every thread it started, then frees it",
        "driver.h, close", "free in close what open_driver made"},
       0,
       memory},
  };
}

}  // namespace vcp::check
