// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <list>

#include "base/mutex.h"

namespace vcc {

/// The open connections of a listener, so that a stop can end idle ones at once and wait, bounded, for busy ones.
/// Thread safe.
class ConnectionSet {
 public:
  /// One connection, from its start to its end, on its own thread.
  class Entry {
   public:
    Entry(ConnectionSet& set, const Poco::Net::StreamSocket& socket);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    /// Marks the connection as busy with a request, or idle between two. False once the listener stops.
    bool setBusy(bool busy);

   private:
    ConnectionSet& set_;
    std::list<std::pair<Poco::Net::StreamSocket, bool>>::iterator position_;
  };

  /// Ends idle connections, waits for busy ones up to `grace`, then cuts those too and waits for their threads.
  void stop(std::chrono::milliseconds grace);
  std::size_t size() const;

 private:
  mutable Mutex mutex_;
  CondVar empty_;
  std::list<std::pair<Poco::Net::StreamSocket, bool>> entries_ VCC_GUARDED_BY(mutex_);  // socket, busy
  bool stopping_ VCC_GUARDED_BY(mutex_) = false;
};

}  // namespace vcc
