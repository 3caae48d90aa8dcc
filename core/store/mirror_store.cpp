// SPDX-License-Identifier: Apache-2.0
#include "store/mirror_store.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "store/mirror.h"

namespace vcc {
namespace {

/// A shared mutex that lets a waiting writer in before later readers: GET requests overlap all the time and would
/// keep the plain one shared for ever.
class FairSharedMutex {
 public:
  void lock() {
    const std::lock_guard turn(turn_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    const std::lock_guard turn(turn_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turn_;
  std::shared_mutex mutex_;
};

/// Where a thread in `transact` waits for its group.
class Waiter {
 public:
  void set(Status status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
    ready_.notify_one();  // under the lock: the waiter is gone as soon as it sees the status
  }
  Status wait() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return status_.has_value(); });
    return std::move(*status_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<Status> status_;
};

/// Transactions that become durable together.
struct Group {
  ChangeSet changes;
  std::vector<Store::Done> waiting;
  bool empty() const { return waiting.empty(); }
};

}  // namespace

/// Lock order: flush_mutex, then mirror_mutex, then group_mutex. Callbacks and executors are called with none held.
struct MirrorStore::State {
  State(std::unique_ptr<Journal> j, Logger& l, std::size_t events_keep)
      : journal(std::move(j)), log(l), mirror(events_keep) {}

  /// Writes the waiting group, if any. False when there was none.
  bool flushOnce();
  /// Runs flushOnce until nothing waits.
  void flushAll() {
    while (flushOnce()) {
    }
  }

  std::mutex flush_mutex;  // held for a whole flush: guards the journal
  const std::unique_ptr<Journal> journal;
  Logger& log;

  mutable FairSharedMutex mirror_mutex;  // guards mirror
  Mirror mirror;

  mutable std::mutex group_mutex;  // guards everything below
  Group gathering;
  bool flushing = false;  // a flush has taken its group and is not done: what it holds can still be taken back
  bool scheduled = false;
  Status health;

 private:
  void settle(Group& group, const Status& status);
};

bool MirrorStore::State::flushOnce() {
  Group group;
  Status status;
  {
    const std::lock_guard flush_lock(flush_mutex);
    {
      const std::lock_guard group_lock(group_mutex);
      std::swap(group, gathering);
      if (group.empty()) {
        scheduled = false;
        return false;
      }
      flushing = true;
    }
    status = journal->write(group.changes);
    settle(group, status);
  }
  for (const Done& done : group.waiting) done(status);
  return true;
}

void MirrorStore::State::settle(Group& group, const Status& status) {
  if (status.ok()) {
    const std::lock_guard group_lock(group_mutex);
    flushing = false;
    health = okStatus();
    return;
  }
  log.error("STORE_WRITE_FAILED", "changes were not stored and are taken back",
            {{"transactions", group.waiting.size()}, {"cause", status.toString()}});
  const std::lock_guard mirror_lock(mirror_mutex);
  const std::lock_guard group_lock(group_mutex);
  Group later;
  std::swap(later, gathering);
  mirror.undo(later.changes);
  mirror.undo(group.changes);
  for (Done& done : later.waiting) group.waiting.push_back(std::move(done));
  flushing = false;
  health = status;
}

Result<std::unique_ptr<MirrorStore>> MirrorStore::open(std::unique_ptr<Journal> journal, const Clock& clock,
                                                       Executor& writer, Logger& log, const StoreOptions& options) {
  auto state = std::make_shared<State>(std::move(journal), log, options.events_keep);
  VCC_ASSIGN_OR_RETURN(LoadedTables loaded, state->journal->load());
  state->mirror.load(std::move(loaded));
  return std::unique_ptr<MirrorStore>(new MirrorStore(std::move(state), clock, writer));
}

MirrorStore::MirrorStore(std::shared_ptr<State> state, const Clock& clock, Executor& writer)
    : state_(std::move(state)), clock_(clock), writer_(writer) {}

MirrorStore::~MirrorStore() { state_->flushAll(); }

Status MirrorStore::transact(const Body& body) {
  Waiter waiter;
  transactAsync(body, [&waiter](Status status) { waiter.set(std::move(status)); });
  return waiter.wait();
}

void MirrorStore::transactAsync(Body body, Done done) {
  State& state = *state_;
  Status status;
  bool joined = false;
  bool schedule = false;
  {
    const std::lock_guard mirror_lock(state.mirror_mutex);
    auto changes = state.mirror.run(body, clock_.wallMs());
    status = changes.status();
    if (status.ok()) {
      const std::lock_guard group_lock(state.group_mutex);
      // A transaction that changed nothing still waits when it may have seen what can be taken back.
      joined = !changes->empty() || state.flushing || !state.gathering.empty();
      if (joined) {
        state.gathering.changes.append(*changes);
        state.gathering.waiting.push_back(std::move(done));
        schedule = !std::exchange(state.scheduled, true);
      }
    }
  }
  if (!joined) return done(std::move(status));  // NOLINT(bugprone-use-after-move): moved only into a group
  if (schedule) writer_.submit([held = state_] { held->flushAll(); });
}

void MirrorStore::read(const std::function<void(const ReadTx&)>& body) const {
  const std::shared_lock lock(state_->mirror_mutex);
  body(MirrorReadTx(state_->mirror, clock_.wallMs()));
}

Status MirrorStore::health() const {
  const std::lock_guard lock(state_->group_mutex);
  return state_->health;
}

}  // namespace vcc
