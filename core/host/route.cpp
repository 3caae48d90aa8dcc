// SPDX-License-Identifier: Apache-2.0
#include "host/route.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <system_error>

namespace vcc {

Result<std::string> sourceAddressTowards(const std::string& address) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(9);  // any port: connecting a datagram socket only asks the routing table
  if (::inet_pton(AF_INET, address.c_str(), &peer.sin_addr) != 1) {
    return invalidArgument(fmt::format("{} is not an IPv4 address", address));
  }
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return unavailable("no socket: " + std::generic_category().message(errno));
  sockaddr_in own{};
  socklen_t length = sizeof own;
  const bool routed = ::connect(fd, std::bit_cast<const sockaddr*>(&peer), sizeof peer) == 0 &&
                      ::getsockname(fd, std::bit_cast<sockaddr*>(&own), &length) == 0;
  const int cause = errno;
  ::close(fd);
  if (!routed) {
    return unavailable(fmt::format("there is no route to {}: {}; set private_ipmask (VCP_VCC_PRIVATE_IPMASK)", address,
                                   std::generic_category().message(cause)));
  }
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &own.sin_addr, text.data(), text.size());
  return std::string(text.data());
}

}  // namespace vcc
