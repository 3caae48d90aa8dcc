// SPDX-License-Identifier: Apache-2.0
#include "store/mirror_store.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "store/mirror.h"
#include "store/record_times.h"

namespace vcc {
namespace {

/// The clocks part a little while they are read one after the other, and while one of them is slewed.
constexpr std::int64_t kClockStepMs = 1000;

/// Where a thread in `transact` waits for its group.
class Waiter {
 public:
  void set(Status status) {
    const MutexLock lock(mutex_);
    status_ = std::move(status);
    ready_.notifyOne();  // under the lock: the waiter is gone as soon as it sees the status
  }
  Status wait() {
    MutexLock lock(mutex_);
    ready_.wait(lock, [this]() VCC_REQUIRES(mutex_) { return status_.has_value(); });
    return std::move(*status_);
  }

 private:
  Mutex mutex_;
  CondVar ready_;
  std::optional<Status> status_ VCC_GUARDED_BY(mutex_);
};

/// Transactions that become durable together.
struct Group {
  ChangeSet changes;
  std::vector<Store::Done> waiting;
  std::int64_t moved_ms = 0;  // by how much the times of the records moved in it
  bool empty() const { return waiting.empty() && changes.empty(); }
};

}  // namespace

/// Lock order: flush_mutex, then mirror_mutex, then group_mutex. Callbacks and executors are called with none held.
struct MirrorStore::State {
  State(std::unique_ptr<Journal> j, Logger& l, std::size_t events_keep)
      : journal(std::move(j)), log(l), mirror(events_keep) {}

  /// Has the records follow the wall clock when it was set. Returns by how much they moved.
  Result<std::int64_t> followClock(const Clock& clock) VCC_REQUIRES(mirror_mutex) VCC_EXCLUDES(group_mutex);
  /// Writes the waiting group, if any. False when there was none.
  bool flushOnce() VCC_EXCLUDES(flush_mutex, mirror_mutex, group_mutex);
  /// Runs flushOnce until nothing waits.
  void flushAll() VCC_EXCLUDES(flush_mutex, mirror_mutex, group_mutex) {
    while (flushOnce()) {
    }
  }

  Mutex flush_mutex;  // held for a whole flush
  const std::unique_ptr<Journal> journal VCC_PT_GUARDED_BY(flush_mutex);
  Logger& log;

  FairSharedMutex mirror_mutex;
  Mirror mirror VCC_GUARDED_BY(mirror_mutex);
  std::atomic<std::int64_t> ahead_ms{0};  // of the records' time, of the monotonic clock; changes under mirror_mutex

  Mutex group_mutex;
  Group gathering VCC_GUARDED_BY(group_mutex);
  bool flushing VCC_GUARDED_BY(group_mutex) =
      false;  // a flush has taken its group and is not done: what it holds can still be taken back
  bool scheduled VCC_GUARDED_BY(group_mutex) = false;
  Status health VCC_GUARDED_BY(group_mutex);

 private:
  void settle(Group& group, const Status& status) VCC_REQUIRES(flush_mutex) VCC_EXCLUDES(mirror_mutex, group_mutex);
};

Result<std::int64_t> MirrorStore::State::followClock(const Clock& clock) {
  const std::int64_t now = clock.monoMs() + ahead_ms;
  const std::int64_t by = clock.wallMs() - now;
  if (std::abs(by) < kClockStepMs) return 0;
  auto changes = mirror.run([by](Tx& tx) { return moveTimes(tx, by); }, now);
  VCC_RETURN_IF_ERROR(changes.status());
  const MutexLock group_lock(group_mutex);
  gathering.changes.append(*changes);
  gathering.moved_ms += by;
  ahead_ms += by;
  return by;
}

bool MirrorStore::State::flushOnce() {
  Group group;
  Status status;
  {
    const MutexLock flush_lock(flush_mutex);
    {
      const MutexLock group_lock(group_mutex);
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
    const MutexLock group_lock(group_mutex);
    flushing = false;
    health = okStatus();
    return;
  }
  log.error("STORE_WRITE_FAILED", "changes were not stored and are taken back",
            {{"transactions", group.waiting.size()}, {"cause", status.toString()}});
  const WriterLock mirror_lock(mirror_mutex);
  const MutexLock group_lock(group_mutex);
  Group later;
  std::swap(later, gathering);
  mirror.undo(later.changes);
  mirror.undo(group.changes);
  ahead_ms -= later.moved_ms + group.moved_ms;
  for (Done& done : later.waiting) group.waiting.push_back(std::move(done));
  flushing = false;
  health = status;
}

Result<std::unique_ptr<MirrorStore>> MirrorStore::open(std::unique_ptr<Journal> journal, const Clock& clock,
                                                       Executor& writer, Logger& log, const StoreOptions& options) {
  auto state = std::make_shared<State>(std::move(journal), log, options.events_keep);
  {
    const MutexLock flush_lock(state->flush_mutex);
    const WriterLock mirror_lock(state->mirror_mutex);
    VCC_ASSIGN_OR_RETURN(LoadedTables loaded, state->journal->load());
    state->mirror.load(std::move(loaded));
    state->ahead_ms = clock.wallMs() - clock.monoMs();
    // The records' time goes on where it was; the first transaction finds it ahead of the wall clock.
    std::int64_t latest = 0;
    const auto looked = state->mirror.run(
        [&](Tx& tx) {
          latest = latestTime(tx);
          return okStatus();
        },
        0);
    VCC_RETURN_IF_ERROR(looked.status());
    state->ahead_ms = std::max(state->ahead_ms.load(), latest - clock.monoMs());
  }
  return std::unique_ptr<MirrorStore>(new MirrorStore(std::move(state), clock, writer));
}

MirrorStore::MirrorStore(std::shared_ptr<State> state, const Clock& clock, Executor& writer)
    : state_(std::move(state)), clock_(clock), writer_(writer) {}

MirrorStore::~MirrorStore() { state_->flushAll(); }

std::int64_t MirrorStore::now() const { return clock_.monoMs() + state_->ahead_ms; }

Status MirrorStore::transact(const Body& body) {
  Waiter waiter;
  transactAsync(body, [&waiter](Status status) { waiter.set(std::move(status)); });
  return waiter.wait();
}

void MirrorStore::transactAsync(Body body, Done done) {
  State& state = *state_;
  Status status;
  Result<std::int64_t> moved = 0;
  bool joined = false;
  bool schedule = false;
  {
    const WriterLock mirror_lock(state.mirror_mutex);
    moved = state.followClock(clock_);
    auto changes = state.mirror.run(body, now());
    status = changes.status();
    if (status.ok()) {
      const MutexLock group_lock(state.group_mutex);
      // A transaction that changed nothing still waits when it may have seen what can be taken back.
      joined = !changes->empty() || state.flushing || !state.gathering.empty();
      if (joined) {
        state.gathering.changes.append(*changes);
        state.gathering.waiting.push_back(std::move(done));
        schedule = !std::exchange(state.scheduled, true);
      }
    }
  }
  if (!moved.ok()) {
    state.log.error("STORE_CLOCK_STUCK", moved.status().message());
  } else if (*moved != 0) {
    state.log.warn("STORE_CLOCK_SET", "the wall clock was set; the times of records moved with it",
                   {{"by_ms", *moved}});
  }
  if (!joined) return done(std::move(status));  // NOLINT(bugprone-use-after-move): moved only into a group
  if (schedule) writer_.submit([held = state_] { held->flushAll(); });
}

void MirrorStore::read(const std::function<void(const ReadTx&)>& body) const {
  const ReaderLock lock(state_->mirror_mutex);
  body(MirrorReadTx(state_->mirror, now()));
}

Status MirrorStore::health() const {
  const MutexLock lock(state_->group_mutex);
  return state_->health;
}

std::size_t MirrorStore::damagedRows() const {
  const ReaderLock lock(state_->mirror_mutex);
  return state_->mirror.damagedRows();
}

}  // namespace vcc
