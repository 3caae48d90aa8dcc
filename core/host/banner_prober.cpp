// SPDX-License-Identifier: Apache-2.0
#include "host/banner_prober.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "host/probe.h"
#include "host/tcp.h"

namespace vcc {
namespace {

constexpr std::size_t kLineLimit = 255;  // of an identification string, RFC 4253 section 4.2
constexpr std::size_t kEventsAtOnce = 256;
/// Probes begin together, at multiples of this: waking up for each one alone would cost more than the probe.
constexpr std::int64_t kTickMs = 100;

std::string shortReason(int error) {
  if (error == ECONNREFUSED) return "connection refused";
  if (error == ECONNRESET || error == EPIPE) return "the connection was closed before an ssh banner came";
  return std::generic_category().message(error);
}

class BannerProber final : public Prober {
 public:
  BannerProber(const ProberOptions& options, const Clock& clock, Random& random, ProbeReport report, Fd epoll, Fd wake)
      : options_(options),
        clock_(clock),
        random_(random),
        report_(std::move(report)),
        epoll_(std::move(epoll)),
        wake_(std::move(wake)),
        thread_("prober", [this] { run(); }) {}
  ~BannerProber() override {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    ring();
    thread_.join();
  }
  BannerProber(const BannerProber&) = delete;
  BannerProber& operator=(const BannerProber&) = delete;

  void watch(const std::string& id, const ProbeTarget& target) override { order({id, target}); }
  void forget(const std::string& id) override { order({id, std::nullopt}); }

 private:
  struct Order {
    std::string id;
    std::optional<ProbeTarget> target;  ///< none: forget it
  };
  struct Port {
    ProbeTarget target;
    std::int64_t due = 0;  ///< monotonic, also its place in `due_`
    std::optional<bool> answers;
    std::optional<int> flight;
  };
  struct Flight {
    std::string id;
    std::uint64_t serial = 0;
    Fd fd;
    std::size_t have = 0;
    std::array<char, kGreeting.size()> line{};
  };
  struct Expiry {
    std::int64_t at = 0;
    int fd = 0;
    std::uint64_t serial = 0;
  };

  void order(Order order);
  void ring() const;
  void run();
  bool takeOrders();
  void startDue(std::int64_t now);
  void start(const std::string& id, Port& port, std::int64_t now);
  int pause(std::int64_t now) const;
  void hear(int fd, std::uint32_t events);
  void hearBanner(Flight& flight);
  void expire(std::int64_t now);
  void end(const std::string& id, bool answers, std::string why);
  void schedule(const std::string& id, Port& port, std::int64_t at);
  void drop(const std::string& id);
  std::int64_t randomBelow(std::int64_t limit) const;

  const ProberOptions options_;
  const Clock& clock_;
  Random& random_;
  const ProbeReport report_;
  const Fd epoll_;
  const Fd wake_;

  Mutex mutex_;
  std::vector<Order> orders_ VCC_GUARDED_BY(mutex_);
  bool stopping_ VCC_GUARDED_BY(mutex_) = false;

  // The thread's own.
  std::unordered_map<std::string, Port> ports_;
  std::set<std::pair<std::int64_t, std::string>> due_;  // of those that are not in flight
  std::unordered_map<int, Flight> flights_;
  std::deque<Expiry> expiries_;  // all wait equally long, so these are in order
  std::uint64_t serial_ = 0;
  std::vector<ProbeResult> results_;

  Thread thread_;  // last: it uses all of the above
};

void BannerProber::order(Order order) {
  {
    const MutexLock lock(mutex_);
    orders_.push_back(std::move(order));
    if (orders_.size() > 1) return;  // the thread has been rung for already
  }
  ring();
}

void BannerProber::ring() const {
  // It can only fail when the counter is full, and then the thread is awake.
  static_cast<void>(::eventfd_write(wake_.get(), 1));
}

void BannerProber::run() {
  std::array<epoll_event, kEventsAtOnce> events{};
  while (takeOrders()) {
    std::int64_t now = clock_.monoMs();
    startDue(now);
    const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), pause(now));
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      if (event.data.fd == wake_.get()) {
        eventfd_t count = 0;
        static_cast<void>(::eventfd_read(wake_.get(), &count));
      } else {
        hear(event.data.fd, event.events);
      }
    }
    now = clock_.monoMs();
    expire(now);
    if (!results_.empty()) report_(std::exchange(results_, {}));
  }
}

/// False: it is over.
bool BannerProber::takeOrders() {
  std::vector<Order> orders;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return false;
    orders.swap(orders_);
  }
  const std::int64_t now = clock_.monoMs();
  for (Order& order : orders) {
    drop(order.id);
    if (!order.target) continue;
    Port& port = ports_[order.id];
    port.target = std::move(*order.target);
    schedule(order.id, port, now + randomBelow(port.target.interval_ms));
  }
  return true;
}

void BannerProber::drop(const std::string& id) {
  const auto known = ports_.find(id);
  if (known == ports_.end()) return;
  if (known->second.flight) {
    flights_.erase(*known->second.flight);
  } else {
    due_.erase({known->second.due, id});
  }
  ports_.erase(known);
}

void BannerProber::schedule(const std::string& id, Port& port, std::int64_t at) {
  port.due = (at + kTickMs - 1) / kTickMs * kTickMs;
  due_.emplace(port.due, id);
}

void BannerProber::startDue(std::int64_t now) {
  while (!due_.empty() && due_.begin()->first <= now && flights_.size() < options_.most_at_once) {
    const std::string id = due_.extract(due_.begin()).value().second;
    start(id, ports_.at(id), now);
  }
}

void BannerProber::start(const std::string& id, Port& port, std::int64_t now) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port.target.port));
  if (::inet_pton(AF_INET, port.target.address.c_str(), &where.sin_addr) != 1) return end(id, false, "not an address");
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) {
    // It says nothing about the host that we have no socket left.
    return schedule(id, port, now + options_.retry_ms);
  }
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 && errno != EINPROGRESS) {
    return end(id, false, shortReason(errno));
  }
  epoll_event wanted{};
  // The first event of a connection that is to greet is its greeting, or its end.
  wanted.events = port.target.banner ? EPOLLIN : EPOLLOUT;
  wanted.data.fd = fd.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &wanted) != 0) {
    return schedule(id, port, now + options_.retry_ms);
  }
  const int number = fd.get();
  port.flight = number;
  expiries_.push_back({now + options_.timeout_ms, number, ++serial_});
  flights_.insert_or_assign(number, Flight{.id = id, .serial = serial_, .fd = std::move(fd)});
}

/// Milliseconds until something is to be done, as epoll takes them.
int BannerProber::pause(std::int64_t now) const {
  std::int64_t next = now + INT_MAX;
  if (!expiries_.empty()) next = expiries_.front().at;
  if (!due_.empty() && flights_.size() < options_.most_at_once) next = std::min(next, due_.begin()->first);
  return static_cast<int>(std::clamp<std::int64_t>(next - now, 0, INT_MAX));
}

void BannerProber::hear(int fd, std::uint32_t events) {
  const auto found = flights_.find(fd);
  if (found == flights_.end()) return;
  Flight& flight = found->second;
  int error = 0;
  socklen_t size = sizeof error;
  if ((events & EPOLLERR) != 0 && ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) {
    return end(flight.id, false, shortReason(error));
  }
  if (!ports_.at(flight.id).target.banner) return end(flight.id, true, "");
  hearBanner(flight);
}

void BannerProber::hearBanner(Flight& flight) {
  std::array<char, kLineLimit> buffer{};
  const ssize_t got = ::recv(flight.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return end(flight.id, false, shortReason(errno));
  if (got == 0) return end(flight.id, false, shortReason(ECONNRESET));
  const std::size_t take = std::min(static_cast<std::size_t>(got), flight.line.size() - flight.have);
  std::copy_n(buffer.data(), take, flight.line.data() + flight.have);
  flight.have += take;
  if (flight.have < flight.line.size()) return;
  const bool ssh = std::string_view(flight.line.data(), flight.line.size()) == kGreeting;
  end(flight.id, ssh, ssh ? "" : "what answers there is not an ssh server");
}

void BannerProber::expire(std::int64_t now) {
  while (!expiries_.empty() && expiries_.front().at <= now) {
    const Expiry expiry = expiries_.front();
    expiries_.pop_front();
    const auto found = flights_.find(expiry.fd);
    if (found == flights_.end() || found->second.serial != expiry.serial) continue;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const bool connected = ::getpeername(expiry.fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
    end(found->second.id, false,
        fmt::format("no {} within {} s", connected ? "ssh banner" : "answer", options_.timeout_ms / 1000));
  }
  // Those of flights that ended in time.
  while (!expiries_.empty()) {
    const auto found = flights_.find(expiries_.front().fd);
    if (found != flights_.end() && found->second.serial == expiries_.front().serial) break;
    expiries_.pop_front();
  }
}

/// The end of one probe of the port; its next one is scheduled. `id` may live in the flight that goes with it.
void BannerProber::end(const std::string& id, bool answers, std::string why) {
  const auto node = ports_.find(id);
  Port& port = node->second;
  const std::int64_t interval = port.target.interval_ms;
  const std::int64_t pause =
      answers ? interval - interval / 10 + randomBelow(interval / 5) : std::min(interval, options_.retry_ms);
  if (!answers || port.answers != answers) results_.push_back({node->first, answers, std::move(why)});
  port.answers = answers;
  schedule(node->first, port, clock_.monoMs() + pause);
  if (const auto flight = std::exchange(port.flight, std::nullopt)) flights_.erase(*flight);
}

std::int64_t BannerProber::randomBelow(std::int64_t limit) const {
  std::array<std::uint8_t, 4> bytes{};
  random_.fill(bytes);
  std::int64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number % std::max<std::int64_t>(limit, 1);
}

}  // namespace

Result<std::unique_ptr<Prober>> makeBannerProber(const ProberOptions& options, const Clock& clock, Random& random,
                                                 ProbeReport report) {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = wake.get();
  if (epoll.get() < 0 || wake.get() < 0 || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &wanted) != 0) {
    return internalError(fmt::format("the prober of hosts cannot start: {}; raise the limit of open files",
                                     std::generic_category().message(errno)));
  }
  return std::unique_ptr<Prober>(
      std::make_unique<BannerProber>(options, clock, random, std::move(report), std::move(epoll), std::move(wake)));
}

}  // namespace vcc
