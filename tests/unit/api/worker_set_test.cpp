// SPDX-License-Identifier: Apache-2.0
#include "api/worker_set.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

using namespace vcc;

namespace {

/// Work that takes until it is let go, and a count of the threads.
class Site {
 public:
  bool turn(WorkerSet::Ticket& ticket) {
    std::unique_lock lock(mutex_);
    ++threads_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return pieces_ > 0 || !waits_; });
    const bool works = pieces_ > 0;
    if (works) {
      --pieces_;
      lock.unlock();
      ticket.begin();
      lock.lock();
      ++busy_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !holds_; });
      --busy_;
      ticket.end();
    }
    --threads_;
    return works;
  }

  void bring(int pieces) {
    const std::lock_guard lock(mutex_);
    pieces_ = pieces;
    holds_ = true;
    changed_.notify_all();
  }
  /// Ends the work that is held.
  void letGo() { set(holds_, false); }
  /// From now on nobody waits for work: all turns come back without any.
  void dry() { set(waits_, false); }
  bool await(int busy) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return busy_ == busy; });
  }
  int threads() {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

 private:
  void set(bool& what, bool value) {
    const std::lock_guard lock(mutex_);
    what = value;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int pieces_ = 0;
  int busy_ = 0;
  int threads_ = 0;
  bool holds_ = false;
  bool waits_ = true;
};

}  // namespace

TEST_CASE("workers grow with what holds them, up to the limit, and go on when it is over") {
  Site site;
  const SystemClock clock;
  std::atomic<int> ticks = 0;
  WorkerSet workers(
      "t", 20, clock, [&](WorkerSet::Ticket& ticket, int) { return site.turn(ticket); }, [&] { ++ticks; });
  workers.start();
  site.bring(25);
  CHECK(site.await(20));
  site.letGo();
  CHECK(site.await(0));
  site.bring(1);
  CHECK(site.await(1));
  site.letGo();
  workers.stop([&] { site.dry(); });
  CHECK(site.threads() == 0);
  CHECK(ticks > 0);
}
