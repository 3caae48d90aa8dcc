// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "checks.h"
#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

void expectMade(Lab& lab, const std::string& made) {
  expect(lab.madeText() == made, "the cloud has: " + made, "it has: " + lab.madeText());
}

void toRunning(const Bench& bench) {
  Lab lab(bench);
  Machines machines = lab.mint(1);
  lab.make(machines);
  lab.awaitRunning(machines);
  expect(!machines[0].cloud_id.empty(), "the machine's id is reported", "it is empty");
  expect(lab.madeKinds()["machine"] == 1, "one machine exists", lab.madeText());
  lab.remove(machines);
}

void reportsParts(const Bench& bench) {
  Lab lab(bench);
  lab.wire();
  Machines machines = lab.mint(1);
  std::set<std::string> before;
  Course course;
  course.watch = [&](const Result& result, const Machines&) {
    std::vector<std::string> fresh;
    for (const Object& object : lab.made()) {
      if (before.insert(object.id).second) fresh.push_back(object.kind + " " + object.id);
    }
    bool reported = fresh.empty();
    for (const std::string& id : result.reported) {
      for (const std::string& object : fresh) reported = reported || object.substr(object.find(' ') + 1) == id;
    }
    expect(reported, "the step that makes an object reports its id",
           fresh.empty() ? "" : fresh.front() + " was made, and not reported by that step");
  };
  lab.make(machines, course);
  for (const Object& object : lab.made()) {
    expect(machines[0].knows(object.id), "all that exists is known when create is DONE",
           object.kind + " " + object.id + " was never reported");
  }
}

void pauses(const Bench& bench) {
  constexpr std::int64_t kLongSleepMs = 2000;
  constexpr std::int64_t kLongCallMs = 10'000;
  Lab lab(bench);
  const auto watch = [](const Result& result, const Machines&) {
    expect(result.slept_ms <= kLongSleepMs, "a step does not wait for the cloud",
           "it slept " + std::to_string(result.slept_ms) + " ms");
    expect(result.took_ms <= kLongCallMs, "a step takes the time of a few requests",
           "it took " + std::to_string(result.took_ms) + " ms and " + std::to_string(result.requests) + " requests");
    for (const Answer& answer : result.answers) {
      expect(answer.say != Say::kPending || (answer.retry_after_ms >= 0 && answer.retry_after_ms <= 3'600'000),
             "a pause of 0..3,600,000 ms", answer.text());
    }
  };
  Machines machines = lab.mint(1);
  Course course;
  course.watch = watch;
  lab.make(machines, course);
  Course removal;
  removal.watch = watch;
  lab.remove(machines, removal);
}

void oneChange(const Bench& bench) {
  const auto life = [&](std::size_t count) {
    Lab lab(bench);
    const auto watch = [](const Result& result, const Machines& part) {
      expect(result.changes <= static_cast<int>(part.size()), "at most one change per item and step",
             std::to_string(result.changes) + " changes for " + std::to_string(part.size()) + " items");
    };
    Machines machines = lab.mint(count);
    Course course;
    course.watch = watch;
    lab.make(machines, course);
    const std::size_t changes = lab.wire().changes().size();
    lab.awaitRunning(machines);
    if ((bench.info().capabilities & VCP_CAP_LIST) != 0) lab.list();
    expect(lab.wire().changes().size() == changes, "reads change nothing", "a change was asked for in observe or list");
    Course removal;
    removal.watch = watch;
    lab.remove(machines, removal);
  };
  life(1);
  if (bench.maxBatch() > 1) life(std::min<std::size_t>(3, batchOf(bench)));
}

void unknownMembers(const Bench& bench) {
  Lab lab(bench);
  plugin::Json spec = plugin::Json::parse(lab.spec());
  spec["x_of_a_later_host"] = {{"a", 1}};
  spec["labels"]["x_of_a_later_host"] = "b";
  spec["access"]["x_of_a_later_host"] = plugin::Json::array({1, 2});
  Asking asking;
  asking.spec = spec.dump();
  Machines machines = lab.mint(1);
  lab.make(machines, asking);
  if (bench.info().existence == VCP_EXISTENCE_OBSERVED) lab.remove(machines);
}

void twice(const Bench& bench) {
  Lab lab(bench);
  Machines machines = lab.mint(1);
  lab.make(machines);
  const std::string made = lab.madeText();
  Machines again = machines;
  again[0].done = false;
  Course course;
  lab.make(again, course);
  expect(again[0].cloud_id == machines[0].cloud_id, "the same machine, " + machines[0].cloud_id, again[0].cloud_id);
  expectMade(lab, made);

  Machines forgotten = bare(machines);
  Course from_nothing;
  from_nothing.in_doubt = true;
  lab.reopen();
  within("sent again by a host that knows the name only", [&] {
    lab.make(forgotten, from_nothing);
    expect(forgotten[0].cloud_id == machines[0].cloud_id, "the same machine, " + machines[0].cloud_id,
           forgotten[0].cloud_id);
    expectMade(lab, made);
  });
  lab.remove(machines);
}

void crashBetweenSteps(const Bench& bench) {
  const std::string made = cleanRun(bench).made;
  Lab lab(bench);
  Machines machines = lab.mint(1);
  Course course;
  course.reopen = true;
  lab.make(machines, course);
  expectMade(lab, made);
  lab.awaitRunning(machines);
  lab.remove(machines);
}

void forgetEach(const Bench& bench, std::size_t count) {
  const Clean clean = cleanRun(bench, count);
  for (int step = 1; step <= clean.steps; ++step) {
    within("when the controller dies before it has written down the answer to step " + std::to_string(step), [&] {
      Lab lab(bench);
      Machines machines = lab.mint(count);
      Course course;
      course.forget_answer = step;
      lab.make(machines, course);
      expectMade(lab, clean.made);
      lab.awaitRunning(machines);
      lab.remove(machines);
    });
  }
}

void lostCommit(const Bench& bench) {
  forgetEach(bench, 1);
  if (bench.maxBatch() > 1) within("in a batch", [&] { forgetEach(bench, std::min<std::size_t>(3, batchOf(bench))); });
}

/// One run for each change of a create, in which `kind` happens to it.
void disturbEach(const Bench& bench, Fault::Kind kind, std::size_t count) {
  const Clean clean = cleanRun(bench, count);
  for (std::size_t n = 1; n <= clean.changes.size(); ++n) {
    Fault fault;
    fault.kind = kind;
    fault.changes_only = true;
    fault.at = static_cast<int>(n);
    within("when at change " + std::to_string(n) + " (" + clean.changes[n - 1] + ") " + fault.text(), [&] {
      Lab lab(bench);
      Machines machines = lab.mint(count);
      lab.wire().arm(fault);
      lab.make(machines);
      expectMade(lab, clean.made);
      lab.awaitRunning(machines);
      lab.remove(machines);
    });
  }
}

void lostAnswer(const Bench& bench) { disturbEach(bench, Fault::Kind::kAnswerLost, 1); }
void lostRequest(const Bench& bench) { disturbEach(bench, Fault::Kind::kRequestLost, 1); }
void tornAnswer(const Bench& bench) { disturbEach(bench, Fault::Kind::kTorn, 1); }
void slowAnswer(const Bench& bench) { disturbEach(bench, Fault::Kind::kSlow, 1); }
void batchLostAnswer(const Bench& bench) {
  disturbEach(bench, Fault::Kind::kAnswerLost, std::min<std::size_t>(3, batchOf(bench)));
}

void batch(const Bench& bench) {
  constexpr std::size_t kMost = 100;
  const bool small = bench.setup().live || bench.needsAddress();
  const std::size_t count = small ? batchOf(bench) : std::min(bench.maxBatch(), kMost);
  Lab lab(bench);
  Machines machines = lab.mint(count);
  lab.make(machines);
  std::set<std::string> ids;
  for (const Machine& machine : machines) {
    expect(!machine.cloud_id.empty() && ids.insert(machine.cloud_id).second, "each item has a machine of its own",
           "id '" + machine.cloud_id + "' is empty or used twice");
  }
  if (bench.info().existence == VCP_EXISTENCE_ASSERTED) return;
  expect(lab.madeKinds()["machine"] == static_cast<int>(count), std::to_string(count) + " machines", lab.madeText());
  lab.awaitRunning(machines);
  lab.remove(machines);
}

void badItem(const Bench& bench) {
  if (bench.of().bad_address.empty() || bench.of().addresses.size() < 2) {
    throw Skipped{"the case file has no bad_address, or less than two addresses"};
  }
  Lab lab(bench);
  Machines machines = lab.mint(2, true);
  Machines bad = machines;
  bad.insert(bad.begin() + 1, lab.mint(1).front());
  for (std::size_t i = 0; i < bad.size(); ++i) {
    bad[i].create_op = machines[0].create_op;
    bad[i].create_index = static_cast<std::int64_t>(i);
    bad[i].create_size = static_cast<std::int64_t>(bad.size());
  }
  bad[1].requested_address = bench.of().bad_address;
  // The request that carries the address may belong to a later step.
  constexpr int kSteps = 100;
  Result result;
  for (int step = 1; step <= kSteps; ++step) {
    result = lab.call(Verb::kCreate, bad[0].create_op, step, bad);
    if (result.answers[1].say != Say::kPending) break;
    std::int64_t pause_ms = 200;
    for (const Answer& answer : result.answers) pause_ms = std::max(pause_ms, answer.retry_after_ms);
    lab.host().pass(pause_ms);
  }
  expect(result.answers[1].say == Say::kError, "an error for the item with address " + bench.of().bad_address,
         result.answers[1].text());
  const bool first_fails = result.answers[0].say == Say::kError;
  expect(first_fails == (result.answers[2].say == Say::kError),
         "the good items go on, or all of one request are refused",
         result.answers[0].text() + " and " + result.answers[2].text());
  expect(!first_fails || result.changes <= 1, "the good items go on", result.answers[0].text());
  if (bench.info().existence == VCP_EXISTENCE_OBSERVED) lab.remove(bad);
}

void requestedAddress(const Bench& bench) {
  if (bench.of().addresses.empty()) throw Skipped{"the case file has no addresses"};
  Lab lab(bench);
  Machines machines = lab.mint(1, true);
  lab.make(machines);
  lab.awaitRunning(machines);
  expect(machines[0].address == machines[0].requested_address, "the address " + machines[0].requested_address,
         machines[0].address);
  if (bench.info().existence == VCP_EXISTENCE_OBSERVED) lab.remove(machines);
}

}  // namespace

std::vector<Check> createChecks() {
  return {
      {{"create.running", "a create leads to a running machine with an address",
        "Done when the cloud has accepted everything; not when it runs.", "driver.h, create",
        "go on from what the item and the cloud show, until nothing is left to send"},
       kObserved,
       toRunning},
      {{"create.reports_parts", "each object is reported by the step that makes it",
        "report each cloud object the moment its id is known, so that nothing made is ever lost",
        "host.h, vcp_item_sink_t", "call machine() or resource() right after the request that made it"},
       kObserved | kCloud,
       reportsParts},
      {{"create.waits", "no step waits for the cloud",
        "one *step*: at most one change of the cloud per item, any number of reads, no waiting",
        "driver.h, vcp_driver_ops_t", "answer PENDING with a pause instead of sleeping or polling"},
       kObserved,
       pauses},
      {{"step.one_change", "a step makes one change per item, a read makes none",
        "at most one change of the cloud per item (or one batched request for several of them)",
        "driver.h, vcp_driver_ops_t", "return PENDING after the first change; the host calls again"},
       kObserved | kCloud,
       oneChange},
      {{"create.unknown_members", "members that the driver does not know are ignored",
        "ignore members that you do not know", "driver.h, create", "read the members you need, and no others"},
       0,
       unknownMembers},
      {{"create.twice", "two creates with one op give one machine",
        "Idempotent on (op_id, create_index): the same token and request give the same machine.", "driver.h, create",
        "send op_id (and create_index) as the cloud's token, or look up by name before each change"},
       kObserved | kVirtual,
       twice},
      {{"create.crash_between_steps", "a new instance goes on where the last one was",
        "A driver decides what to do next from the item (ids, resources, driver_state) and from what it reads in the "
        "cloud, "
        "never from memory.",
        "driver.h, vcp_driver_ops_t", "keep nothing between calls; use driver_state"},
       kObserved,
       crashBetweenSteps},
      {{"create.lost_commit", "an answer that the host never wrote down is found again",
        "So a crash can lose at most the answer to one request an item; what that request made is found by name or "
        "token at "
        "the next call.",
        "driver.h, vcp_driver_ops_t", "make observe look by name, and by (create_op, create_index), for every part"},
       kObserved | kVirtual,
       lostCommit},
      {{"create.lost_answer", "a change whose answer is lost is not made twice",
        "what that request made is found by name or token at the next call", "driver.h, vcp_driver_ops_t",
        "report outcome UNKNOWN; make observe find parts by name; send the same token again"},
       kObserved | kCloud,
       lostAnswer},
      {{"create.lost_request", "a request that never arrived is sent again",
        "With another outcome than NOT_APPLIED the host looks before it acts, whatever the code.",
        "types.h, status codes", "decide from what the cloud shows, not from what was sent"},
       kObserved | kCloud,
       lostRequest},
      {{"create.torn_answer", "half an answer is no answer",
        "When in doubt say UNKNOWN: the host then looks before it acts.", "types.h, outcome",
        "treat a body that cannot be read as outcome UNKNOWN"},
       kObserved | kCloud,
       tornAnswer},
      {{"create.slow_answer", "an answer after the deadline is an unknown outcome",
        "the call must have returned by then", "host.h, vcp_call", "pass the host's error on, with its outcome"},
       kObserved | kCloud,
       slowAnswer},
      {{"create.batch", "max_batch items in one create each get a machine", "items in one mutation, 1..1000",
        "driver.h, vcp_plugin_info_t", "lower max_batch, or serve the rest in a later step with PENDING"},
       kBatches,
       batch},
      {{"create.batch_lost_answer", "a lost answer in a batch makes nothing twice",
        "Until the answer to a request for several items is known, every call of the op carries all of them",
        "driver.h, create", "bind items to machines by (create_op, create_index)"},
       kObserved | kCloud | kBatches,
       batchLostAnswer},
      {{"create.bad_item", "one bad item does not stop the others", "An item may fail while others go on.",
        "driver.h, create", "run each item in Results::guard()"},
       kBatches | kVirtual,
       badItem},
      {{"create.requested_address", "a requested address is the machine's",
        "fixed IPv4 address; empty = the cloud chooses", "types.h, vcp_item_t",
        "put requested_address into the request that makes the machine"},
       0,
       requestedAddress},
  };
}

}  // namespace vcp::check
