// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vcc {

/// Takes the place of the operating system for every condition variable (base/mutex.h) that a thread waits on or
/// notifies: the seam by which simulation decides which of its threads runs, and when time passes for it
/// (architecture 29). The threads that share a condition variable have the same control, or all have none.
class WaitControl {
 public:
  virtual ~WaitControl() = default;
  /// Stops the calling thread until `condition` is notified or `longest_ms` have passed (negative: no limit); may
  /// return early for no reason. The caller holds no lock, and looks again itself. `polls`: it only wants to look at
  /// something else now and then, and a longer pause does no harm.
  virtual void wait(const void* condition, std::int64_t longest_ms, bool polls) = 0;
  virtual void notify(const void* condition, bool all) = 0;
  /// The time that `longest_ms` is measured in.
  virtual std::int64_t nowMs() const = 0;

  /// Of the calling thread; null, as on every thread of the product: the operating system.
  static WaitControl*& ofThread() {
    static thread_local WaitControl* control = nullptr;
    return control;
  }
};

}  // namespace vcc
