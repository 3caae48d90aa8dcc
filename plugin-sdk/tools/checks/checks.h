// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lab.h"
#include "plugin.h"
#include "report.h"

namespace vcp::check {

/// What a check means nothing without.
enum Need : unsigned {
  kObserved = 1,  ///< existence is OBSERVED
  kAsserted = 2,  ///< existence is ASSERTED
  kCloud = 4,     ///< a simulated cloud
  kVirtual = 8,   ///< not against a real cloud: too long, too dear, or time must be the suite's
  kPowers = 16,
  kLists = 32,
  kSecond = 64,    ///< second_credentials
  kBatches = 128,  ///< max_batch > 1
  kDisks = 256,    ///< the driver offers data disks
};

struct Check {
  Topic topic;
  unsigned needs;
  void (*body)(const Bench&);
};

// One function a file.
std::vector<Check> requestChecks();
std::vector<Check> createChecks();
std::vector<Check> destroyChecks();
std::vector<Check> readChecks();
std::vector<Check> powerChecks();
std::vector<Check> diskChecks();
std::vector<Check> grantChecks();
std::vector<Check> callChecks();
std::vector<Check> errorChecks();
std::vector<Check> stateChecks();
std::vector<Check> ruleChecks();

/// What an undisturbed create and removal take.
struct Clean {
  int steps = 0;
  int destroy_steps = 0;
  std::vector<std::string> changes;  ///< of the create; with a simulated cloud
  std::vector<std::string> destroy_changes;
  std::string made;  ///< "disk 1, machine 1"
};

inline Clean cleanRun(const Bench& bench, std::size_t count = 1) {
  Lab lab(bench);
  Clean clean;
  Machines machines = lab.mint(count);
  Course course;
  lab.make(machines, course);
  clean.steps = course.steps;
  clean.made = lab.madeText();
  if (bench.cloud() != nullptr) clean.changes = lab.wire().changes();
  Course removal;
  lab.remove(machines, removal);
  clean.destroy_steps = removal.steps;
  if (bench.cloud() != nullptr) {
    const std::vector<std::string> all = lab.wire().changes();
    clean.destroy_changes.assign(all.begin() + static_cast<std::ptrdiff_t>(clean.changes.size()), all.end());
  }
  return clean;
}

/// Runs `body`; a failure in it tells `context` too.
template <class Body>
void within(const std::string& context, Body&& body) {
  try {
    body();
  } catch (const Failed& failed) {
    fail(failed.expected, context + ": " + failed.seen);
  }
}

/// Items of a create in checks of batches: at least two.
inline std::size_t batchOf(const Bench& bench) { return std::min(bench.maxBatch(), bench.of().batch); }

}  // namespace vcp::check
