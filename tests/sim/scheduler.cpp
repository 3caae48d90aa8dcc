// SPDX-License-Identifier: Apache-2.0
#include "sim/scheduler.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <stdexcept>
#include <utility>

namespace vcc::sim {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
/// What the clock of a dead life gains each time one of its threads is resumed.
constexpr std::int64_t kRunawayMs = 1000;
constexpr std::int64_t kLongestPollMs = 2000;
constexpr int kMostDrainRounds = 100'000;

}  // namespace

/// A job on a thread.
struct Scheduler::Fiber {
  std::shared_ptr<Life> life;
  ThreadPoolOfOne::Worker* worker = nullptr;
  const void* condition = nullptr;
  const void* polled = nullptr;
  std::int64_t polls = 1;
  std::uint64_t turn = 0;  // another one after each sleep: what was to end an earlier one does nothing
  bool parked = false;
  bool woken = false;
  bool ended = false;
};

Scheduler::Scheduler(Dice& dice, Trace& trace, ThreadPoolOfOne& threads)
    : dice_(dice), trace_(trace), threads_(threads) {
  WaitControl::ofThread() = this;
}

Scheduler::~Scheduler() { WaitControl::ofThread() = nullptr; }

void Scheduler::add(std::int64_t at_ms, Item item) {
  if (at_ms <= now_ms_) {
    ready_.push_back(std::move(item));
  } else if (at_ms < kNever) {
    later_.emplace(at_ms, std::move(item));
  }
}

void Scheduler::at(std::int64_t at_ms, const std::shared_ptr<Life>& life, std::function<void()> body) {
  add(at_ms, {.life = life, .body = std::move(body)});
}

void Scheduler::begin(const std::shared_ptr<Life>& life, Job job, std::function<void()> ended) {
  auto& fiber = *fibers_.emplace_back(std::make_unique<Fiber>());
  fiber.life = life;
  fiber.parked = true;
  fiber.turn = ++turns_;
  ++life->threads;
  fiber.worker = &threads_.prepare([this, &fiber, job = std::move(job), ended = std::move(ended)]() mutable {
    WaitControl::ofThread() = this;
    job();
    job = {};
    ended();
    fiber.ended = true;
    WaitControl::ofThread() = nullptr;
  });
  add(now_ms_, {.life = life, .body = {}, .fiber = &fiber, .turn = fiber.turn});
}

bool Scheduler::step() {
  if (ready_.empty()) {
    if (later_.empty()) return false;
    now_ms_ = later_.begin()->first;
    const auto end = later_.upper_bound(now_ms_);
    for (auto it = later_.begin(); it != end; ++it) ready_.push_back(std::move(it->second));
    later_.erase(later_.begin(), end);
  }
  const std::size_t drawn = dice_.roll(ready_.size());
  Item item = std::move(ready_[drawn]);
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(drawn));
  runItem(std::move(item));
  return true;
}

void Scheduler::runItem(Item item) {
  if (item.fiber != nullptr) {
    if (isThere(item.fiber) && item.fiber->parked && item.fiber->turn == item.turn) resume(*item.fiber);
    return;
  }
  if (item.life && item.life->dead && !item.life->lingers) return;
  ++steps_;
  trace_.add(now_ms_);
  Life* const before = std::exchange(current_, item.life.get());
  item.body();
  current_ = before;
  if (told_ && std::exchange(notified_, false)) told_(item.life.get());
}

bool Scheduler::isThere(const Fiber* fiber) const {
  return std::any_of(fibers_.begin(), fibers_.end(), [&](const auto& known) { return known.get() == fiber; });
}

void Scheduler::resume(Fiber& fiber) {
  ++steps_;
  trace_.add(now_ms_ + 1);
  fiber.parked = false;
  fiber.turn = ++turns_;
  if (fiber.condition != nullptr) {
    const auto [first, last] = waiting_.equal_range(fiber.condition);
    for (auto it = first; it != last; ++it) {
      if (it->second != &fiber) continue;
      waiting_.erase(it);
      break;
    }
    fiber.condition = nullptr;
  }
  Life* const life_before = std::exchange(current_, fiber.life.get());
  Fiber* const running_before = std::exchange(running_, &fiber);
  threads_.pass(*fiber.worker);
  running_ = running_before;
  current_ = life_before;
  const std::shared_ptr<Life> life = fiber.life;
  if (fiber.ended) {
    --life->threads;
    std::erase_if(fibers_, [&](const auto& known) { return known.get() == &fiber; });
  }
  if (told_ && std::exchange(notified_, false)) told_(life.get());
}

void Scheduler::park(Fiber& fiber, std::int64_t at_ms, const void* condition) {
  fiber.parked = true;
  fiber.woken = false;
  fiber.condition = condition;
  if (condition != nullptr) waiting_.emplace(condition, &fiber);
  add(at_ms, {.life = fiber.life, .body = {}, .fiber = &fiber, .turn = fiber.turn});
  threads_.giveBack(*fiber.worker);
}

void Scheduler::wake(Fiber& fiber) {
  if (!fiber.parked || fiber.woken) return;
  fiber.woken = true;
  fiber.turn = ++turns_;
  add(now_ms_, {.life = fiber.life, .body = {}, .fiber = &fiber, .turn = fiber.turn});
}

void Scheduler::drain(Life& life) {
  for (int round = 0; life.threads > 0; ++round) {
    if (round > kMostDrainRounds) throw std::runtime_error("a thread of " + life.name + " does not end");
    // A thread may wait for the store to answer.
    std::vector<Item> due;
    due.swap(ready_);
    std::vector<Item> kept;
    for (Item& item : due) {
      const bool store = item.fiber == nullptr && item.life && item.life->lingers;
      store ? runItem(std::move(item)) : kept.push_back(std::move(item));
    }
    ready_.insert(ready_.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
    std::vector<Fiber*> of_life;
    for (const auto& fiber : fibers_) {
      if (fiber->life.get() == &life && fiber->parked) of_life.push_back(fiber.get());
    }
    life.runaway_ms += kRunawayMs;
    for (Fiber* fiber : of_life) resume(*fiber);
  }
}

bool Scheduler::sleepUntil(std::int64_t at_ms) {
  Fiber& fiber = *running_;
  if (fiber.life->dead) return false;
  park(fiber, at_ms, nullptr);
  return fiber.woken;
}

std::function<void()> Scheduler::wakeup() {
  Fiber* const fiber = running_;
  const std::uint64_t turn = fiber->turn;
  return [this, fiber, turn] {
    if (isThere(fiber) && fiber->turn == turn) wake(*fiber);
  };
}

void Scheduler::wait(const void* condition, std::int64_t longest_ms, bool polls) {
  if (running_ == nullptr) {
    if (!step()) throw std::runtime_error("the main thread waits for something that will never happen");
    return;
  }
  // Whoever waits long looks ever less often.
  Fiber& fiber = *running_;
  if (polls) {
    fiber.polls = fiber.polled == condition ? std::min(fiber.polls * 2, kLongestPollMs) : 1;
    fiber.polled = condition;
    longest_ms = std::max(longest_ms, fiber.polls);
  }
  park(fiber, longest_ms < 0 ? kNever : now_ms_ + longest_ms, condition);
}

void Scheduler::notify(const void* condition, bool all) {
  notified_ = true;
  const auto [first, last] = waiting_.equal_range(condition);
  for (auto it = first; it != last; ++it) {
    const bool fresh = !it->second->woken;
    wake(*it->second);
    if (fresh && !all) return;
  }
}

struct ThreadPoolOfOne::Worker {
  sem_t go{};
  Job body;
  bool stopping = false;
  Thread thread;
};

ThreadPoolOfOne::ThreadPoolOfOne() { sem_init(&main_, 0, 0); }

ThreadPoolOfOne::~ThreadPoolOfOne() {
  for (const auto& worker : workers_) {
    worker->stopping = true;
    sem_post(&worker->go);
    worker->thread.join();
    sem_destroy(&worker->go);
  }
  sem_destroy(&main_);
}

ThreadPoolOfOne::Worker& ThreadPoolOfOne::prepare(Job body) {
  if (idle_.empty()) {
    auto& worker = *workers_.emplace_back(std::make_unique<Worker>());
    sem_init(&worker.go, 0, 0);
    worker.thread = Thread("sim", [this, &worker] { run(worker); });
    idle_.push_back(&worker);
  }
  Worker& worker = *idle_.back();
  idle_.pop_back();
  worker.body = std::move(body);
  return worker;
}

void ThreadPoolOfOne::run(Worker& worker) {
  for (;;) {
    while (sem_wait(&worker.go) != 0) {
    }
    if (worker.stopping) return;
    worker.body();
    worker.body = {};
    idle_.push_back(&worker);
    sem_post(&main_);
  }
}

void ThreadPoolOfOne::pass(Worker& worker) {
  sem_post(&worker.go);
  while (sem_wait(&main_) != 0) {
  }
}

void ThreadPoolOfOne::giveBack(Worker& worker) {
  sem_post(&main_);
  while (sem_wait(&worker.go) != 0) {
  }
}

/// Shared with the jobs: they may end after the executor.
struct SimExecutor::State {
  State(Scheduler& s, std::shared_ptr<Life> l, std::size_t t)
      : scheduler(s), life(std::move(l)), limit(std::max<std::size_t>(t, 1)) {}
  Scheduler& scheduler;
  const std::shared_ptr<Life> life;
  const std::size_t limit;
  std::size_t running = 0;
  std::deque<Job> queue;

  static void next(const std::shared_ptr<State>& state) {
    while (state->running < state->limit && !state->queue.empty()) {
      ++state->running;
      Job job = std::move(state->queue.front());
      state->queue.pop_front();
      state->scheduler.begin(state->life, std::move(job), [state] {
        --state->running;
        next(state);
        state->scheduler.notify(state.get(), true);
      });
    }
  }
};

SimExecutor::SimExecutor(Scheduler& scheduler, std::shared_ptr<Life> life, std::size_t threads)
    : state_(std::make_shared<State>(scheduler, std::move(life), threads)) {}

SimExecutor::~SimExecutor() {
  state_->queue.clear();
  while (state_->running > 0) state_->scheduler.wait(state_.get(), -1, false);
}

void SimExecutor::submit(Job job) {
  state_->queue.push_back(std::move(job));
  State::next(state_);
}

}  // namespace vcc::sim
