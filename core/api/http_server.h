// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/http_head.h"
#include "api/http_types.h"
#include "api/tls_context.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"

namespace vcc {

/// Bounds of a listener. Times of a client are rounded up to whole seconds.
struct HttpServerOptions {
  HeadLimits head;
  std::int64_t body_bytes = std::int64_t{10} << 20U;  ///< choices.md: 413 above it
  std::int64_t connections = 4000;
  std::int64_t connections_per_address = 1000;  ///< of an IPv4 address or the /64 of an IPv6 one
  std::int64_t threads = 200;                   ///< requests that are served at once
  std::int64_t head_ms = 20000;                 ///< for the TLS handshake with the head, or for a later head
  std::int64_t body_ms = 60000;                 ///< for a whole body
  std::int64_t answer_ms = 120000;              ///< for a client to take a whole answer
  std::int64_t keep_alive_ms = 60000;           ///< an idle connection is ended after this
  std::int64_t keep_alive_requests = 1000;
  std::int64_t stop_grace_ms = 5000;  ///< what requests under way get at a stop
};

/// Says who is at the other end of a connected socket ("192.0.2.1", "uid=0 pid=17"), or refuses the connection.
using PeerCheck = std::function<Result<std::string>(int fd)>;

/// The address of the client, never refused.
Result<std::string> tcpPeer(int fd);

struct HttpServerSeams {
  HttpHandler& service;
  const Clock& clock;
  Random& random;
  Logger& log;
};

/// A listener: bound by `bind*`, serving from `start` to `stop`. Every answer is JSON and every exception ends in one
/// place. Clients are waited for by epoll alone: idle and slow ones hold no thread. A few workers serve what is ready,
/// and more of them, up to a bound, while handlers wait for something else. `seams` outlive it.
class HttpServer {
 public:
  /// Binds to address:port (0 = any free) with TLS. kFailedPrecondition when the port is taken, naming it.
  static Result<std::unique_ptr<HttpServer>> bindTls(const std::string& address, int port,
                                                     std::shared_ptr<ServerTls> tls, HttpServerSeams seams,
                                                     const HttpServerOptions& options = {});
  /// Binds to a unix socket; a file left by a dead process is replaced, so hold the lock of the data folder.
  static Result<std::unique_ptr<HttpServer>> bindUnix(const std::string& path, PeerCheck peer, HttpServerSeams seams,
                                                      const HttpServerOptions& options = {});
  ~HttpServer();

  void start();
  /// Stops accepting, lets requests under way finish within the grace, ends the rest. Safe to call twice.
  void stop();
  /// The port in use; 0 for a unix socket.
  int port() const;
  /// Open connections.
  std::size_t connections() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vcc
