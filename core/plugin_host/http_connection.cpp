// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/http_connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <sys/socket.h>

#include <algorithm>
#include <system_error>

#include "plugin_host/cancellation.h"

namespace vcc {
namespace {

using Poco::Net::SecureStreamSocket;
using Poco::Net::Socket;
using Poco::Net::StreamSocket;

constexpr std::int64_t kMaxConnectMs = 10'000;

Status lost(const std::string& what) { return unavailable(what); }

/// The result of a TLS function that wants the socket to be ready first; 0 when `code` is none of these.
int wantedMode(int code) {
  if (code == SecureStreamSocket::ERR_SSL_WANT_READ) return Socket::SELECT_READ;
  return code == SecureStreamSocket::ERR_SSL_WANT_WRITE ? Socket::SELECT_WRITE : 0;
}

}  // namespace

Status CallBound::check() const {
  if (cancelled_ && cancelled_()) return Status(Code::kCancelled, "the call was cancelled");
  return leftMs() > 0 ? okStatus() : deadlineExceeded("its deadline passed");
}

Status CallBound::await(StreamSocket& socket, int modes, std::int64_t limit_ms) const {
  const std::int64_t until = clock_.monoMs() + limit_ms;
  for (;;) {
    VCC_RETURN_IF_ERROR(check());
    const std::int64_t left = std::min(leftMs(), until - clock_.monoMs());
    if (left <= 0) return lost("it did not answer in time");
    if (socket.poll(Poco::Timespan(std::clamp<std::int64_t>(left, 1, kCancelSliceMs) * 1000), modes)) return okStatus();
  }
}

Result<std::unique_ptr<ClientConnection>> ClientConnection::open(const Poco::Net::IPAddress& address,
                                                                 std::uint16_t port, const CallBound& bound) {
  try {
    StreamSocket socket;
    socket.connectNB(Poco::Net::SocketAddress(address, port));
    VCC_RETURN_IF_ERROR(bound.await(socket, Socket::SELECT_WRITE | Socket::SELECT_ERROR, kMaxConnectMs));
    if (const int error = socket.impl()->socketError(); error != 0) {
      return lost(std::generic_category().message(error));
    }
    socket.setBlocking(false);
    socket.setNoDelay(true);
    return std::unique_ptr<ClientConnection>(new ClientConnection(socket, address.toString()));
  } catch (const Poco::Exception& e) {
    return lost(e.displayText());
  }
}

Status ClientConnection::startTls(const Poco::Net::Context::Ptr& context, const std::string& host,
                                  const CallBound& bound) {
  try {
    SecureStreamSocket secure = SecureStreamSocket::attach(socket_, host, context);
    socket_ = secure;
    tls_ = true;
    for (;;) {
      const int code = secure.completeHandshake();
      if (code == 1) return okStatus();
      const int mode = wantedMode(code);
      if (mode == 0) return lost("the TLS handshake failed");
      VCC_RETURN_IF_ERROR(bound.await(socket_, mode | Socket::SELECT_ERROR, bound.leftMs()));
    }
  } catch (const Poco::Exception& e) {
    return lost("the TLS handshake failed: " + e.displayText());
  }
}

Status ClientConnection::write(std::string_view bytes, const CallBound& bound, bool* written) {
  try {
    while (!bytes.empty()) {
      VCC_RETURN_IF_ERROR(bound.check());
      const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 64U << 10U));
      const int code = socket_.sendBytes(bytes.data(), size, tls_ ? 0 : MSG_NOSIGNAL);
      if (code > 0) {
        *written = true;
        bytes.remove_prefix(static_cast<std::size_t>(code));
        continue;
      }
      const int mode = tls_ ? wantedMode(code) : static_cast<int>(Socket::SELECT_WRITE);
      if (code == 0 || mode == 0) return lost("it closed the connection while the request was sent");
      VCC_RETURN_IF_ERROR(bound.await(socket_, mode | Socket::SELECT_ERROR, bound.leftMs()));
    }
    return okStatus();
  } catch (const Poco::Exception& e) {
    return lost("sending failed: " + e.displayText());
  }
}

Result<std::size_t> ClientConnection::read(char* out, std::size_t size, const CallBound& bound) {
  try {
    for (;;) {
      VCC_RETURN_IF_ERROR(bound.check());
      const int code = socket_.receiveBytes(out, static_cast<int>(size));
      if (code >= 0) return static_cast<std::size_t>(code);
      const int mode = tls_ ? wantedMode(code) : static_cast<int>(Socket::SELECT_READ);
      if (mode == 0) return lost("the connection broke");
      VCC_RETURN_IF_ERROR(bound.await(socket_, mode | Socket::SELECT_ERROR, bound.leftMs()));
    }
  } catch (const Poco::Exception& e) {
    return lost("receiving failed: " + e.displayText());
  }
}

bool ClientConnection::isStale() {
  try {
    return socket_.poll(Poco::Timespan(0), Socket::SELECT_READ | Socket::SELECT_ERROR);
  } catch (const Poco::Exception&) {
    return true;
  }
}

}  // namespace vcc
