// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "base/status.h"

namespace vcc {

/// Whether the flush during which the process dies still reaches the disk.
enum class CrashPoint : std::uint8_t { kBeforeSync, kAfterSync };

/// What goes wrong with the journals that follow this plan; held by the test or the simulation. Thread safe.
class FaultPlan {
 public:
  /// The `nth` flush from now (1 = the next) fails with `status` and stores nothing.
  void failFlush(std::size_t nth, Status status);
  /// Every flush from now on fails with `status`; success ends it.
  void failAlways(Status status);
  /// The `nth` flush from now is the last that the present journals see; see crash().
  void crashAtFlush(std::size_t nth, CrashPoint point);
  /// From now on the present journals store nothing: the process is dead, its memory is lost. Journals made later
  /// work again.
  void crash();
  /// Flushes that were stored.
  std::size_t flushes() const;

 private:
  friend class FaultJournal;
  mutable Mutex mutex_;
  std::size_t fail_in_ VCC_GUARDED_BY(mutex_) = 0;
  Status fail_status_ VCC_GUARDED_BY(mutex_);
  Status always_ VCC_GUARDED_BY(mutex_);
  std::size_t crash_in_ VCC_GUARDED_BY(mutex_) = 0;
  CrashPoint crash_point_ VCC_GUARDED_BY(mutex_) = CrashPoint::kBeforeSync;
  std::uint64_t life_ VCC_GUARDED_BY(mutex_) = 0;
  std::size_t flushes_ VCC_GUARDED_BY(mutex_) = 0;
};

}  // namespace vcc
