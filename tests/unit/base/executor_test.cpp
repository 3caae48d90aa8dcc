// SPDX-License-Identifier: Apache-2.0
#include "base/executor.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

using namespace vcc;

namespace {
constexpr std::chrono::seconds kBound{20};

std::string threadName() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}
}  // namespace

TEST_CASE("a pool runs every job, never more at once than its limit") {
  constexpr int kJobs = 500;
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  std::promise<void> all;
  {
    ThreadPool pool("test", 3);
    for (int i = 0; i < kJobs; ++i) {
      pool.submit([&] {
        const int here = ++now;
        int seen = most.load();
        while (here > seen && !most.compare_exchange_weak(seen, here)) {
        }
        --now;
        if (++done == kJobs) all.set_value();
      });
    }
    REQUIRE(all.get_future().wait_for(kBound) == std::future_status::ready);
  }
  CHECK(done == kJobs);
  CHECK(most >= 1);
  CHECK(most <= 3);
}

TEST_CASE("jobs that block each run on a thread of their own, up to the limit") {
  ThreadPool pool("test", 4);
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  std::array<std::promise<void>, 4> started;
  for (auto& promise : started) {
    pool.submit([&promise, open] {
      promise.set_value();
      open.wait();
    });
  }
  for (auto& promise : started) REQUIRE(promise.get_future().wait_for(kBound) == std::future_status::ready);
  CHECK(pool.load() == 4);
  std::promise<void> extra;
  pool.submit([&extra] { extra.set_value(); });
  CHECK(pool.load() == 5);
  gate.set_value();
  CHECK(extra.get_future().wait_for(kBound) == std::future_status::ready);
}

TEST_CASE("abandoning waits for nothing that runs and drops what waits") {
  const auto gate = std::make_shared<std::promise<void>>();
  const auto running = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<void>>();
  const auto dropped = std::make_shared<int>(1);
  {
    ThreadPool pool("test", 1);
    pool.submit([gate, running, ended] {
      running->set_value();
      gate->get_future().wait();
      ended->set_value();
    });
    REQUIRE(running->get_future().wait_for(kBound) == std::future_status::ready);
    pool.submit([dropped] {});
    pool.abandon();
    CHECK(dropped.use_count() == 1);
  }
  gate->set_value();  // the pool is gone; what was left behind goes on
  CHECK(ended->get_future().wait_for(kBound) == std::future_status::ready);
}

TEST_CASE("the destructor joins what runs and drops what waits") {
  auto finished = std::make_shared<std::atomic<bool>>(false);
  auto dropped = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = dropped;
  std::promise<void> started;
  std::promise<void> gate;
  std::atomic<bool> ran{false};
  std::thread opener;
  {
    ThreadPool pool("test", 1);
    pool.submit([&, finished] {
      started.set_value();
      gate.get_future().wait();
      *finished = true;
    });
    REQUIRE(started.get_future().wait_for(kBound) == std::future_status::ready);
    pool.submit([&ran, held = std::move(dropped)] { ran = *held == 1; });
    opener = std::thread([&] {
      // The waiting job dies in the destructor, so this can only be seen after it began.
      while (!watch.expired()) std::this_thread::yield();
      gate.set_value();
    });
  }
  opener.join();
  CHECK(*finished);
  CHECK_FALSE(ran);
}

TEST_CASE("pool threads are named and leave signals to the main thread") {
  ThreadPool pool("a-name-longer-than-15", 1);
  std::promise<std::pair<std::string, int>> seen;
  pool.submit([&seen] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    seen.set_value({threadName(), sigismember(&mask, SIGTERM)});
  });
  const auto [name, blocked] = seen.get_future().get();
  CHECK(name == "a-name-longer-t");
  CHECK(blocked == 1);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  CHECK(sigismember(&mine, SIGTERM) == 0);
}

TEST_CASE("a job may submit another one") {
  ThreadPool pool("test", 1);
  std::promise<void> done;
  pool.submit([&] { pool.submit([&] { done.set_value(); }); });
  CHECK(done.get_future().wait_for(kBound) == std::future_status::ready);
}

TEST_CASE("a thread runs its body and is joined when assigned over or destroyed") {
  std::atomic<int> ran{0};
  {
    Thread thread("one", [&ran] { ++ran; });
    thread = Thread("two", [&ran] { ++ran; });
    CHECK(ran >= 1);
    Thread other = std::move(thread);
    thread.join();  // NOLINT(bugprone-use-after-move): joining an empty one does nothing
    other.join();
    CHECK(ran == 2);
    Thread last("three", [&ran] { ++ran; });
  }
  CHECK(ran == 3);
}

TEST_CASE("the inline executor runs at once") {
  InlineExecutor executor;
  bool ran = false;
  executor.submit([&ran] { ran = true; });
  CHECK(ran);
}
