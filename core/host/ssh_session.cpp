// SPDX-License-Identifier: Apache-2.0
#include "host/ssh_session.h"

#include <fmt/format.h>
#include <libssh2.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/encoding.h"
#include "host/ssh_wire.h"
#include "host/tcp.h"

namespace vcc {
namespace {

constexpr std::size_t kHandshakeLimit = 512 * 1024;
constexpr char kHostKeyTypes[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521";

/// libssh2 asks for one initialisation per process, not thread safe; a static of a function is made once.
bool libraryReady() {
  static const bool ready = libssh2_init(0) == 0;
  return ready;
}

/// What the socket may still deliver. libssh2 reads until it is satisfied, so a server that never stops sending (lines
/// before its banner, ignored packets) would hold us inside one call: the limits must sit below it.
struct Intake {
  const Deadline& deadline;
  std::size_t budget = kHandshakeLimit;
  bool exceeded = false;
};

// The recv hook of libssh2: a negative errno on failure.
ssize_t receive(libssh2_socket_t fd, void* buffer, size_t length, int flags, void** abstract) {
  auto& intake = *static_cast<Intake*>(*abstract);
  if (intake.budget == 0) intake.exceeded = true;
  if (intake.exceeded || intake.deadline.passed()) return -ECONNABORTED;
  ssize_t got = ::recv(fd, buffer, std::min(length, intake.budget), flags);
  if (got < 0) return errno == EINTR ? -EAGAIN : -errno;
  intake.budget -= static_cast<std::size_t>(got);
  return got;
}

class Session {
 public:
  Session(const SshKey& key, const HostTarget& target, const Deadline& deadline)
      : key_(key), target_(target), deadline_(deadline), intake_{deadline} {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Status open();
  Result<SshOutput> run(RemoteCommand command, std::string_view input);

 private:
  Status connect();
  Status handshake();
  Status checkHostKey();
  Status login();
  Status openChannel(RemoteCommand command);
  Status exchange(std::string_view input, SshOutput& output);
  Status readEnd(SshOutput& output);
  Result<bool> readStream(int stream, std::size_t keep, std::string& into);
  bool waitForSocket() const;
  template <typename Call>
  int finish(Call call);
  Status failure(std::string_view step, int error);

  const SshKey& key_;
  const HostTarget& target_;
  const Deadline& deadline_;
  Intake intake_;
  Fd fd_;
  LIBSSH2_SESSION* session_ = nullptr;
  LIBSSH2_CHANNEL* channel_ = nullptr;
  std::string host_key_;
};

Session::~Session() {
  if (session_ == nullptr) return;
  // One try to say goodbye; then the socket is shut so that nothing below waits for the other side.
  libssh2_session_disconnect(session_, "done");
  ::shutdown(fd_.get(), SHUT_RDWR);
  intake_.exceeded = true;
  for (int i = 0; i < 8 && channel_ != nullptr; ++i) {
    if (libssh2_channel_free(channel_) != LIBSSH2_ERROR_EAGAIN) channel_ = nullptr;
  }
  for (int i = 0; i < 8 && libssh2_session_free(session_) == LIBSSH2_ERROR_EAGAIN; ++i) {
  }
}

bool Session::waitForSocket() const {
  int directions = libssh2_session_block_directions(session_);
  short events = 0;
  if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) events = static_cast<short>(events | POLLOUT);
  if ((directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0 || events == 0) events = static_cast<short>(events | POLLIN);
  return waitFor(fd_.get(), events, deadline_);
}

/// Repeats a libssh2 call until it does not ask for the socket any more.
template <typename Call>
int Session::finish(Call call) {
  for (;;) {
    int result = call();
    if (result != LIBSSH2_ERROR_EAGAIN) return result;
    if (!waitForSocket()) return LIBSSH2_ERROR_TIMEOUT;
  }
}

Status Session::failure(std::string_view step, int error) {
  if (intake_.exceeded) {
    return unavailable(fmt::format(
        "{}: the server sent far more than it should and the connection was closed; look at what runs there", step));
  }
  if (deadline_.passed()) {
    return deadlineExceeded(
        fmt::format("{}: no end in time; the host or the network is overloaded or stuck, look at the host", step));
  }
  char* words = nullptr;
  int length = 0;
  libssh2_session_last_error(session_, &words, &length, 0);
  std::string said = words == nullptr ? "" : cleanUtf8({words, static_cast<std::size_t>(length)}, 200);
  return unavailable(fmt::format("{}: the connection failed ({}, libssh2 {}); see the log of the sshd there", step,
                                 said.empty() ? "closed" : said, error));
}

Status Session::connect() {
  auto fd = connectTcp(target_.address, target_.ssh_port, deadline_);
  if (!fd.ok()) return fd.status().prepend("connect");
  fd_ = std::move(fd).value();
  return okStatus();
}

Status Session::handshake() {
  session_ = libssh2_session_init_ex(nullptr, nullptr, nullptr, &intake_);
  if (session_ == nullptr) return internalError("ssh handshake: out of memory");
  libssh2_session_set_blocking(session_, 0);
  // The hook travels as void*: that is the library's interface.
  libssh2_session_callback_set(session_, LIBSSH2_CALLBACK_RECV, reinterpret_cast<void*>(&receive));
  // A server that still has the pinned key must not answer with another one of its keys.
  std::string types = target_.host_key.empty() ? kHostKeyTypes : target_.host_key.substr(0, target_.host_key.find(' '));
  if (libssh2_session_method_pref(session_, LIBSSH2_METHOD_HOSTKEY, types.c_str()) != 0) {
    return internalError(fmt::format("ssh handshake: the pinned host key has an unusable type, {}", types));
  }

  int result = finish([&] { return libssh2_session_handshake(session_, fd_.get()); });
  if (result == 0) return okStatus();
  if (result == LIBSSH2_ERROR_KEX_FAILURE && !target_.host_key.empty()) {
    return permissionDenied(fmt::format(
        "host key: the server no longer offers a key of the pinned type {}: either it was set up anew, then delete "
        "this node and add it again, or something else answers at its address",
        types));
  }
  if (result == LIBSSH2_ERROR_KEX_FAILURE) {
    return failedPrecondition(
        "ssh handshake: the server offers no ed25519 or ecdsa host key, or no key exchange we know. An RSA-only server "
        "cannot be used, because libssh2 verifies RSA with SHA-1 only; make a key there: ssh-keygen -A, then restart "
        "sshd");
  }
  const char* banner = libssh2_session_banner_get(session_);
  if (banner == nullptr && !intake_.exceeded) {
    return unavailable(
        "ssh handshake: no ssh banner came; either another program listens on this port or sshd is stuck: see its log");
  }
  return failure("ssh handshake", result);
}

Status Session::checkHostKey() {
  std::size_t length = 0;
  int type = 0;
  const char* blob = libssh2_session_hostkey(session_, &length, &type);
  host_key_ = blob == nullptr ? "" : ssh_wire::keyLine({blob, length});
  if (host_key_.empty())
    return unavailable("host key: the server showed none that can be read; see the log of its sshd");
  if (target_.host_key.empty() || target_.host_key == host_key_) return okStatus();
  return permissionDenied(fmt::format(
      "host key: the server shows another key than at the first contact: either it was set up anew, then delete this "
      "node and add it again, or something else answers at its address (SHA-256 of the key shown: {})",
      hexEncode(sha256({blob, length}))));
}

Status Session::login() {
  int result = finish([&] {
    return libssh2_userauth_publickey_fromfile_ex(session_, target_.user.data(),
                                                  static_cast<unsigned>(target_.user.size()), key_.public_path.c_str(),
                                                  key_.private_path.c_str(), "");
  });
  if (result == 0) return okStatus();
  if (result == LIBSSH2_ERROR_FILE) {
    return internalError(
        fmt::format("login: cannot read the controller's key {}; check the file and its owner", key_.private_path));
  }
  if (result == LIBSSH2_ERROR_AUTHENTICATION_FAILED || result == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED ||
      result == LIBSSH2_ERROR_METHOD_NOT_SUPPORTED) {
    return unauthenticated(fmt::format(
        "login: the server refuses the controller's key for user '{}'; check the user name (user_name), and append the "
        "controller's public key (call publickey, or the file {}) to that user's .ssh/authorized_keys",
        cleanUtf8(target_.user, 64), key_.public_path));
  }
  return failure("login", result);
}

Status Session::open() {
  VCC_RETURN_IF_ERROR(connect());
  VCC_RETURN_IF_ERROR(handshake());
  VCC_RETURN_IF_ERROR(checkHostKey());
  return login();
}

Status Session::openChannel(RemoteCommand command) {
  int result = finish([&] {
    channel_ = libssh2_channel_open_session(session_);
    return channel_ != nullptr ? 0 : libssh2_session_last_errno(session_);
  });
  if (result != 0) return failure("open a channel", result);
  // From here on the command may run.
  result = finish([&] {
    return libssh2_channel_process_startup(channel_, "exec", 4, command.text().data(),
                                           static_cast<unsigned>(command.text().size()));
  });
  if (result == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
    return failedPrecondition("command: the server does not let this user run commands; check its sshd_config");
  }
  return result == 0 ? okStatus() : failure("command", result);
}

/// Reads what is there of one stream (0 = stdout, else stderr). True when something came.
Result<bool> Session::readStream(int stream, std::size_t keep, std::string& into) {
  char buffer[16 * 1024];
  ssize_t got = libssh2_channel_read_ex(channel_, stream, buffer, sizeof buffer);
  if (got == LIBSSH2_ERROR_EAGAIN || got == 0) return false;
  if (got < 0) return failure("command", static_cast<int>(got));
  if (into.size() < keep) into.append(buffer, std::min(static_cast<std::size_t>(got), keep - into.size()));
  return true;
}

/// Feeds stdin and drains both outputs at once, so that neither side waits for the other.
Status Session::exchange(std::string_view input, SshOutput& output) {
  bool eof_sent = false;
  for (;;) {
    bool progress = false;
    if (!input.empty()) {
      ssize_t sent = libssh2_channel_write(channel_, input.data(), std::min<std::size_t>(input.size(), 32 * 1024));
      if (sent > 0) {
        input.remove_prefix(static_cast<std::size_t>(sent));
        progress = true;
      } else if (sent < 0 && sent != LIBSSH2_ERROR_EAGAIN) {
        // The command has ended without reading all: its output says why.
        input = {};
        eof_sent = true;
      }
    }
    if (input.empty() && !eof_sent) {
      int result = libssh2_channel_send_eof(channel_);
      if (result != LIBSSH2_ERROR_EAGAIN) eof_sent = progress = true;
    }
    VCC_ASSIGN_OR_RETURN(bool out, readStream(0, kSshKeptOut, output.out));
    VCC_ASSIGN_OR_RETURN(bool err, readStream(SSH_EXTENDED_DATA_STDERR, kSshKeptErr, output.err));
    progress = progress || out || err;
    if (!progress) {
      if (libssh2_channel_eof(channel_) == 1) return okStatus();
      if (!waitForSocket()) return failure("command", LIBSSH2_ERROR_TIMEOUT);
    } else if (deadline_.passed()) {
      return failure("command", LIBSSH2_ERROR_TIMEOUT);
    }
  }
}

Status Session::readEnd(SshOutput& output) {
  // The exit status comes after the end of the output and before the close.
  int result = finish([&] { return libssh2_channel_close(channel_); });
  if (result != 0) return failure("command", result);
  output.exit_status = libssh2_channel_get_exit_status(channel_);
  char* name = nullptr;
  std::size_t length = 0;
  libssh2_channel_get_exit_signal(channel_, &name, &length, nullptr, nullptr, nullptr, nullptr);
  if (name != nullptr) {
    output.signal = cleanUtf8({name, length}, 32);
    libssh2_free(session_, name);
  }
  return okStatus();
}

Result<SshOutput> Session::run(RemoteCommand command, std::string_view input) {
  SshOutput output;
  output.host_key = host_key_;
  intake_.budget = kSshOutputLimit;
  VCC_RETURN_IF_ERROR(openChannel(command));
  VCC_RETURN_IF_ERROR(exchange(input, output));
  VCC_RETURN_IF_ERROR(readEnd(output));
  return output;
}

Status checkTarget(const HostTarget& target) {
  if (target.user.empty() || target.user.size() > 64) {
    return invalidArgument("login: the user name must have 1 to 64 characters; correct user_name");
  }
  return okStatus();
}

Status located(const HostTarget& target, Outcome outcome, const Status& status) {
  return {status.code(), fmt::format("{}: {}", hostName(target), status.message()), outcome};
}

}  // namespace

std::string hostName(const HostTarget& target) {
  return fmt::format("host {}:{}", cleanUtf8(target.address, 64), target.ssh_port);
}

Result<SshOutput> sshExec(const SshKey& key, const HostTarget& target, RemoteCommand command, std::string_view input,
                          const Deadline& deadline) {
  if (!libraryReady()) return internalError("libssh2 cannot be initialised; the installation is broken");
  Status status = checkTarget(target);
  if (!status.ok()) return located(target, Outcome::kNotApplied, status);
  Session session(key, target, deadline);
  status = session.open();
  if (!status.ok()) return located(target, Outcome::kNotApplied, status);
  auto output = session.run(command, input);
  if (!output.ok()) return located(target, Outcome::kUnknown, output.status());
  return output;
}

}  // namespace vcc
