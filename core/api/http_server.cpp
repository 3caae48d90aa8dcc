// SPDX-License-Identifier: Apache-2.0
#include "api/http_server.h"

#include <Poco/Net/ServerSocket.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "api/connection_set.h"
#include "api/guess_gate.h"
#include "api/http_connection.h"
#include "api/worker_set.h"
#include "base/descriptor.h"

namespace vcc {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 16;
constexpr std::int64_t kTellAgainMs = 60000;
// Ids of events that are no connection's; those count from 1.
constexpr std::uint64_t kNewClient = ~std::uint64_t{0};
constexpr std::uint64_t kStopped = kNewClient - 1;

bool noMoreRoom(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS; }

}  // namespace

struct HttpServer::Impl {
  Impl(const Poco::Net::ServerSocket& listening_socket, std::shared_ptr<ServerTls> server_tls, PeerCheck peer_check,
       HttpServerSeams seams, const HttpServerOptions& options, int bound_port)
      : shared{seams, options},
        listening(listening_socket),
        listening_fd(listening.impl()->sockfd()),
        tls(std::move(server_tls)),
        peer(std::move(peer_check)),
        port(bound_port),
        epoll(::epoll_create1(EPOLL_CLOEXEC)),
        stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        connections(epoll.get(), static_cast<std::size_t>(options.connections),
                    static_cast<std::size_t>(options.connections_per_address)),
        workers(
            "api", static_cast<std::size_t>(options.threads), seams.clock,
            [this](WorkerSet::Ticket& ticket, int wait_ms) { return turn(ticket, wait_ms); }, [this] { tick(); }) {
    listening.setBlocking(false);
  }

  bool watch(int operation, int fd, std::uint32_t events, std::uint64_t id) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    return ::epoll_ctl(epoll.get(), operation, fd, &event) == 0;
  }
  void watchForClients(int operation) const { watch(operation, listening_fd, EPOLLIN | EPOLLONESHOT, kNewClient); }

  bool turn(WorkerSet::Ticket& ticket, int wait_ms);
  void serve(std::uint64_t id);
  void acceptClients();
  void welcome(int fd);
  void tellFull(const std::string& text, const std::string& from);
  void tick();

  ConnectionShared shared;
  Poco::Net::ServerSocket listening;
  const int listening_fd;
  std::shared_ptr<ServerTls> tls;  // null: in clear
  PeerCheck peer;
  int port;
  Descriptor epoll;
  Descriptor stopped;
  ConnectionSet connections;
  std::atomic<bool> paused = false;  // the system has no descriptor for another client
  std::atomic<std::int64_t> silent_until = 0;
  WorkerSet workers;
  bool running = false;
};

bool HttpServer::Impl::turn(WorkerSet::Ticket& ticket, int wait_ms) {
  epoll_event event{};
  if (::epoll_wait(epoll.get(), &event, 1, wait_ms) <= 0) return false;
  const std::uint64_t id = event.data.u64;
  if (id == kStopped) return true;
  ticket.begin();
  try {
    if (id == kNewClient) {
      acceptClients();
    } else {
      serve(id);
    }
  } catch (const std::exception& e) {
    shared.seams.log.error("API_CONNECTION_FAILED", e.what());
  }
  ticket.end();
  return true;
}

void HttpServer::Impl::serve(std::uint64_t id) {
  HttpConnection* const connection = connections.take(id);
  if (connection == nullptr) return;
  Wait wait;
  try {
    wait = connection->proceed();
  } catch (const std::exception& e) {
    shared.seams.log.error("API_CONNECTION_FAILED", e.what());
  }
  connections.park(id, wait);
}

void HttpServer::Impl::acceptClients() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int fd = ::accept4(listening_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      welcome(fd);
    } else if (noMoreRoom(errno)) {
      tellFull("the system has no descriptor or memory left for another connection: " +
                   std::generic_category().message(errno),
               "-");
      ConnectionSet::Ended ended;
      if (connections.endOldest(ended)) continue;
      paused = true;
      return;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    }
  }
  if (!shared.stopping) watchForClients(EPOLL_CTL_MOD);
}

void HttpServer::Impl::welcome(int fd) {
  std::unique_ptr<Channel> channel = tls ? makeTlsChannel(fd, tls->current()) : makePlainChannel(fd);
  const Result<std::string> who = peer(fd);
  if (!who.ok()) {
    shared.seams.log.warn("API_PEER_REFUSED", who.status().message());
    return;
  }
  std::string source = guessSource(*who);
  ConnectionSet::Ended ended;
  if (!connections.makeRoom(source, ended)) {
    tellFull("a client was turned away: every connection that the limits allow has a request under way", *who);
    return;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  auto connection = std::make_unique<HttpConnection>(std::move(channel), *who, shared);
  const Wait wait = connection->wait();
  connections.add(fd, std::move(source), connection, wait);
}

void HttpServer::Impl::tellFull(const std::string& text, const std::string& from) {
  const std::int64_t now = shared.seams.clock.monoMs();
  std::int64_t until = silent_until;
  if (now < until || !silent_until.compare_exchange_strong(until, now + kTellAgainMs)) return;
  shared.seams.log.warn("API_CONNECTIONS_FULL", text, {{"peer", from}, {"connections", connections.size()}});
}

void HttpServer::Impl::tick() {
  connections.sweep(shared.seams.clock.monoMs()).clear();
  if (tls) tls->refresh();
  if (paused.exchange(false)) watchForClients(EPOLL_CTL_MOD);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { stop(); }

Result<std::string> tcpPeer(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  std::array<char, NI_MAXHOST> text{};
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return unavailable("the client left before it was served: " + std::generic_category().message(errno));
  }
  const int error = ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, text.data(), text.size(),
                                  nullptr, 0, NI_NUMERICHOST);
  if (error != 0) return unavailable(std::string("the client has no address: ") + ::gai_strerror(error));
  return std::string(text.data());
}

Result<std::unique_ptr<HttpServer>> HttpServer::bindTls(const std::string& address, int port,
                                                        std::shared_ptr<ServerTls> tls, HttpServerSeams seams,
                                                        const HttpServerOptions& options) {
  try {
    const Poco::Net::SocketAddress where(address, static_cast<Poco::UInt16>(port));
    Poco::Net::ServerSocket listening;
    // Poco's default shares the port (SO_REUSEPORT): a second server would silently take half of the connections.
    listening.bind(where, true, false);
    listening.listen(kBacklog);
    const int bound = listening.address().port();
    return std::unique_ptr<HttpServer>(
        new HttpServer(std::make_unique<Impl>(listening, std::move(tls), tcpPeer, seams, options, bound)));
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
        new HttpServer(std::make_unique<Impl>(listening, nullptr, std::move(peer), seams, options, 0)));
  } catch (const Poco::Exception& e) {
    return failedPrecondition("cannot listen on " + path + ": " + e.displayText() +
                              "; check that the folder can be written, or set admin_socket to another path");
  }
}

void HttpServer::start() {
  impl_->running = true;
  impl_->watch(EPOLL_CTL_ADD, impl_->stopped.get(), EPOLLIN, kStopped);
  impl_->watchForClients(EPOLL_CTL_ADD);
  impl_->workers.start();
}

void HttpServer::stop() {
  if (!impl_->running) return;
  impl_->running = false;
  impl_->shared.stopping = true;
  ::shutdown(impl_->listening_fd, SHUT_RDWR);  // refuses clients from now on; a worker may still be asking for one
  impl_->connections.stop(std::chrono::milliseconds(impl_->shared.options.stop_grace_ms));
  impl_->workers.stop([this] { ::eventfd_write(impl_->stopped.get(), 1); });
  impl_->listening.close();
}

int HttpServer::port() const { return impl_->port; }

std::size_t HttpServer::connections() const { return impl_->connections.size(); }

}  // namespace vcc
