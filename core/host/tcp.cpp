// SPDX-License-Identifier: Apache-2.0
#include "host/tcp.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vcc {
namespace {

std::string describe(int error) { return std::generic_category().message(error); }

Status cannotConnect(int error) {
  if (error == ECONNREFUSED) {
    return unavailable("connection refused: nothing listens on this port; start sshd there or correct ssh_port");
  }
  if (error == ETIMEDOUT) {
    return unavailable("no answer: the host is down, its address is wrong or a firewall is in between");
  }
  return unavailable(fmt::format("{}: check the address and the routes to it", describe(error)));
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Fd> connectTcp(const std::string& address, int port, const Deadline& deadline) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  if (port < 1 || port > 65535) return invalidArgument(fmt::format("{} is not a port from 1 to 65535", port));
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) {
    return invalidArgument("the address is not an IPv4 address");
  }
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return internalError(fmt::format("cannot make a socket: {}", describe(errno)));
  // Every packet of ours is a request that the other side waits for.
  int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return fd;
  if (errno != EINPROGRESS) return cannotConnect(errno);
  if (!waitFor(fd.get(), POLLOUT, deadline)) return cannotConnect(ETIMEDOUT);
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return cannotConnect(error);
  return fd;
}

bool waitFor(int fd, short events, const Deadline& deadline) {
  for (;;) {
    int remaining_ms = deadline.remainingMs();
    if (remaining_ms == 0) return false;
    pollfd entry{fd, events, 0};
    int ready = ::poll(&entry, 1, remaining_ms);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the operation itself will name the error
  }
}

}  // namespace vcc
