// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>

#include "host/probe.h"
#include "host/tcp.h"

namespace vcc {
namespace {

Status readGreeting(int fd, const Deadline& deadline) {
  char buffer[kGreeting.size()];
  std::size_t have = 0;
  while (have < sizeof buffer) {
    if (!waitFor(fd, POLLIN, deadline)) {
      return unavailable("the port is open but no ssh banner came in time; see the log of the sshd there");
    }
    ssize_t got = ::recv(fd, buffer + have, sizeof buffer - have, 0);
    if (got > 0) {
      have += static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return unavailable("the connection was closed before an ssh banner came; see the log of the sshd there");
    }
  }
  if (std::string_view(buffer, have) != kGreeting) {
    return unavailable("what answers on this port is not an ssh server; correct the port");
  }
  return okStatus();
}

}  // namespace

Status probeSshBanner(const std::string& address, int port, const Deadline& deadline) {
  auto status = [&]() -> Status {
    VCC_ASSIGN_OR_RETURN(Fd fd, connectTcp(address, port, deadline));
    return readGreeting(fd.get(), deadline);
  }();
  status.prepend(fmt::format("host {}: probe of port {}", address, port));
  return status;
}

}  // namespace vcc
