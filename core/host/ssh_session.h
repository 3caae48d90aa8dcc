// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "host/deadline.h"
#include "host/host.h"
#include "host/remote_script.h"
#include "host/ssh_host.h"

namespace vcc {

/// A command for a remote shell. Only what is made when this program is compiled can be one: nothing that a user wrote
/// reaches a shell (architecture 25).
class RemoteCommand {
 public:
  template <std::size_t N>
  consteval explicit RemoteCommand(const ScriptText<N>& script) : text_(script.text.data(), script.size) {}
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// What is kept of a command's output; the rest is read and dropped.
inline constexpr std::size_t kSshKeptOut = 1024 * 1024;
inline constexpr std::size_t kSshKeptErr = 64 * 1024;
/// A command that prints more than this in all has its connection closed.
inline constexpr std::size_t kSshOutputLimit = 8 * 1024 * 1024;

struct SshOutput {
  std::string host_key;  ///< "ssh-ed25519 AAAA..."
  std::string out;
  std::string err;
  int exit_status = 0;  ///< 0 also when the server sent none: output decides, not this alone
  std::string signal;   ///< "KILL" when a signal ended the command
};

/// Connects, checks the host key, logs in, runs `command` with `input` on its stdin, and closes. Blocks until
/// `deadline` at most; safe from many threads. Errors are those of `Host`; their outcome is kNotApplied until the
/// command was sent, kUnknown from then on. A command that fails by itself is a success here.
Result<SshOutput> sshExec(const SshKey& key, const HostTarget& target, RemoteCommand command, std::string_view input,
                          const Deadline& deadline);

/// "host 10.0.0.1:20022", the object of an error text.
std::string hostName(const HostTarget& target);

}  // namespace vcc
