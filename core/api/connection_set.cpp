// SPDX-License-Identifier: Apache-2.0
#include "api/connection_set.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

namespace vcc {
namespace {

/// One event, then silence until the next call: so a connection is never with two workers.
bool watch(int epoll_fd, int operation, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events | EPOLLONESHOT;
  event.data.u64 = id;
  return ::epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

std::uint32_t eventsOf(const Wait& wait) { return wait.what == Wait::For::kWrite ? EPOLLOUT : EPOLLIN; }

}  // namespace

std::unique_ptr<HttpConnection> ConnectionSet::drop(Entries::iterator entry) {
  std::unique_ptr<HttpConnection> connection = std::move(entry->second.connection);
  const auto source = sources_.find(entry->second.source);
  if (--source->second == 0) sources_.erase(source);
  entries_.erase(entry);
  if (entries_.empty()) empty_.notifyAll();
  return connection;
}

bool ConnectionSet::endOldestOf(const std::string* source, Ended& ended) {
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (!entry->second.parked || !entry->second.wait.idle) continue;
    if (source != nullptr && entry->second.source != *source) continue;
    if (oldest == entries_.end() || entry->second.wait.idle_since_ms < oldest->second.wait.idle_since_ms)
      oldest = entry;
  }
  if (oldest == entries_.end()) return false;
  ended.push_back(drop(oldest));
  return true;
}

bool ConnectionSet::makeRoom(const std::string& source, Ended& ended) {
  const MutexLock lock(mutex_);
  const auto same = sources_.find(source);
  if (same != sources_.end() && same->second >= limit_per_source_ && !endOldestOf(&source, ended)) return false;
  return entries_.size() < limit_ || endOldestOf(nullptr, ended);
}

bool ConnectionSet::endOldest(Ended& ended) {
  const MutexLock lock(mutex_);
  return endOldestOf(nullptr, ended);
}

bool ConnectionSet::add(int fd, std::string source, std::unique_ptr<HttpConnection>& connection, const Wait& wait) {
  const MutexLock lock(mutex_);
  if (stopping_ || !watch(epoll_fd_, EPOLL_CTL_ADD, fd, eventsOf(wait), last_id_ + 1)) return false;
  ++sources_[source];
  Entry& entry = entries_[++last_id_];
  entry.fd = fd;
  entry.source = std::move(source);
  entry.connection = std::move(connection);
  entry.parked = true;
  entry.wait = wait;
  return true;
}

HttpConnection* ConnectionSet::take(std::uint64_t id) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || !entry->second.parked) return nullptr;
  entry->second.parked = false;
  return entry->second.connection.get();
}

std::unique_ptr<HttpConnection> ConnectionSet::park(std::uint64_t id, const Wait& wait) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  Entry& entry = found->second;
  const bool over = wait.what == Wait::For::kNothing || (stopping_ && wait.idle);
  // Under the lock: what is parked may be ended by others, and then its descriptor may be somebody else's.
  if (over || !watch(epoll_fd_, EPOLL_CTL_MOD, entry.fd, eventsOf(wait), id)) return drop(found);
  entry.parked = true;
  entry.woken = false;
  entry.wait = wait;
  return nullptr;
}

ConnectionSet::Ended ConnectionSet::sweep(std::int64_t now_ms) {
  Ended ended;
  const MutexLock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto at = entry++;
    if (!at->second.parked || at->second.wait.until_ms > now_ms) continue;
    const bool wakes = at->second.wait.answers && !std::exchange(at->second.woken, true) &&
                       watch(epoll_fd_, EPOLL_CTL_MOD, at->second.fd, EPOLLIN | EPOLLOUT, at->first);
    if (!wakes) ended.push_back(drop(at));
  }
  return ended;
}

void ConnectionSet::stop(std::chrono::milliseconds grace) {
  Ended ended;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const auto at = entry++;
      if (at->second.parked && at->second.wait.idle) ended.push_back(drop(at));
    }
  }
  ended.clear();
  MutexLock lock(mutex_);
  const auto gone = [this]() VCC_REQUIRES(mutex_) { return entries_.empty(); };
  if (empty_.waitFor(lock, grace, gone)) return;
  // The plain call: a TLS shutdown here would race with the worker.
  for (const auto& [id, entry] : entries_) ::shutdown(entry.fd, SHUT_RDWR);
  empty_.wait(lock, gone);
}

std::size_t ConnectionSet::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace vcc
