// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace vcc {

using Job = std::function<void()>;

/// Runs jobs somewhere else. The seam that lets simulation put every thread under one scheduler.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Queues `job`; never blocks, never runs it before returning (except InlineExecutor). Jobs must not throw.
  virtual void submit(Job job) = 0;
  /// Ends without waiting: jobs that have not started are dropped, those that run are left behind on their threads and
  /// must own what they touch. Nothing may be submitted afterwards. Where no job can be running there is nothing to do.
  virtual void abandon() {}
};

/// A bounded set of threads with small stacks (256 KiB), started on demand and ended after 30 s without work.
/// The destructor drops jobs that have not started and joins those that run; it must not run in one of them.
/// Its threads block all signals.
class ThreadPool final : public Executor {
 public:
  /// `name` shows in the thread list (15 characters at most); `threads` is the upper limit.
  ThreadPool(std::string name, std::size_t threads);
  ~ThreadPool() override;
  /// Throws std::system_error when the system refuses even the first thread.
  void submit(Job job) override;
  void abandon() override;
  /// Jobs waiting or running.
  std::size_t load() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// A ThreadPool, for who takes any Executor.
std::unique_ptr<Executor> makeThreadPool(const std::string& name, std::size_t threads);

/// Runs each job in `submit`, on the caller's thread. For tests.
class InlineExecutor final : public Executor {
 public:
  void submit(Job job) override { job(); }
};

/// One joinable named thread (1 MiB stack, all signals blocked); the destructor joins. The constructor throws
/// std::system_error when the system refuses the thread.
class Thread {
 public:
  Thread();
  Thread(const std::string& name, Job body);
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;
  ~Thread();
  void join();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vcc
