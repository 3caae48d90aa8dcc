// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "unit/store/backends.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Holds jobs back until the test runs them: what gathers before a flush is under control.
class ManualExecutor final : public Executor {
 public:
  void submit(Job job) override {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  std::size_t run() {
    std::size_t count = 0;
    for (;; ++count) {
      Job job;
      {
        const std::lock_guard lock(mutex_);
        if (jobs_.empty()) return count;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

 private:
  std::mutex mutex_;
  std::deque<Job> jobs_;
};

Store::Body putUser(const std::string& name) {
  return [name](Tx& tx) { return tx.users().put({.name = name}); };
}

std::size_t countUsers(const Store& store) {
  return look(store, [](const ReadTx& tx) { return tx.users().size(); });
}

/// Collects what `done` callbacks were told.
struct Answers {
  std::vector<Code> codes;
  Store::Done next() {
    return [this](const Status& status) { codes.push_back(status.code()); };
  }
};

}  // namespace

TEST_CASE_TEMPLATE("transactions that gather become durable in one flush", B, FaultMemoryBackend, FaultSqliteBackend) {
  ManualExecutor writer;
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  Answers answers;
  for (int i = 0; i < 100; ++i) bench.store->transactAsync(putUser("user-" + std::to_string(i)), answers.next());
  CHECK(answers.codes.empty());
  CHECK(countUsers(*bench.store) == 100);
  CHECK(writer.run() == 1);
  CHECK(answers.codes == std::vector<Code>(100, Code::kOk));
  CHECK(bench.backend.plan->flushes() == 1);
  REQUIRE(bench.open().ok());
  CHECK(countUsers(*bench.store) == 100);
}

TEST_CASE_TEMPLATE("threads that wait share syncs", B, FaultMemoryBackend, FaultSqliteBackend) {
  ThreadPool writer("writer", 1);
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  std::atomic<int> failures{0};
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    std::size_t last = 0;
    while (!stop) {
      const std::size_t count = countUsers(*bench.store);
      if (count < last) ++failures;
      last = count;
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const Status status = bench.store->transact([&](Tx& tx) {
          tx.nextCounter("c");
          return tx.users().put({.name = std::to_string(t) + "-" + std::to_string(i)});
        });
        if (!status.ok()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  stop = true;
  reader.join();
  CHECK(failures == 0);
  // A flush in memory is so short that each transaction may get one of its own.
  const auto all = static_cast<std::size_t>(kThreads * kEach);
  CHECK(bench.backend.plan->flushes() <= all);
  if constexpr (std::is_same_v<B, FaultSqliteBackend>) CHECK(bench.backend.plan->flushes() < all);
  MESSAGE((kThreads * kEach) << " transactions, " << bench.backend.plan->flushes() << " flushes");
  REQUIRE(bench.open().ok());
  CHECK(countUsers(*bench.store) == static_cast<std::size_t>(kThreads * kEach));
  std::int64_t next = 0;
  REQUIRE(bench.store
              ->transact([&](Tx& tx) {
                next = tx.nextCounter("c");
                return okStatus();
              })
              .ok());
  CHECK(next == kThreads * kEach + 1);
}

TEST_CASE("a transaction that changed nothing waits only for what it may have seen") {
  ManualExecutor writer;
  Bench<FaultMemoryBackend> bench(writer);
  REQUIRE(bench.open().ok());
  const auto nothing = [](Tx&) { return okStatus(); };
  Answers answers;
  bench.store->transactAsync(nothing, answers.next());
  CHECK(answers.codes.size() == 1);
  bench.backend.plan->failFlush(1, unavailable("disk"));
  bench.store->transactAsync(putUser("ann"), answers.next());
  bench.store->transactAsync(nothing, answers.next());
  CHECK(answers.codes.size() == 1);
  writer.run();
  CHECK(answers.codes == std::vector<Code>{Code::kOk, Code::kUnavailable, Code::kUnavailable});
}

TEST_CASE_TEMPLATE("a failed flush takes everything back and heals", B, FaultMemoryBackend, FaultSqliteBackend) {
  ManualExecutor writer;
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  Answers answers;
  bench.store->transactAsync(putUser("kept"), answers.next());
  bench.store->transactAsync([](Tx& tx) { return tx.vcs().put(makeVc("v")); }, answers.next());
  writer.run();
  bench.backend.plan->failAlways(unavailable("cannot write: disk full; free space"));
  std::vector<std::int64_t> counters;
  const auto work = [&](Tx& tx) {
    counters.push_back(tx.nextCounter("c"));
    VCC_RETURN_IF_ERROR(tx.units().put(makeUnit("u", "v", "web")));
    Vc vc = *tx.vcs().find("v");
    vc.description += "x";
    VCC_RETURN_IF_ERROR(tx.vcs().put(vc));
    tx.users().erase("kept");
    return okStatus();
  };
  bench.store->transactAsync(work, answers.next());
  bench.store->transactAsync(work, answers.next());
  CHECK(countUsers(*bench.store) == 0);
  CHECK(bench.store->health().ok());
  writer.run();
  CHECK(answers.codes == std::vector<Code>{Code::kOk, Code::kOk, Code::kUnavailable, Code::kUnavailable});
  CHECK(bench.store->health().message() == "cannot write: disk full; free space");
  const auto unchanged = [&] {
    CHECK(countUsers(*bench.store) == 1);
    CHECK(versionOf(*bench.store, "v") == 1);
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.vcs().find("v")->description; }).empty());
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.units().size(); }) == 0);
  };
  unchanged();

  bench.backend.plan->failAlways(okStatus());
  bench.store->transactAsync(work, answers.next());
  writer.run();
  CHECK(answers.codes.back() == Code::kOk);
  CHECK(bench.store->health().ok());
  CHECK(counters == std::vector<std::int64_t>{1, 2, 3});
  REQUIRE(bench.open().ok());
  CHECK(countUsers(*bench.store) == 0);
  // 2 and 3 were seen and taken back: what a reader kept under them must not match.
  CHECK(versionOf(*bench.store, "v") == 4);
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.vcs().find("v")->description; }) == "x");
  std::int64_t next = 0;
  bench.store->transactAsync(
      [&](Tx& tx) {
        next = tx.nextCounter("c");
        return okStatus();
      },
      answers.next());
  writer.run();
  CHECK(next == 4);
  CHECK(answers.codes.back() == Code::kOk);
}

namespace {

/// A journal whose write waits for the test.
class GateJournal final : public Journal {
 public:
  struct Gate {
    std::promise<void> entered;
    std::promise<Status> verdict;
  };
  explicit GateJournal(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  Result<LoadedTables> load() override { return LoadedTables(); }
  Status write(const ChangeSet&) override {
    if (used_) return okStatus();
    used_ = true;
    gate_->entered.set_value();
    return gate_->verdict.get_future().get();
  }

 private:
  std::shared_ptr<Gate> gate_;
  bool used_ = false;
};

}  // namespace

TEST_CASE("what rests on a flush that fails falls with it") {
  constexpr std::chrono::seconds kBound{20};
  const FakeClock clock;
  NullLogger log;
  ThreadPool writer("writer", 1);
  auto gate = std::make_shared<GateJournal::Gate>();
  auto store = std::move(MirrorStore::open(std::make_unique<GateJournal>(gate), clock, writer, log)).value();
  std::promise<Status> first;
  std::promise<Status> second;
  store->transactAsync(putUser("first"), [&](Status status) { first.set_value(std::move(status)); });
  REQUIRE(gate->entered.get_future().wait_for(kBound) == std::future_status::ready);
  // The first one is being written: this one sees it, and even replaces it.
  store->transactAsync(
      [](Tx& tx) {
        CHECK(tx.users().find("first") != nullptr);
        VCC_RETURN_IF_ERROR(tx.users().put({.name = "first", .role = UserRole::kSuper}));
        return tx.users().put({.name = "second"});
      },
      [&](Status status) {
        // Callbacks run without locks: the store can be used from here.
        CHECK(countUsers(*store) == 0);
        second.set_value(std::move(status));
      });
  CHECK(countUsers(*store) == 2);
  gate->verdict.set_value(unavailable("disk"));
  CHECK(first.get_future().get().code() == Code::kUnavailable);
  CHECK(second.get_future().get().code() == Code::kUnavailable);
  CHECK(countUsers(*store) == 0);
  CHECK(store->transact(putUser("third")).ok());
  CHECK(countUsers(*store) == 1);
}

TEST_CASE_TEMPLATE("a crash keeps what was acknowledged and nothing that was not", B, FaultMemoryBackend,
                   FaultSqliteBackend) {
  ManualExecutor writer;
  Bench<B> bench(writer);
  REQUIRE(bench.open().ok());
  Answers answers;
  bench.store->transactAsync(putUser("synced"), answers.next());
  writer.run();
  bench.store->transactAsync(putUser("lost"), answers.next());
  bench.backend.plan->crash();
  writer.run();
  CHECK(answers.codes == std::vector<Code>{Code::kOk, Code::kUnavailable});
  REQUIRE(bench.open().ok());
  CHECK(countUsers(*bench.store) == 1);
  CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().find("synced") != nullptr; }));
  for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
    bench.backend.plan->crashAtFlush(2, point);
    bench.store->transactAsync(putUser("a"), answers.next());
    writer.run();
    bench.store->transactAsync(putUser("b"), answers.next());
    writer.run();
    CHECK(answers.codes.back() == Code::kUnavailable);
    bench.store->transactAsync(putUser("c"), answers.next());
    writer.run();
    CHECK(answers.codes.back() == Code::kUnavailable);
    REQUIRE(bench.open().ok());
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().find("a") != nullptr; }));
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().find("b") != nullptr; }) ==
          (point == CrashPoint::kAfterSync));
    CHECK(look(*bench.store, [](const ReadTx& tx) { return tx.users().find("c") == nullptr; }));
  }
}

TEST_CASE("what still waits is written when the store goes") {
  ManualExecutor writer;
  Bench<MemoryBackend> bench(writer);
  REQUIRE(bench.open().ok());
  Answers answers;
  bench.store->transactAsync(putUser("late"), answers.next());
  REQUIRE(bench.open().ok());
  CHECK(answers.codes == std::vector<Code>{Code::kOk});
  CHECK(countUsers(*bench.store) == 1);
  CHECK(writer.run() == 1);  // the job that was never run finds nothing, and no dead store
}

TEST_CASE("readers see whole transactions only") {
  ThreadPool writer("writer", 1);
  Bench<MemoryBackend> bench(writer);
  REQUIRE(bench.open().ok());
  REQUIRE(seed(*bench.store).ok());
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!stop) {
        bench.store->read([&](const ReadTx& tx) {
          std::size_t listed = 0;
          tx.nodes().scan("unit_id", "u", [&](const Node&) { return ++listed > 0; });
          if (listed % 2 != 0 || listed != tx.nodes().size()) ++torn;
        });
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    const std::string id = std::to_string(i);
    const Status status = bench.store->transact([&](Tx& tx) {
      VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode(id + "a", "u", 2 * i)));
      VCC_RETURN_IF_ERROR(tx.nodes().put(makeNode(id + "b", "u", 2 * i + 1)));
      return i % 3 == 0 ? aborted("every third one") : okStatus();
    });
    CHECK(status.ok() == (i % 3 != 0));
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(torn == 0);
}
