// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "checks.h"

namespace vcp::check {
namespace {

/// Owners of the objects that a machine knows.
std::set<std::string> ownersOf(const std::vector<Object>& objects, const Machine& machine) {
  std::set<std::string> owners;
  for (const Object& object : objects) {
    if (machine.knows(object.id)) owners.insert(object.owner);
  }
  return owners;
}

void expectNoBleed(Lab& lab) {
  const std::string note = lab.host().notes.of(Rule::kBleed);
  expect(note.empty(), "a request carries what its own call brought", note);
}

void interleaved(const Bench& bench) {
  Lab lab(bench);
  Asking asking[2];
  asking[0].grant = &bench.of().first;
  asking[1].grant = &bench.of().second;
  Machines machines[2] = {lab.mint(1), lab.mint(1)};
  Course courses[2];
  bool done[2] = {false, false};
  while (!done[0] || !done[1]) {
    for (const std::size_t i : {0U, 1U}) {
      if (done[i]) continue;
      courses[i].stop_after = courses[i].steps + 1;
      done[i] = lab.make(machines[i], courses[i], asking[i]);
      lab.observe(machines[i], asking[i]);
    }
  }
  if (bench.cloud() != nullptr) {
    const std::vector<Object> objects = lab.made();
    const std::set<std::string> first = ownersOf(objects, machines[0][0]);
    const std::set<std::string> second = ownersOf(objects, machines[1][0]);
    expect(
        first.size() == 1 && second.size() == 1 && first != second, "each user's machine belongs to the user's account",
        "owners '" + (first.empty() ? "" : *first.begin()) + "' and '" + (second.empty() ? "" : *second.begin()) + "'");
  }
  expectNoBleed(lab);
  lab.awaitRunning(machines[1], asking[1]);
  lab.awaitRunning(machines[0], asking[0]);
  lab.remove(machines[0], asking[0]);
  lab.remove(machines[1], asking[1]);
  expectNoBleed(lab);
}

void parallel(const Bench& bench) {
  constexpr std::size_t kMost = 4;
  const std::size_t count = std::min<std::size_t>(std::max(1U, bench.info().concurrency), kMost);
  if (count < 2) throw Skipped{"concurrency is 1"};
  Lab lab(bench);
  std::vector<Machines> machines;
  for (std::size_t i = 0; i < count; ++i) machines.push_back(lab.mint(1));
  std::mutex mutex;
  std::vector<Failed> failures;
  std::set<std::string> owners[2];
  const auto life = [&](std::size_t i) {
    try {
      Asking asking;
      const bool other = i % 2 == 1 && !bench.of().second.credentials.empty();
      asking.grant = other ? &bench.of().second : &bench.of().first;
      lab.make(machines[i], asking);
      lab.awaitRunning(machines[i], asking);
      if (bench.cloud() != nullptr) {
        const std::set<std::string> mine = ownersOf(lab.made(), machines[i][0]);
        const std::lock_guard<std::mutex> lock(mutex);
        owners[other ? 1 : 0].insert(mine.begin(), mine.end());
      }
      lab.remove(machines[i], asking);
    } catch (const Failed& failed) {
      const std::lock_guard<std::mutex> lock(mutex);
      failures.push_back(failed);
    } catch (const std::exception& e) {
      const std::lock_guard<std::mutex> lock(mutex);
      failures.push_back({"no exception crosses the boundary", e.what()});
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(life, i);
  for (std::thread& thread : threads) thread.join();
  if (!failures.empty()) fail(failures.front().expected, "on a thread: " + failures.front().seen);
  expect(owners[0].size() <= 1 && owners[1].size() <= 1 && (owners[0].empty() || owners[0] != owners[1]),
         "each user's machines belong to the user's account", "they are mixed");
  expectNoBleed(lab);
}

}  // namespace

std::vector<Check> grantChecks() {
  return {
      {{"grants.interleaved", "calls of two users do not mix",
        "JSON object of the user's secrets. For this call only: never stored, cached or logged", "host.h, vcp_call",
        "keep no credential and no cloud token in a member; use the host's session cache"},
       kObserved | kSecond | kVirtual,
       interleaved},
      {{"grants.parallel", "different machines may be served on several threads",
        "different machines may run in parallel, up to vcp_plugin_info_t.concurrency calls of the driver at once",
        "abi.h, thread tags", "guard what an instance shares with a mutex, or lower concurrency"},
       kObserved | kVirtual,
       parallel},
  };
}

}  // namespace vcp::check
