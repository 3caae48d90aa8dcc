// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "sim/dice.h"
#include "sim/sqlite_disk.h"
#include "sim/witness.h"
#include "store/fault_journal.h"

namespace vcc::sim {

/// What goes wrong at a flush, drawn for each.
struct DiskFaults {
  double crash = 0;
  double failure = 0;
};

/// The journal of a run: looks for secrets in what is stored, and lets the process die at the flush: before or after
/// what it holds is on the disk, or, with SQLite, in the middle.
class WatchedJournal final : public Journal {
 public:
  /// `sqlite`: the disk that `inner` is on, or null. `died` is told at once: nothing of the process may act any more.
  WatchedJournal(std::unique_ptr<Journal> inner, SqliteDisk* sqlite, std::shared_ptr<FaultPlan> plan,
                 const DiskFaults& faults, Dice& dice, Witness& witness, std::function<void()> died)
      : inner_(std::move(inner), plan),
        sqlite_(sqlite),
        plan_(std::move(plan)),
        faults_(faults),
        dice_(dice),
        witness_(witness),
        died_(std::move(died)) {}

  Result<LoadedTables> load() override { return inner_.load(); }
  Status write(const ChangeSet& changes) override;

 private:
  FaultJournal inner_;
  SqliteDisk* const sqlite_;
  const std::shared_ptr<FaultPlan> plan_;
  const DiskFaults& faults_;
  Dice& dice_;
  Witness& witness_;
  const std::function<void()> died_;
};

}  // namespace vcc::sim
