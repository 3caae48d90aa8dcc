// SPDX-License-Identifier: Apache-2.0
#include "store/fault_journal.h"

#include <utility>

namespace vcc {
namespace {

Status dead() { return unavailable("cannot write to the journal: the simulated process has died"); }

/// True when a countdown that runs reaches zero now.
bool countDown(std::size_t& count) { return count > 0 && --count == 0; }

}  // namespace

void FaultPlan::failFlush(std::size_t nth, Status status) {
  const MutexLock lock(mutex_);
  fail_in_ = nth;
  fail_status_ = std::move(status);
}

void FaultPlan::failAlways(Status status) {
  const MutexLock lock(mutex_);
  always_ = std::move(status);
}

void FaultPlan::crashAtFlush(std::size_t nth, CrashPoint point) {
  const MutexLock lock(mutex_);
  crash_in_ = nth;
  crash_point_ = point;
}

void FaultPlan::crash() {
  const MutexLock lock(mutex_);
  ++life_;
}

std::size_t FaultPlan::flushes() const {
  const MutexLock lock(mutex_);
  return flushes_;
}

FaultJournal::FaultJournal(std::unique_ptr<Journal> inner, std::shared_ptr<FaultPlan> plan)
    : inner_(std::move(inner)), plan_(std::move(plan)) {
  const MutexLock lock(plan_->mutex_);
  life_ = plan_->life_;
}

Status FaultJournal::write(const ChangeSet& changes) {
  // Held during the write, so that crash() falls before or after a flush, never into it.
  const MutexLock lock(plan_->mutex_);
  if (life_ != plan_->life_) return dead();
  const bool crashes = countDown(plan_->crash_in_);
  if (crashes) ++plan_->life_;
  if (crashes && plan_->crash_point_ == CrashPoint::kBeforeSync) return dead();
  if (countDown(plan_->fail_in_)) return plan_->fail_status_;
  if (!plan_->always_.ok()) return plan_->always_;
  VCC_RETURN_IF_ERROR(inner_->write(changes));
  ++plan_->flushes_;
  return crashes ? dead() : okStatus();
}

}  // namespace vcc
