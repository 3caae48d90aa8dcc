// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/StreamSocket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace vcc {

/// How long a call may still take. Poco knows limits per socket operation only, which a peer that sends a byte a second
/// never meets; so sockets do not block, and every wait goes through here.
class CallBound {
 public:
  /// `cancelled` is borrowed.
  CallBound(const Clock& clock, std::int64_t deadline_ms, const std::function<bool()>& cancelled)
      : clock_(clock), deadline_mono_(clock.monoMs() + deadline_ms), cancelled_(cancelled) {}

  std::int64_t leftMs() const { return deadline_mono_ - clock_.monoMs(); }
  /// kCancelled or kDeadlineExceeded once the call must end.
  Status check() const;
  /// Waits until `socket` can do one of `modes` (Poco::Net::Socket::SelectMode), at most `limit_ms`. Blocks.
  Status await(Poco::Net::StreamSocket& socket, int modes, std::int64_t limit_ms) const;

 private:
  const Clock& clock_;
  const std::int64_t deadline_mono_;
  const std::function<bool()>& cancelled_;
};

/// One connection, with or without TLS. Not thread safe; functions block until done or `bound` ends. Errors say what
/// went wrong, not with whom.
class ClientConnection {
 public:
  static Result<std::unique_ptr<ClientConnection>> open(const Poco::Net::IPAddress& address, std::uint16_t port,
                                                        const CallBound& bound);

  /// Handshake. `context` verifies the peer by itself (tls_client.h); `host` goes out as server name.
  Status startTls(const Poco::Net::Context::Ptr& context, const std::string& host, const CallBound& bound);

  /// Sends all of `bytes`. `*written` becomes true with the first one.
  Status write(std::string_view bytes, const CallBound& bound, bool* written);
  /// 1 to `size` bytes, or 0 when the peer has closed.
  Result<std::size_t> read(char* out, std::size_t size, const CallBound& bound);

  /// Between requests: has the peer closed, or sent what nobody asked for?
  bool isStale();
  const std::string& address() const { return address_; }

 private:
  ClientConnection(const Poco::Net::StreamSocket& socket, std::string address)
      : socket_(socket), address_(std::move(address)) {}

  Poco::Net::StreamSocket socket_;
  const std::string address_;
  bool tls_ = false;
};

}  // namespace vcc
