// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "base/wait_control.h"

// Who holds what, in words that clang checks (-Wthread-safety): a guarded member that is touched without its lock does
// not compile there. The analysis looks at one function at a time and not into the captures of a lambda: one that runs
// under a lock says so itself, or gets references to what it needs. Other compilers see nothing.
#if defined(__clang__)
#define VCC_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define VCC_THREAD_ATTRIBUTE(x)
#endif

/// A member that is only touched under `mutex`; behind a pointer, what it points to.
#define VCC_GUARDED_BY(mutex) VCC_THREAD_ATTRIBUTE(guarded_by(mutex))
#define VCC_PT_GUARDED_BY(mutex) VCC_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
/// A function whose caller holds the mutex; whose caller must not hold it.
#define VCC_REQUIRES(...) VCC_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define VCC_EXCLUDES(...) VCC_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
// For the classes below.
#define VCC_CAPABILITY(name) VCC_THREAD_ATTRIBUTE(capability(name))
#define VCC_SCOPED_CAPABILITY VCC_THREAD_ATTRIBUTE(scoped_lockable)
#define VCC_ACQUIRE(...) VCC_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define VCC_ACQUIRE_SHARED(...) VCC_THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define VCC_RELEASE(...) VCC_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define VCC_UNCHECKED VCC_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace vcc {

/// A std::mutex that clang knows. Held through MutexLock only.
class VCC_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

/// Holds a mutex to the end of its scope; may let go of it on the way.
class VCC_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) VCC_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() VCC_RELEASE() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  void unlock() VCC_RELEASE() { lock_.unlock(); }
  void lock() VCC_ACQUIRE() { lock_.lock(); }

 private:
  friend class CondVar;
  std::unique_lock<std::mutex> lock_;
};

/// A condition to wait for under a mutex. `lock` is held before and after each wait, and while `holds` is asked. Under
/// a WaitControl time is the simulation's.
class CondVar {
 public:
  void notifyOne() { notify(false); }
  void notifyAll() { notify(true); }

  template <class Predicate>
  void wait(MutexLock& lock, Predicate holds) VCC_UNCHECKED {
    while (!holds()) pause(lock, -1, false);
  }
  /// Waits at most `longest` of real time; true when `holds` at the end.
  template <class Predicate>
  bool waitFor(MutexLock& lock, std::chrono::milliseconds longest, Predicate holds) VCC_UNCHECKED {
    const WaitControl* control = WaitControl::ofThread();
    if (control == nullptr) return condition_.wait_for(lock.lock_, longest, std::move(holds));
    const std::int64_t end = control->nowMs() + longest.count();
    while (!holds()) {
      const std::int64_t left = end - control->nowMs();
      if (left <= 0) return false;
      pause(lock, left, false);
    }
    return true;
  }
  /// Waits at most `longest` of real time; may return early for no reason. For who looks again in any case.
  void waitFor(MutexLock& lock, std::chrono::milliseconds longest) { pause(lock, longest.count(), true); }

 private:
  void notify(bool all) {
    if (WaitControl* control = WaitControl::ofThread()) return control->notify(this, all);
    all ? condition_.notify_all() : condition_.notify_one();
  }
  /// Negative: without a limit.
  void pause(MutexLock& lock, std::int64_t longest_ms, bool polls) VCC_UNCHECKED {
    WaitControl* control = WaitControl::ofThread();
    if (control == nullptr && longest_ms < 0) return condition_.wait(lock.lock_);
    if (control == nullptr) {
      condition_.wait_for(lock.lock_, std::chrono::milliseconds(longest_ms));
      return;
    }
    lock.lock_.unlock();
    control->wait(this, longest_ms, polls);
    lock.lock_.lock();
  }

  std::condition_variable condition_;
};

/// A shared mutex that lets a waiting writer in before later readers: GET requests overlap all the time and would
/// keep the plain one shared for ever. Held through WriterLock and ReaderLock only.
class VCC_CAPABILITY("mutex") FairSharedMutex {
 public:
  FairSharedMutex() = default;
  FairSharedMutex(const FairSharedMutex&) = delete;
  FairSharedMutex& operator=(const FairSharedMutex&) = delete;

 private:
  friend class WriterLock;
  friend class ReaderLock;
  std::mutex turn_;
  std::shared_mutex mutex_;
};

/// Holds a FairSharedMutex alone.
class VCC_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(FairSharedMutex& mutex) VCC_ACQUIRE(mutex) : mutex_(mutex) {
    const std::lock_guard turn(mutex_.turn_);
    mutex_.mutex_.lock();
  }
  ~WriterLock() VCC_RELEASE() { mutex_.mutex_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  FairSharedMutex& mutex_;
};

/// Holds a FairSharedMutex together with other readers.
class VCC_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(FairSharedMutex& mutex) VCC_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    const std::lock_guard turn(mutex_.turn_);
    mutex_.mutex_.lock_shared();
  }
  ~ReaderLock() VCC_RELEASE() { mutex_.mutex_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  FairSharedMutex& mutex_;
};

}  // namespace vcc
