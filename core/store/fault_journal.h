// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "store/fault_plan.h"
#include "store/journal.h"

namespace vcc {

/// Passes through to another journal, except where the plan says otherwise.
class FaultJournal final : public Journal {
 public:
  FaultJournal(std::unique_ptr<Journal> inner, std::shared_ptr<FaultPlan> plan);
  Result<LoadedTables> load() override { return inner_->load(); }
  Status write(const ChangeSet& changes) override;

 private:
  std::unique_ptr<Journal> inner_;
  std::shared_ptr<FaultPlan> plan_;
  std::uint64_t life_;
};

}  // namespace vcc
