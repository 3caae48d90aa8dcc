// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"

namespace vcc {

/// The threads that serve a listener: one, and more once none waits for work. A few are enough for work that only uses
/// the processor, and keep it warm; beyond them another one starts only for each that has been with one piece of work
/// for long, which is how a handler that waits for a disk or a cloud looks from here. Thread safe.
class WorkerSet {
 public:
  /// `turn` waits up to `wait_ms` for work and does one piece of it, between `begin` and `end` of the ticket; false
  /// when there was none. `tick` is called about once a second, on a thread of its own.
  class Ticket {
   public:
    void begin();
    void end();

   private:
    friend class WorkerSet;
    Ticket(WorkerSet& set, std::size_t slot) : set_(set), slot_(slot) {}
    WorkerSet& set_;
    std::size_t slot_;
  };
  using Turn = std::function<bool(Ticket& ticket, int wait_ms)>;

  WorkerSet(std::string name, std::size_t limit, const Clock& clock, Turn turn, Job tick);

  void start();
  /// Ends every thread. `wake` makes all turns come back, those under way and those that begin.
  void stop(const Job& wake);

 private:
  static constexpr std::int64_t kNone = -1;    // of a slot: no thread
  static constexpr std::int64_t kWaiting = 0;  // the thread waits; otherwise it works, or starts, since then

  std::int64_t nowMs() const;
  void keep();
  void work(std::size_t slot);
  void grow();
  bool retire(std::size_t slot);
  void addLocked() VCC_REQUIRES(mutex_);

  const std::string name_;
  const Clock& clock_;
  const Turn turn_;
  const Job tick_;
  std::vector<std::atomic<std::int64_t>> slots_;
  std::atomic<std::int64_t> waiting_ = 0;  // threads
  std::atomic<bool> watched_ = false;      // the keeper looks every few milliseconds
  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  CondVar wake_;
  std::size_t threads_ VCC_GUARDED_BY(mutex_) = 0;
  std::vector<Thread> threads_by_slot_ VCC_GUARDED_BY(mutex_);  // ended ones are joined when their slot is used again
  Thread keeper_;
};

}  // namespace vcc
