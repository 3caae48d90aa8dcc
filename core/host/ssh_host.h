// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "host/host.h"

namespace vcc {

/// The controller's own key pair for ssh.
struct SshKey {
  std::string private_path;  ///< PEM or OpenSSH file, mode 0600
  std::string public_path;
  std::string public_line;  ///< "ssh-ed25519 AAAA... vcc", no newline
};

/// Opens the key in `dir`/id_ed25519, making an ed25519 pair at the first start. Another key file is refused with a
/// text that says why and what to do: libssh2 1.10 signs RSA with SHA-1 only, leaks memory at each login with an ecdsa
/// key, and reads ed25519 keys in OpenSSH's own format only.
Result<SshKey> openSshKey(FileSystem& files, const std::string& dir, Random& random);

/// `Host` over ssh (libssh2) and the host's docker command. `key` files are read at each login.
std::unique_ptr<Host> makeSshHost(const SshKey& key, const Clock& clock, Logger& log);

}  // namespace vcc
