// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <semaphore.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/wait_control.h"
#include "sim/dice.h"

namespace vcc::sim {

/// Something that dies as a whole: a controller's process, or the store that several of them share. What belongs to
/// none is the world outside: network and clouds go on.
struct Life {
  explicit Life(std::string n) : name(std::move(n)) {}
  const std::string name;
  bool dead = false;            ///< nothing of it has an effect any more
  bool lingers = false;         ///< its items run though it is dead: they answer whoever still waits
  std::int64_t runaway_ms = 0;  ///< how far the clock of the dead has run ahead, so that whatever waits there ends
  std::size_t threads = 0;      ///< jobs of it that have begun and not ended
};

/// Threads of the operating system, kept between runs, of which one or none runs: whoever has the baton.
class ThreadPoolOfOne;

/// Time and order of a run. Everything that can happen is an item with a time; of those that are due one is drawn by
/// the dice and runs to its end, or, when it is a thread, to its next wait. Only then time passes. All methods but
/// those marked [thread] are for the main thread, the one that calls `step`.
class Scheduler final : public WaitControl {
 public:
  Scheduler(Dice& dice, Trace& trace, ThreadPoolOfOne& threads);
  ~Scheduler() override;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Milliseconds since the run began. [thread]
  std::int64_t now() const { return now_ms_; }
  /// Of the item or thread that runs; null = the world. [thread]
  Life* current() const { return current_; }

  /// Runs `body` at `at_ms` on the main thread. [thread]
  void at(std::int64_t at_ms, const std::shared_ptr<Life>& life, std::function<void()> body);
  /// Begins `job` on a thread of its own; `ended` runs there at its end. [thread]
  void begin(const std::shared_ptr<Life>& life, Job job, std::function<void()> ended);

  /// Draws one item and runs it. False: nothing will ever happen again.
  bool step();
  std::uint64_t steps() const { return steps_; }
  /// Told after each item and each turn of a thread that notified somebody, whose it was.
  void whenStepped(std::function<void(const Life*)> told) { told_ = std::move(told); }
  /// Ends what `life`, which is dead, has begun: its threads find that every effect is refused, and return.
  void drain(Life& life);

  /// Stops the calling thread until `wakeup` is used or the time has come. True when it was woken. [thread]
  bool sleepUntil(std::int64_t at_ms);
  /// What wakes the calling thread from its next sleep, for an item. Harmless when that sleep is over. [thread]
  std::function<void()> wakeup();

  // WaitControl [thread]. A wait of the main thread is steps of the run.
  void wait(const void* condition, std::int64_t longest_ms, bool polls) override;
  void notify(const void* condition, bool all) override;
  std::int64_t nowMs() const override { return now_ms_ + (current_ != nullptr ? current_->runaway_ms : 0); }

 private:
  struct Fiber;
  bool isThere(const Fiber* fiber) const;
  struct Item {
    std::shared_ptr<Life> life;
    std::function<void()> body;
    Fiber* fiber = nullptr;  // resumed when its sleep is still the one of `turn`
    std::uint64_t turn = 0;
  };
  void runItem(Item item);
  void resume(Fiber& fiber);
  void park(Fiber& fiber, std::int64_t at_ms, const void* condition);
  void wake(Fiber& fiber);
  void add(std::int64_t at_ms, Item item);

  Dice& dice_;
  Trace& trace_;
  ThreadPoolOfOne& threads_;
  std::int64_t now_ms_ = 0;
  std::uint64_t steps_ = 0;
  Life* current_ = nullptr;
  Fiber* running_ = nullptr;
  std::uint64_t turns_ = 0;
  bool notified_ = false;
  std::multimap<std::int64_t, Item> later_;
  std::vector<Item> ready_;
  std::vector<std::unique_ptr<Fiber>> fibers_;  // in the order of their begin
  std::multimap<const void*, Fiber*> waiting_;
  std::function<void(const Life*)> told_;
};

/// The threads, reused from run to run: to make one costs more than a whole driver call.
class ThreadPoolOfOne {
 public:
  ThreadPoolOfOne();
  ~ThreadPoolOfOne();
  ThreadPoolOfOne(const ThreadPoolOfOne&) = delete;
  ThreadPoolOfOne& operator=(const ThreadPoolOfOne&) = delete;

  struct Worker;
  /// A worker that is about to run `body`, and does so when the baton is passed to it.
  Worker& prepare(Job body);
  /// Main thread: lets the worker run until it gives the baton back.
  void pass(Worker& worker);
  /// Worker: gives the baton back and stops until it is passed again.
  void giveBack(Worker& worker);

 private:
  void run(Worker& worker);

  sem_t main_{};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
};

/// An Executor whose jobs are threads of the scheduler, at most `threads` at once. It belongs to a life; its destructor
/// lets the run go on until its jobs have ended, as a pool joins its threads.
class SimExecutor final : public Executor {
 public:
  SimExecutor(Scheduler& scheduler, std::shared_ptr<Life> life, std::size_t threads);
  ~SimExecutor() override;
  void submit(Job job) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// An Executor whose jobs block nobody: each is an item of the main thread.
class ItemExecutor final : public Executor {
 public:
  ItemExecutor(Scheduler& scheduler, std::shared_ptr<Life> life) : scheduler_(scheduler), life_(std::move(life)) {}
  void submit(Job job) override { scheduler_.at(scheduler_.now(), life_, std::move(job)); }

 private:
  Scheduler& scheduler_;
  std::shared_ptr<Life> life_;
};

/// Both clocks of the simulated machine: the monotonic one goes with the run, the wall clock may jump.
class SimClock final : public Clock {
 public:
  explicit SimClock(const Scheduler& scheduler) : scheduler_(scheduler) {}
  std::int64_t wallMs() const override { return kBeginning + scheduler_.nowMs() + jumped_ms_; }
  std::int64_t monoMs() const override { return 1000 + scheduler_.nowMs(); }
  void jump(std::int64_t ms) { jumped_ms_ += ms; }

 private:
  static constexpr std::int64_t kBeginning = 1'700'000'000'000;
  const Scheduler& scheduler_;
  std::int64_t jumped_ms_ = 0;
};

}  // namespace vcc::sim
