// SPDX-License-Identifier: Apache-2.0
// What the host does around the calls: the rules of doubt, pauses and repeats (types.h, driver.h).
#include <algorithm>

#include "lab.h"
#include "plugin.h"
#include "report.h"

namespace vcp::check {
namespace {

constexpr int kMaxSteps = 1000;
constexpr int kMaxErrors = 12;  // one after the other
constexpr std::int64_t kFirstPauseMs = 200;
constexpr std::int64_t kLastPauseMs = 5000;
constexpr std::int64_t kErrorPauseMs = 1000;
constexpr std::int64_t kDefaultSettleMs = 120'000;
constexpr std::int64_t kMaxPendingMs = 3'600'000;

/// "Not now": the same op again after a pause.
bool isNotNow(std::int32_t code) {
  return code == VCP_UNAVAILABLE || code == VCP_ABORTED || code == VCP_FAILED_PRECONDITION || code == VCP_CANCELLED ||
         code == VCP_UNKNOWN || code == VCP_DEADLINE_EXCEEDED;
}

std::size_t knownIds(const Machines& machines) {
  std::size_t count = 0;
  for (const Machine& machine : machines) count += machine.knownIds();
  return count;
}

/// What the host waits after an answer, and whether it may go on without a look.
struct After {
  bool doubt = false;
  bool error = false;
  std::int64_t pause_ms = 0;
  bool pending_at_once = false;
};

After weigh(const Result& result, const Machines& machines) {
  After after;
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    const Answer& answer = result.answers[i];
    if (answer.say == Say::kPending) {
      after.pause_ms = std::max(after.pause_ms, std::min(answer.retry_after_ms, kMaxPendingMs));
      after.pending_at_once = after.pending_at_once || answer.retry_after_ms <= 0;
    }
    if (answer.say != Say::kError) continue;
    after.error = true;
    after.pause_ms = std::max({after.pause_ms, kErrorPauseMs, answer.error.retry_after_ms});
    if (answer.error.outcome != VCP_OUTCOME_NOT_APPLIED) {
      after.doubt = true;
    } else if (result.verb == Verb::kCreate && !isNotNow(answer.error.code)) {
      fail("the create of " + machines[i].name + " comes to its end", "it was given up: " + answer.text());
    }
  }
  return after;
}

}  // namespace

void Lab::learn(const Sight& sight, Machine& machine) {
  if (sight.failed || !sight.seen.found) return;
  if (!sight.seen.cloud_id.empty()) machine.cloud_id = sight.seen.cloud_id;
  if (!sight.seen.address.empty()) machine.address = sight.seen.address;
  for (const plugin::Resource& part : sight.seen.resources) {
    const auto same =
        std::find_if(machine.resources.begin(), machine.resources.end(),
                     [&](const plugin::Resource& known) { return known.kind == part.kind && known.name == part.name; });
    if (same == machine.resources.end()) {
      machine.resources.push_back(part);
    } else {
      *same = part;
    }
  }
}

/// Observes until every item has an answer.
std::vector<Sight> Lab::look(const Machines& machines, const Asking& asking) {
  std::vector<Sight> sights;
  for (int tries = 0; tries < kMaxErrors; ++tries) {
    sights.clear();
    for (std::size_t at = 0; at < machines.size(); at += bench_.maxObserve()) {
      const std::size_t end = std::min(machines.size(), at + bench_.maxObserve());
      const Machines chunk(machines.begin() + static_cast<std::ptrdiff_t>(at),
                           machines.begin() + static_cast<std::ptrdiff_t>(end));
      for (Sight& sight : observe(chunk, asking)) sights.push_back(std::move(sight));
    }
    const auto failed = std::find_if(sights.begin(), sights.end(), [](const Sight& sight) { return sight.failed; });
    if (failed == sights.end()) return sights;
    host_.pass(kErrorPauseMs);
  }
  for (const Sight& sight : sights) {
    if (sight.failed) fail("observe answers in the end", sight.text());
  }
  return sights;
}

/// The doubt about a create: look first; where neither token nor name shields the cloud, look again when nothing can be
/// under way any more.
void Lab::settle(Machines& machines, std::size_t known, const Asking& asking) {
  const auto learned = [&] {
    const std::vector<Sight> sights = look(machines, asking);
    for (std::size_t i = 0; i < machines.size(); ++i) learn(sights[i], machines[i]);
    return knownIds(machines) > known;
  };
  if (learned() || bench_.info().idempotency != VCP_IDEMPOTENCY_LOOKUP) return;
  const std::int64_t settle_ms = bench_.info().settle_ms == 0 ? kDefaultSettleMs : bench_.info().settle_ms;
  host_.pass(settle_ms + bench_.info().lookup_lag_ms + 1);
  learned();
}

bool Lab::make(Machines& machines, Course& course, const Asking& asking) {
  const std::int64_t end = host_.now() + bench_.of().create_ms;
  bool doubt = course.in_doubt;
  std::size_t known = 0;
  std::int64_t pause = kFirstPauseMs;
  int errors = 0;
  for (;;) {
    if (course.stop_after >= 0 && course.steps >= course.stop_after) return false;
    if (doubt) settle(machines, known, asking);
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      if (doubt || !machines[i].done) chosen.push_back(i);
    }
    if (chosen.empty()) return true;
    if (host_.now() > end || course.steps >= kMaxSteps) {
      fail("create is done within " + std::to_string(bench_.of().create_ms) + " ms of the cloud's time",
           "it is not after " + std::to_string(course.steps) + " steps (timings.create_ms)");
    }
    if (course.reopen) reopen();
    Machines part;
    for (const std::size_t i : chosen) part.push_back(machines[i]);
    const Machines before = part;
    known = knownIds(machines);
    const Result result = call(Verb::kCreate, machines.front().create_op, course.steps + 1, part, asking);
    ++course.steps;
    if (course.watch) course.watch(result, part);
    const bool forget = course.forget_answer == course.steps;
    for (std::size_t i = 0; i < chosen.size(); ++i) machines[chosen[i]] = forget ? before[i] : part[i];
    if (forget) {
      reopen();
      doubt = true;
      continue;
    }
    const After after = weigh(result, part);
    doubt = after.doubt;
    errors = after.error ? errors + 1 : 0;
    if (errors >= kMaxErrors)
      fail("create goes on", std::to_string(errors) + " errors one after the other: " + result.answers.front().text());
    const bool waits = after.pending_at_once && after.pause_ms == 0;
    host_.pass(waits ? pause : after.pause_ms);
    pause = waits ? std::min(pause * 2, kLastPauseMs) : kFirstPauseMs;
  }
}

void Lab::make(Machines& machines, const Asking& asking) {
  Course course;
  make(machines, course, asking);
}

void Lab::awaitRunning(Machines& machines, const Asking& asking) {
  const std::int64_t end = host_.now() + bench_.of().boot_ms;
  for (std::int64_t pause = 500;; pause = std::min<std::int64_t>(pause * 2, 30'000)) {
    const std::vector<Sight> sights = look(machines, asking);
    bool all = true;
    std::string late;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      learn(sights[i], machines[i]);
      if (sights[i].seen.found && sights[i].seen.state == plugin::State::kFailed) {
        fail("the machine runs in the end", "it FAILED: " + sights[i].seen.detail);
      }
      const bool runs =
          sights[i].seen.found && sights[i].seen.state == plugin::State::kRunning && !sights[i].seen.address.empty();
      if (!runs) late = sights[i].text();
      all = all && runs;
    }
    if (all) return;
    if (host_.now() > end) {
      fail("observe says RUNNING with an address within " + std::to_string(bench_.of().boot_ms) +
               " ms of the cloud's time",
           late + " (timings.boot_ms)");
    }
    host_.pass(pause);
  }
}

bool Lab::remove(Machines& machines, Course& course, const Asking& asking) {
  const std::int64_t end = host_.now() + bench_.of().destroy_ms;
  int errors = 0;
  for (;;) {
    const std::string op = newOp();
    std::int64_t attempt = 0;
    std::int64_t pause = kFirstPauseMs;
    for (Machine& machine : machines) machine.done = false;
    for (;;) {
      Machines part;
      std::vector<std::size_t> chosen;
      for (std::size_t i = 0; i < machines.size(); ++i) {
        if (machines[i].done) continue;
        chosen.push_back(i);
        part.push_back(machines[i]);
      }
      if (chosen.empty()) break;
      if (course.stop_after >= 0 && course.steps >= course.stop_after) return false;
      if (host_.now() > end || course.steps >= kMaxSteps) {
        fail("destroy is done within " + std::to_string(bench_.of().destroy_ms) + " ms of the cloud's time",
             "it is not after " + std::to_string(course.steps) + " steps (timings.destroy_ms)");
      }
      if (course.reopen) reopen();
      const Machines before = part;
      const Result result = call(Verb::kDestroy, op, ++attempt, part, asking);
      ++course.steps;
      if (course.watch) course.watch(result, part);
      const bool forget = course.forget_answer == course.steps;
      for (std::size_t i = 0; i < chosen.size(); ++i) machines[chosen[i]] = forget ? before[i] : part[i];
      if (forget) {
        reopen();
        continue;
      }
      const After after = weigh(result, part);
      errors = after.error ? errors + 1 : 0;
      if (errors >= kMaxErrors)
        fail("destroy goes on",
             std::to_string(errors) + " errors one after the other: " + result.answers.front().text());
      const bool waits = after.pending_at_once && after.pause_ms == 0;
      host_.pass(waits ? pause : after.pause_ms);
      pause = waits ? std::min(pause * 2, kLastPauseMs) : kFirstPauseMs;
    }
    // Looks: TERMINATING is waited for, anything else is destroyed again.
    host_.pass(bench_.info().lookup_lag_ms);
    for (;;) {
      const std::vector<Sight> sights = look(machines, asking);
      if (std::all_of(sights.begin(), sights.end(), [](const Sight& sight) { return sight.isGone(); })) return true;
      const auto left = std::find_if(sights.begin(), sights.end(), [](const Sight& sight) { return !sight.isGone(); });
      if (host_.now() > end) {
        fail("observe says found = 0 within " + std::to_string(bench_.of().destroy_ms) + " ms after destroy",
             left->text());
      }
      host_.pass(kLastPauseMs);
      if (left->seen.state != plugin::State::kTerminating) break;
    }
  }
}

void Lab::remove(Machines& machines, const Asking& asking) {
  Course course;
  remove(machines, course, asking);
}

void Lab::power(bool on, Machines& machines, const Asking& asking) {
  const std::string op = newOp();
  const std::int64_t end = host_.now() + bench_.of().boot_ms;
  for (std::int64_t attempt = 1;; ++attempt) {
    const Result result = call(on ? Verb::kPowerOn : Verb::kPowerOff, op, attempt, machines, asking);
    const bool all = std::all_of(result.answers.begin(), result.answers.end(),
                                 [](const Answer& answer) { return answer.say == Say::kDone; });
    if (all) return;
    if (host_.now() > end || attempt > kMaxSteps) fail("power is done in the end", result.answers.front().text());
    host_.pass(std::max(kFirstPauseMs, weigh(result, machines).pause_ms));
  }
}

}  // namespace vcp::check
