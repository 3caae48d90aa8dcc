// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/status.h"
#include "store/journal.h"
#include "store/store.h"

namespace vcc {

struct StoreOptions {
  /// The newest events stay, older ones are dropped as new ones come.
  std::size_t events_keep = 5000;
};

/// The Store: every read is served from memory; changes go to a journal in groups.
///
/// A transaction runs on the mirror under the writer lock and joins the waiting group. One flush at a time, a job on
/// `writer`, takes the whole group, writes it as one durable transaction and then tells everybody in it. So while one
/// sync runs the next group gathers, and a thousand transactions need far fewer syncs.
///
/// Its time is that of the records: the wall clock's, but it runs with the monotonic clock. Where the two have parted,
/// because the wall clock was set or the machine slept, the next transaction moves the records' times first
/// (store/record_times.h), so that nobody ever sees them at another distance from `now`. What lies ahead of the wall
/// clock at start, because that was put back while nothing ran, is moved likewise.
///
/// When a flush fails, everything that is not durable is taken back, the failed group and the one that gathered
/// meanwhile (it may rest on the failed one), and all are told kUnavailable.
class MirrorStore final : public Store {
 public:
  /// Loads the journal into memory. `clock`, `writer` and `log` are borrowed and outlive the store. With an executor
  /// that runs jobs at once, each transaction flushes alone.
  static Result<std::unique_ptr<MirrorStore>> open(std::unique_ptr<Journal> journal, const Clock& clock,
                                                   Executor& writer, Logger& log, const StoreOptions& options = {});
  /// Flushes what still waits. Transactions must not be under way.
  ~MirrorStore() override;

  Status transact(const Body& body) override;
  void transactAsync(Body body, Done done) override;
  void read(const std::function<void(const ReadTx&)>& body) const override;
  std::int64_t now() const override;
  Status health() const override;
  std::size_t damagedRows() const override;

 private:
  struct State;
  MirrorStore(std::shared_ptr<State> state, const Clock& clock, Executor& writer);

  // Flush jobs hold the state too: a job that an executor runs late finds an empty group instead of a dead store.
  std::shared_ptr<State> state_;
  const Clock& clock_;
  Executor& writer_;
};

}  // namespace vcc
