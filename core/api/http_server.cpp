// SPDX-License-Identifier: Apache-2.0
#include "api/http_server.h"

#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/http_connection.h"

namespace vcc {
namespace {

constexpr int kBacklog = 512;
// Handlers parse YAML, whose parser recurses; pages of a stack that are never touched cost nothing.
constexpr int kStackBytes = 2 << 20U;
constexpr int kThreadIdleSeconds = 30;
// How long a thread waits for the next connection before it goes back to the pool. Poco's dispatcher can lose the word
// that ends this wait at a stop, so it bounds a stop too.
constexpr int kDispatchIdleSeconds = 1;

Poco::Net::HTTPServerParams::Ptr makeParams(const HttpServerOptions& options) {
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setTimeout(Poco::Timespan(options.io_timeout_ms * 1000));
  params->setKeepAlive(true);
  params->setKeepAliveTimeout(Poco::Timespan(options.keep_alive_ms * 1000));
  params->setMaxKeepAliveRequests(options.keep_alive_requests);
  params->setMaxThreads(options.max_threads);
  params->setMaxQueued(kBacklog);
  params->setThreadIdleTime(Poco::Timespan(kDispatchIdleSeconds, 0));
  return params;
}

class ConnectionFactory final : public Poco::Net::TCPServerConnectionFactory {
 public:
  explicit ConnectionFactory(std::shared_ptr<ConnectionShared> shared) : shared_(std::move(shared)) {}
  Poco::Net::TCPServerConnection* createConnection(const Poco::Net::StreamSocket& socket) override {
    return new HttpConnection(socket, shared_);
  }

 private:
  std::shared_ptr<ConnectionShared> shared_;
};

}  // namespace

struct HttpServer::Impl {
  Impl(const Poco::Net::ServerSocket& listening, PeerCheck peer, HttpServerSeams seams,
       const HttpServerOptions& options, int bound_port)
      : shared(new ConnectionShared{seams, options, makeParams(options), std::move(peer), {}}),
        pool("api", 1, options.max_threads, kThreadIdleSeconds, kStackBytes),
        server(new ConnectionFactory(shared), pool, listening, shared->params),
        port(bound_port) {}

  std::shared_ptr<ConnectionShared> shared;
  Poco::ThreadPool pool;
  Poco::Net::TCPServer server;
  int port;
  bool running = false;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { stop(); }

Result<std::string> tcpPeer(const Poco::Net::StreamSocket& socket) {
  try {
    return socket.peerAddress().host().toString();
  } catch (const Poco::Exception& e) {
    return unavailable("the client left before it was served: " + e.displayText());
  }
}

Result<std::unique_ptr<HttpServer>> HttpServer::bindTls(const std::string& address, int port,
                                                        Poco::Net::Context::Ptr tls, HttpServerSeams seams,
                                                        const HttpServerOptions& options) {
  try {
    const Poco::Net::SocketAddress where(address, static_cast<Poco::UInt16>(port));
    Poco::Net::SecureServerSocket listening(std::move(tls));
    // Poco's default shares the port (SO_REUSEPORT): a second server would silently take half of the connections.
    listening.bind(where, true, false);
    listening.listen(kBacklog);
    const int bound = listening.address().port();
    return std::unique_ptr<HttpServer>(
        new HttpServer(std::make_unique<Impl>(listening, tcpPeer, seams, options, bound)));
  } catch (const Poco::Exception& e) {
    return failedPrecondition("cannot listen on " + address + " port " + std::to_string(port) + ": " + e.displayText() +
                              "; end the program that uses the port, or choose another https_address or https_port");
  }
}

Result<std::unique_ptr<HttpServer>> HttpServer::bindUnix(const std::string& path, PeerCheck peer, HttpServerSeams seams,
                                                         const HttpServerOptions& options) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return invalidArgument("cannot listen on " + path + ": the path of a unix socket may have " +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                           " bytes; set admin_socket to a shorter one");
  }
  ::unlink(path.c_str());
  try {
    Poco::Net::ServerSocket listening;
    listening.bind(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, path), false, false);
    listening.listen(kBacklog);
    return std::unique_ptr<HttpServer>(
        new HttpServer(std::make_unique<Impl>(listening, std::move(peer), seams, options, 0)));
  } catch (const Poco::Exception& e) {
    return failedPrecondition("cannot listen on " + path + ": " + e.displayText() +
                              "; check that the folder can be written, or set admin_socket to another path");
  }
}

void HttpServer::start() {
  impl_->server.start();
  impl_->running = true;
}

void HttpServer::stop() {
  if (!impl_->running) return;
  impl_->running = false;
  impl_->server.stop();
  impl_->shared->connections.stop(std::chrono::milliseconds(impl_->shared->options.stop_grace_ms));
  impl_->pool.joinAll();
}

int HttpServer::port() const { return impl_->port; }

}  // namespace vcc
