// SPDX-License-Identifier: Apache-2.0
#include "base/executor.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <deque>
#include <system_error>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace vcc {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackFactor = 4;  // instrumented frames are several times larger
#else
constexpr std::size_t kStackFactor = 1;
#endif

constexpr std::size_t kPoolStackBytes = kStackFactor * (256U << 10U);
constexpr std::size_t kThreadStackBytes = kStackFactor * (1U << 20U);
constexpr std::chrono::seconds kIdleTime{30};
constexpr std::size_t kNameLimit = 15;  // of the kernel, without the final zero

struct Start {
  std::string name;
  Job body;
};

void* runStart(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  pthread_setname_np(pthread_self(), start->name.substr(0, kNameLimit).c_str());
  start->body();
  return nullptr;
}

/// Starts a thread with every signal blocked: signals are the main thread's business. Returns an errno value.
int startThread(pthread_t& thread, std::string name, Job body, std::size_t stack_bytes) {
  auto start = std::make_unique<Start>(Start{std::move(name), std::move(body)});
  pthread_attr_t attributes;
  if (const int error = pthread_attr_init(&attributes); error != 0) return error;
  pthread_attr_setstacksize(&attributes, stack_bytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&thread, &attributes, &runStart, start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error == 0) static_cast<void>(start.release());  // the new thread owns it
  return error;
}

}  // namespace

/// What a pool and its threads share: a thread that was left behind outlives the pool.
struct ThreadPool::Shared {
  std::string name;
  std::size_t limit = 1;

  mutable Mutex mutex;
  CondVar wake;
  std::deque<Job> queue VCC_GUARDED_BY(mutex);
  std::size_t idle VCC_GUARDED_BY(mutex) = 0;
  std::size_t running VCC_GUARDED_BY(mutex) = 0;
  bool stopping VCC_GUARDED_BY(mutex) = false;
  std::vector<pthread_t> threads VCC_GUARDED_BY(mutex);   // alive
  std::vector<pthread_t> finished VCC_GUARDED_BY(mutex);  // ended by themselves, to be joined

  void work() VCC_EXCLUDES(mutex);
  /// No more work from now on; hands out the threads.
  std::vector<pthread_t> stop() VCC_EXCLUDES(mutex);
};

void ThreadPool::Shared::work() {
  MutexLock lock(mutex);
  for (;;) {
    ++idle;
    const bool woken =
        wake.waitFor(lock, kIdleTime, [this]() VCC_REQUIRES(mutex) { return stopping || !queue.empty(); });
    --idle;
    if (stopping) return;
    if (!woken) {
      std::erase_if(threads, [](pthread_t t) { return pthread_equal(t, pthread_self()) != 0; });
      finished.push_back(pthread_self());
      return;
    }
    {
      Job job = std::move(queue.front());
      queue.pop_front();
      ++running;
      lock.unlock();
      job();
    }  // what the job captured dies outside the lock
    lock.lock();
    --running;
  }
}

ThreadPool::ThreadPool(std::string name, std::size_t threads) : shared_(std::make_shared<Shared>()) {
  shared_->name = std::move(name);
  shared_->limit = threads == 0 ? 1 : threads;
}

std::vector<pthread_t> ThreadPool::Shared::stop() {
  std::vector<pthread_t> all;
  {
    std::deque<Job> dropped;  // dies after the lock
    const MutexLock lock(mutex);
    stopping = true;
    dropped.swap(queue);
    all.swap(finished);
    all.insert(all.end(), threads.begin(), threads.end());
    threads.clear();
  }
  wake.notifyAll();
  return all;
}

ThreadPool::~ThreadPool() {
  for (const pthread_t thread : shared_->stop()) pthread_join(thread, nullptr);
}

void ThreadPool::abandon() {
  for (const pthread_t thread : shared_->stop()) pthread_detach(thread);
}

void ThreadPool::submit(Job job) {
  Shared& s = *shared_;
  std::vector<pthread_t> ended;
  {
    const MutexLock lock(s.mutex);
    if (s.stopping) return;
    s.queue.push_back(std::move(job));
    ended.swap(s.finished);
    if (s.queue.size() > s.idle && s.threads.size() < s.limit) {
      pthread_t thread{};
      const int error = startThread(
          thread, s.name, [shared = shared_] { shared->work(); }, kPoolStackBytes);
      if (error == 0) {
        s.threads.push_back(thread);
      } else if (s.threads.empty()) {
        s.queue.pop_back();
        throw std::system_error(error, std::generic_category(), "cannot start a thread of pool " + s.name);
      }  // else the threads that there are will get to it
    }
  }
  s.wake.notifyOne();
  for (const pthread_t thread : ended) pthread_join(thread, nullptr);
}

std::size_t ThreadPool::load() const {
  const MutexLock lock(shared_->mutex);
  return shared_->queue.size() + shared_->running;
}

std::unique_ptr<Executor> makeThreadPool(const std::string& name, std::size_t threads) {
  return std::make_unique<ThreadPool>(name, threads);
}

struct Thread::Impl {
  pthread_t thread{};
};

Thread::Thread() = default;

Thread::Thread(const std::string& name, Job body) : impl_(std::make_unique<Impl>()) {
  const int error = startThread(impl_->thread, name, std::move(body), kThreadStackBytes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot start thread " + name);
}

Thread::Thread(Thread&&) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Thread::~Thread() { join(); }

void Thread::join() {
  if (!impl_) return;
  pthread_join(impl_->thread, nullptr);
  impl_.reset();
}

}  // namespace vcc
