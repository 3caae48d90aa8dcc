// SPDX-License-Identifier: Apache-2.0
#include "api/worker_set.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace vcc {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kLongMs = 5;  // with one piece of work
constexpr milliseconds kTick{1000};
constexpr int kIdleMs = 30000;  // a thread ends after this without work, except the last one

std::size_t fewThreads() { return static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 4L)); }

}  // namespace

void WorkerSet::Ticket::begin() {
  set_.slots_[slot_] = set_.nowMs();
  if (set_.waiting_.fetch_sub(1) != 1 || set_.watched_.exchange(true)) return;
  const MutexLock lock(set_.mutex_);
  set_.wake_.notifyAll();
}

void WorkerSet::Ticket::end() {
  set_.slots_[slot_] = kWaiting;
  ++set_.waiting_;
}

WorkerSet::WorkerSet(std::string name, std::size_t limit, const Clock& clock, Turn turn, Job tick)
    : name_(std::move(name)),
      clock_(clock),
      turn_(std::move(turn)),
      tick_(std::move(tick)),
      slots_(limit),
      threads_by_slot_(limit) {
  for (auto& slot : slots_) slot = kNone;
}

std::int64_t WorkerSet::nowMs() const { return std::max(clock_.monoMs(), kWaiting + 1); }

void WorkerSet::start() {
  {
    const MutexLock lock(mutex_);
    addLocked();
  }
  keeper_ = Thread(name_ + "-keep", [this] { keep(); });
}

void WorkerSet::addLocked() {
  const auto free = std::find(slots_.begin(), slots_.end(), kNone);
  const auto slot = static_cast<std::size_t>(free - slots_.begin());
  slots_[slot] = nowMs();
  try {
    threads_by_slot_[slot] = Thread(name_, [this, slot] { work(slot); });
  } catch (...) {
    slots_[slot] = kNone;
    throw;
  }
  ++threads_;
}

void WorkerSet::work(std::size_t slot) {
  Ticket ticket(*this, slot);
  ticket.end();
  while (!stopping_) {
    if (!turn_(ticket, kIdleMs) && retire(slot)) return;
  }
}

bool WorkerSet::retire(std::size_t slot) {
  const MutexLock lock(mutex_);
  if (threads_ == 1) return false;
  --threads_;
  --waiting_;
  slots_[slot] = kNone;
  return true;
}

void WorkerSet::grow() {
  const std::int64_t long_since = clock_.monoMs() - kLongMs;
  const MutexLock lock(mutex_);
  const auto brisk =
      static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [&](const std::atomic<std::int64_t>& slot) {
        const std::int64_t since = slot;
        return since == kWaiting || since > long_since;
      }));
  try {
    for (std::size_t more = brisk; more < fewThreads() && threads_ < slots_.size(); ++more) addLocked();
  } catch (const std::system_error&) {
    // The system has no thread for us now; those that there are go on, and this is tried again.
  }
}

void WorkerSet::keep() {
  std::int64_t next_tick = clock_.monoMs();
  while (!stopping_) {
    {
      MutexLock lock(mutex_);
      const bool watched = watched_;
      wake_.waitFor(lock, watched ? milliseconds(kLongMs) : kTick, [&] { return stopping_ || (!watched && watched_); });
    }
    if (stopping_) return;
    if (watched_) {
      if (waiting_ == 0) {
        grow();
      } else {
        watched_ = false;
        if (waiting_ == 0) watched_ = true;  // it fell between the two lines above, when nobody told us
      }
    }
    if (clock_.monoMs() < next_tick) continue;
    next_tick = clock_.monoMs() + kTick.count();
    tick_();
  }
}

void WorkerSet::stop(const Job& wake) {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notifyAll();
  }
  wake();
  keeper_.join();
  std::vector<Thread> threads;
  {
    const MutexLock lock(mutex_);
    threads.swap(threads_by_slot_);
  }
}

}  // namespace vcc
