// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/StreamSocket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/http_types.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"

namespace vcc {

/// Bounds of a listener.
struct HttpServerOptions {
  int max_threads = 200;                 ///< connections served at once; each holds a thread
  std::int64_t io_timeout_ms = 20000;    ///< for each read or write
  std::int64_t body_timeout_ms = 60000;  ///< for a whole body
  std::int64_t keep_alive_ms = 5000;     ///< an idle connection is ended after this
  int keep_alive_requests = 1000;
  std::int64_t stop_grace_ms = 5000;  ///< what requests under way get at a stop
};

/// Says who is at the other end ("192.0.2.1", "uid=0 pid=17"), or refuses the connection.
using PeerCheck = std::function<Result<std::string>(const Poco::Net::StreamSocket&)>;

/// The address of the client, never refused.
Result<std::string> tcpPeer(const Poco::Net::StreamSocket& socket);

struct HttpServerSeams {
  HttpHandler& service;
  const Clock& clock;
  Random& random;
  Logger& log;
};

/// A listener: bound by `bind*`, serving from `start` to `stop`. Every answer is JSON and every exception ends in one
/// place; a thread per connection out of its own bounded pool. `seams` outlive it.
class HttpServer {
 public:
  /// Binds to address:port (0 = any free) with TLS. kFailedPrecondition when the port is taken, naming it.
  static Result<std::unique_ptr<HttpServer>> bindTls(const std::string& address, int port, Poco::Net::Context::Ptr tls,
                                                     HttpServerSeams seams, const HttpServerOptions& options = {});
  /// Binds to a unix socket; a file left by a dead process is replaced, so hold the lock of the data folder.
  static Result<std::unique_ptr<HttpServer>> bindUnix(const std::string& path, PeerCheck peer, HttpServerSeams seams,
                                                      const HttpServerOptions& options = {});
  ~HttpServer();

  void start();
  /// Stops accepting, lets requests under way finish within the grace, ends the rest. Safe to call twice.
  void stop();
  /// The port in use; 0 for a unix socket.
  int port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vcc
