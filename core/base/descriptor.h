// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vcc {

/// Owns a file descriptor and closes it. Not thread safe.
class Descriptor {
 public:
  /// `fd` is what a system call returned; a negative one throws std::system_error with the `errno` it left.
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make a file descriptor");
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace vcc
