// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/http_connection.h"
#include "base/mutex.h"
#include "base/status.h"

namespace vcc {

/// The open connections of a listener. Each is either parked here, watched by the kernel (epoll), or out with one
/// worker. A parked one costs no thread. Thread safe.
class ConnectionSet {
 public:
  /// `epoll_fd` is borrowed; events carry the id of a connection.
  ConnectionSet(int epoll_fd, std::size_t limit, std::size_t limit_per_source)
      : epoll_fd_(epoll_fd), limit_(limit), limit_per_source_(limit_per_source) {}

  using Ended = std::vector<std::unique_ptr<HttpConnection>>;

  /// Makes room for one more of `source`. Where there is none, the connection that has been without a request longest
  /// (of the source, or of all) is handed out in `ended` for the caller to destroy: who says nothing makes way for who
  /// comes. False when every one has a request under way.
  bool makeRoom(const std::string& source, Ended& ended);
  /// Makes room whatever the limits say, because the system has no more. False when nothing could be ended.
  bool endOldest(Ended& ended);
  /// Parks a new connection. False when the kernel refuses it or the set stops; then `connection` is still there.
  bool add(int fd, std::string source, std::unique_ptr<HttpConnection>& connection, const Wait& wait);
  /// For the worker that got an event. Null when it is gone, or out with another worker: events may come late.
  HttpConnection* take(std::uint64_t id);
  /// Parks what `take` gave. After Wait::For::kNothing, or when it cannot be watched, it comes back to be destroyed.
  std::unique_ptr<HttpConnection> park(std::uint64_t id, const Wait& wait);
  /// Ends the parked ones whose time is over, or wakes them when they have something to say.
  Ended sweep(std::int64_t now_ms);

  /// Ends those without a request, waits for the others up to `grace`, then cuts them off and waits for their workers.
  void stop(std::chrono::milliseconds grace);
  std::size_t size() const;

 private:
  struct Entry {
    int fd = -1;
    std::string source;
    std::unique_ptr<HttpConnection> connection;
    bool parked = false;
    bool woken = false;  // told already that its time is over
    Wait wait;
  };
  using Entries = std::unordered_map<std::uint64_t, Entry>;

  bool endOldestOf(const std::string* source, Ended& ended) VCC_REQUIRES(mutex_);
  std::unique_ptr<HttpConnection> drop(Entries::iterator entry) VCC_REQUIRES(mutex_);

  const int epoll_fd_;
  const std::size_t limit_;
  const std::size_t limit_per_source_;
  mutable Mutex mutex_;
  CondVar empty_;
  Entries entries_ VCC_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::size_t> sources_ VCC_GUARDED_BY(mutex_);  // connections of each
  std::uint64_t last_id_ VCC_GUARDED_BY(mutex_) = 0;
  bool stopping_ VCC_GUARDED_BY(mutex_) = false;
};

}  // namespace vcc
