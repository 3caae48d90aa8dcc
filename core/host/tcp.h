// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "base/status.h"
#include "host/deadline.h"

namespace vcc {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// Connects to an IPv4 address; the socket is non-blocking. Errors: kInvalidArgument for what is not an address,
/// kUnavailable when nobody answers in time or the connection is refused; the text names neither host nor step.
Result<Fd> connectTcp(const std::string& address, int port, const Deadline& deadline);

/// Waits until `fd` is ready for `events` (poll.h) or in error. False when the deadline passed first.
bool waitFor(int fd, short events, const Deadline& deadline);

}  // namespace vcc
