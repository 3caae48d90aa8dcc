// SPDX-License-Identifier: Apache-2.0
// Data disks in the lab: what they need besides the courses that they share with machines.
#include <algorithm>

#include "lab.h"
#include "plugin.h"
#include "report.h"

namespace vcp::check {
namespace {

constexpr std::int64_t kLeastPauseMs = 200;
constexpr std::int64_t kLookPauseMs = 5000;

}  // namespace

Machines Lab::mintDisks(std::size_t count) {
  const std::string op = newOp();
  Machines disks;
  for (std::size_t i = 0; i < count; ++i) {
    Machine disk = newItem();
    disk.is_disk = true;
    disk.create_op = op;
    disk.create_index = static_cast<std::int64_t>(i);
    disk.create_size = static_cast<std::int64_t>(count);
    minted_.push_back(disk);
    disks.push_back(std::move(disk));
  }
  return disks;
}

void Lab::prepareAttach(Machines& machines) {
  awaitRunning(machines);
  if (bench_.info().attach_needs == VCP_ATTACH_OFF) power(false, machines);
}

void Lab::setAttached(bool on, Machine& disk, const Machine& machine) {
  const std::string op = newOp();
  const std::int64_t end = host_.now() + bench_.of().boot_ms;
  for (std::int64_t attempt = 1;; ++attempt) {
    const Answer answer = attach(on, op, attempt, disk, machine).answers.front();
    if (answer.say == Say::kDone) break;
    if (host_.now() > end) fail(on ? "attach is done in the end" : "detach is done in the end", answer.text());
    host_.pass(std::max({kLeastPauseMs, answer.retry_after_ms, answer.error.retry_after_ms}));
  }
  awaitDisk(disk, on ? plugin::DiskState::kAttached : plugin::DiskState::kAvailable, on ? machine.cloud_id : "");
}

void Lab::awaitDisk(const Machine& disk, plugin::DiskState state, const std::string& machine_id) {
  const std::int64_t end = host_.now() + bench_.of().boot_ms;
  for (;;) {
    const Sight sight = observe({disk}).front();
    if (!sight.failed && sight.disk.found && sight.disk.state == state && sight.disk.machine_id == machine_id) return;
    if (host_.now() > end) {
      fail("observe says state " + std::to_string(static_cast<int>(state)) + ", held by '" + machine_id + "'",
           sight.text());
    }
    host_.pass(kLookPauseMs);
  }
}

}  // namespace vcp::check
