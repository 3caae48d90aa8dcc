// SPDX-License-Identifier: Apache-2.0
#include "api/connection_set.h"

#include <sys/socket.h>

namespace vcc {
namespace {

/// Wakes the thread that polls or reads the socket. The plain call: a TLS shutdown here would race with that thread.
void cut(const Poco::Net::StreamSocket& socket) { ::shutdown(socket.impl()->sockfd(), SHUT_RDWR); }

}  // namespace

ConnectionSet::Entry::Entry(ConnectionSet& set, const Poco::Net::StreamSocket& socket) : set_(set) {
  const MutexLock lock(set_.mutex_);
  position_ = set_.entries_.insert(set_.entries_.end(), {socket, false});
  if (set_.stopping_) cut(position_->first);
}

ConnectionSet::Entry::~Entry() {
  const MutexLock lock(set_.mutex_);
  set_.entries_.erase(position_);
  if (set_.entries_.empty()) set_.empty_.notifyAll();
}

bool ConnectionSet::Entry::setBusy(bool busy) {
  const MutexLock lock(set_.mutex_);
  position_->second = busy;
  return !set_.stopping_;
}

void ConnectionSet::stop(std::chrono::milliseconds grace) {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (const auto& [socket, busy] : entries_) {
    if (!busy) cut(socket);
  }
  const auto gone = [this]() VCC_REQUIRES(mutex_) { return entries_.empty(); };
  if (empty_.waitFor(lock, grace, gone)) return;
  for (const auto& [socket, busy] : entries_) cut(socket);
  empty_.wait(lock, gone);
}

std::size_t ConnectionSet::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace vcc
