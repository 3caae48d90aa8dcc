// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>

namespace vcc {

/// The two ways of bytes of a connection, which never wait. One thread at a time. The descriptor is closed at the end.
class Channel {
 public:
  /// What a call came to: done; or to be repeated once the descriptor can be read, or written; or the connection is
  /// over, with or without a word of the client.
  enum class Io { kDone, kWaitRead, kWaitWrite, kOver };

  virtual ~Channel() = default;
  /// Agrees with the client on how to talk; to be repeated until kDone, before anything else.
  virtual Io open() = 0;
  /// `got` bytes at `to`, at least one when kDone.
  virtual Io read(char* to, std::size_t room, std::size_t& got) = 0;
  /// The first `taken` bytes of `from`, at least one when kDone.
  virtual Io write(const char* from, std::size_t size, std::size_t& taken) = 0;
  /// Tells the client that no more will come; it can still be read.
  virtual void finish() = 0;
};

/// Owns `fd`, which must be non-blocking.
std::unique_ptr<Channel> makePlainChannel(int fd);

struct SslFree {
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

/// TLS, as the server. `context` is taken at the first byte of the client: one that says nothing costs no state.
std::unique_ptr<Channel> makeTlsChannel(int fd, std::shared_ptr<SSL_CTX> context);

}  // namespace vcc
