// SPDX-License-Identifier: Apache-2.0
#include "api/channel.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/descriptor.h"

namespace vcc {
namespace {

bool wouldWait(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(int fd) : fd_(fd) {}

  Io open() override { return Io::kDone; }

  Io read(char* to, std::size_t room, std::size_t& got) override {
    const ssize_t count = ::recv(fd_.get(), to, room, 0);
    if (count > 0) {
      got = static_cast<std::size_t>(count);
      return Io::kDone;
    }
    return count < 0 && (wouldWait(errno) || errno == EINTR) ? Io::kWaitRead : Io::kOver;
  }

  Io write(const char* from, std::size_t size, std::size_t& taken) override {
    const ssize_t count = ::send(fd_.get(), from, size, MSG_NOSIGNAL);
    if (count > 0) {
      taken = static_cast<std::size_t>(count);
      return Io::kDone;
    }
    return count < 0 && (wouldWait(errno) || errno == EINTR) ? Io::kWaitWrite : Io::kOver;
  }

  void finish() override { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  Descriptor fd_;
};

class TlsChannel final : public Channel {
 public:
  TlsChannel(int fd, std::shared_ptr<SSL_CTX> context) : fd_(fd), context_(std::move(context)) {}

  ~TlsChannel() override {
    if (ssl_ && usable_) farewell();
  }
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  Io open() override {
    if (!ssl_) {
      ssl_.reset(::SSL_new(context_.get()));
      context_.reset();
      if (!ssl_ || ::SSL_set_fd(ssl_.get(), fd_.get()) != 1) return Io::kOver;
    }
    ::ERR_clear_error();
    const Io outcome = outcomeOf(::SSL_accept(ssl_.get()));
    usable_ = outcome == Io::kDone;
    return outcome;
  }

  Io read(char* to, std::size_t room, std::size_t& got) override {
    ::ERR_clear_error();
    return outcomeOf(::SSL_read_ex(ssl_.get(), to, room, &got));
  }

  Io write(const char* from, std::size_t size, std::size_t& taken) override {
    ::ERR_clear_error();
    return outcomeOf(::SSL_write_ex(ssl_.get(), from, size, &taken));
  }

  void finish() override {
    if (usable_) farewell();
    ::shutdown(fd_.get(), SHUT_WR);
  }

 private:
  Io outcomeOf(int result) {
    if (result == 1) return Io::kDone;
    switch (::SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return Io::kWaitRead;
      case SSL_ERROR_WANT_WRITE:
        return Io::kWaitWrite;
      case SSL_ERROR_ZERO_RETURN:
        return Io::kOver;
      default:
        usable_ = false;
        return Io::kOver;
    }
  }

  /// Says once that our side ends; whether it arrives is nobody's concern.
  void farewell() {
    usable_ = false;
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_.get());
    ::ERR_clear_error();
  }

  Descriptor fd_;
  std::shared_ptr<SSL_CTX> context_;
  SslPtr ssl_;
  bool usable_ = false;  // the handshake is done, nothing broke, and we have not said farewell
};

}  // namespace

std::unique_ptr<Channel> makePlainChannel(int fd) { return std::make_unique<PlainChannel>(fd); }

std::unique_ptr<Channel> makeTlsChannel(int fd, std::shared_ptr<SSL_CTX> context) {
  return std::make_unique<TlsChannel>(fd, std::move(context));
}

}  // namespace vcc
