// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vcc {

/// How the controller will log in to a machine.
struct MachineAccess {
  std::string user;
  std::string public_key;  ///< one line; empty: none is let in
  int ssh_port = 20022;    ///< where its sshd shall listen: port 22 is the base container's
};

/// The user data of a new machine, for cloud-init: a user with the key who may sudo, and sshd on the port. Everything
/// else that a machine needs is done over ssh. Empty without a key.
std::string cloudConfig(const MachineAccess& access);

}  // namespace vcc
