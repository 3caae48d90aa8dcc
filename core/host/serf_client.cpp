// SPDX-License-Identifier: Apache-2.0
#include "host/serf_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "base/executor.h"
#include "host/deadline.h"
#include "host/tcp.h"

namespace vcc {

namespace {

constexpr std::uint64_t kHandshakeSeq = 1;
constexpr std::uint64_t kStreamSeq = 2;
constexpr std::uint64_t kMembersSeq = 3;
constexpr std::int64_t kConnectMs = 3000;
constexpr std::int64_t kAnswerMs = 10000;
constexpr std::int64_t kShortestPauseMs = 1000;
constexpr std::int64_t kLongestPauseMs = 30000;
/// A list of all members of the largest installation is a tenth of it.
constexpr std::size_t kMessageLimit = 32U << 20U;
constexpr std::size_t kChunk = 64U << 10U;

}  // namespace

class SerfClient::Impl {
 public:
  Impl(std::string host, int port, Fd wake, const Clock& clock, Logger& log, Report report)
      : host_(std::move(host)),
        port_(port),
        wake_(std::move(wake)),
        clock_(clock),
        log_(log),
        report_(std::move(report)),
        thread_("serf", [this] { run(); }) {}
  ~Impl() {
    stopping_ = true;
    static_cast<void>(::eventfd_write(wake_.get(), 1));
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  bool isConnected() const { return connected_; }

 private:
  void run() {
    std::int64_t pause = kShortestPauseMs;
    bool told = false;
    while (!stopping_) {
      const Status ended = follow();
      const bool was_there = connected_.exchange(false);
      if (stopping_) return;
      if (was_there) {
        log_.warn("SERF_LOST", "nodes are watched without its hints until it is back: " + ended.message(),
                  {{"agent", agent()}});
      } else if (!told) {
        log_.info("SERF_ABSENT", "nodes are watched without its hints: " + ended.message(), {{"agent", agent()}});
      }
      told = true;
      pause = was_there ? kShortestPauseMs : std::min(2 * pause, kLongestPauseMs);
      // Ends early only when the client ends.
      vcc::waitFor(wake_.get(), POLLIN, Deadline(clock_, pause));
    }
  }

  std::string agent() const { return fmt::format("{}:{}", host_, port_); }

  /// One connection, to its end.
  Status follow() {
    VCC_ASSIGN_OR_RETURN(fd_, connectTcp(host_, port_, Deadline(clock_, kConnectMs)));
    VCC_RETURN_IF_ERROR(send(serfHandshake(kHandshakeSeq)));
    VCC_RETURN_IF_ERROR(send(serfStream(kStreamSeq)));
    VCC_RETURN_IF_ERROR(send(serfRequest("members", kMembersSeq)));
    buffer_.clear();
    streaming_ = false;
    while (!stopping_) {
      VCC_RETURN_IF_ERROR(readMessages());
      VCC_RETURN_IF_ERROR(receive());
    }
    return okStatus();
  }

  Status send(std::string_view bytes) {
    const Deadline deadline(clock_, kConnectMs);
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if ((errno != EAGAIN && errno != EINTR) || !waitFor(fd_.get(), POLLOUT, deadline)) {
        return unavailable("the serf agent takes no requests");
      }
    }
    return okStatus();
  }

  /// Takes every whole message out of the buffer.
  Status readMessages() {
    for (;;) {
      SerfMessage message;
      // The first message of the stream is the answer to its request; all others are events.
      const auto has_body = [this](std::uint64_t seq) {
        return seq == kMembersSeq || (seq == kStreamSeq && streaming_);
      };
      VCC_ASSIGN_OR_RETURN(const std::size_t taken, readSerfMessage(buffer_, has_body, message));
      if (taken == 0) return okStatus();
      buffer_.erase(0, taken);
      if (!message.error.empty()) {
        return failedPrecondition(fmt::format("the serf agent refuses a request: {}", message.error));
      }
      if (message.seq == kStreamSeq) streaming_ = true;
      if (message.seq == kMembersSeq && !connected_.exchange(true)) {
        log_.info("SERF_CONNECTED", "joins, leaves and failures that serf sees make the controller look at nodes",
                  {{"agent", agent()}, {"members", message.members.size()}});
      }
      if (!message.members.empty()) report_(std::move(message.members));
    }
  }

  /// Waits for more. Until all answers are there the agent owes something; then it may be silent for ever.
  Status receive() {
    pollfd entries[] = {{fd_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    const int ready = ::poll(entries, 2, connected_ ? -1 : static_cast<int>(kAnswerMs));
    if (ready == 0) return unavailable("what listens there does not answer like a serf agent");
    if (ready < 0 || stopping_) return okStatus();
    if (buffer_.size() >= kMessageLimit) return internalError("the serf agent sends a message without end");
    const std::size_t have = buffer_.size();
    buffer_.resize(have + std::max(kChunk, have));  // a long message is not read anew for each piece of it
    const ssize_t got = ::recv(fd_.get(), buffer_.data() + have, buffer_.size() - have, 0);
    const int error = errno;
    buffer_.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0 || (got < 0 && (error == EAGAIN || error == EINTR))) return okStatus();
    return unavailable(got == 0 ? "the agent closed the connection" : std::generic_category().message(error));
  }

  const std::string host_;
  const int port_;
  const Fd wake_;
  const Clock& clock_;
  Logger& log_;
  const Report report_;
  Fd fd_;
  std::string buffer_;
  bool streaming_ = false;
  std::atomic<bool> connected_{false};
  std::atomic<bool> stopping_{false};
  Thread thread_;  // last: it uses all of the above
};

SerfClient::SerfClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SerfClient::~SerfClient() = default;
bool SerfClient::isConnected() const { return impl_->isConnected(); }

Result<std::unique_ptr<SerfClient>> SerfClient::start(const std::string& rpc_address, const Clock& clock, Logger& log,
                                                      Report report) {
  const std::size_t colon = rpc_address.find(':');
  const std::string host = rpc_address.substr(0, colon);
  int port = 0;
  in_addr parsed{};
  const char* const end = rpc_address.data() + rpc_address.size();
  const auto [stop, error] = colon == std::string::npos ? std::from_chars_result{end, std::errc::invalid_argument}
                                                        : std::from_chars(rpc_address.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end || port < 1 || port > 65535 ||
      ::inet_pton(AF_INET, host.c_str(), &parsed) != 1) {
    return invalidArgument("must be an IPv4 address and a port, as in 127.0.0.1:7373, or empty for none");
  }
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.get() < 0) return internalError("the client of serf cannot start: no file descriptor is left");
  return std::unique_ptr<SerfClient>(
      new SerfClient(std::make_unique<Impl>(host, port, std::move(wake), clock, log, std::move(report))));
}

}  // namespace vcc
