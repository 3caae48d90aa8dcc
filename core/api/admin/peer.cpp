// SPDX-License-Identifier: Apache-2.0
#include "api/admin/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vcc {

PeerCheck adminPeer(Logger& log) {
  return [&log](int fd) -> Result<std::string> {
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
      return permissionDenied("admin socket: the kernel does not say who connected: " +
                              std::generic_category().message(errno));
    }
    const std::string who = "uid=" + std::to_string(peer.uid) + " pid=" + std::to_string(peer.pid);
    if (peer.uid != 0 && peer.uid != ::geteuid()) {
      return permissionDenied("admin socket: a connection of " + who +
                              " was refused: only root and the user of the "
                              "controller may use it");
    }
    log.debug("ADMIN_PEER", "connection on the admin socket", {{"peer", who}});
    return who;
  };
}

}  // namespace vcc
