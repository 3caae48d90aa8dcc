// SPDX-License-Identifier: Apache-2.0
#include "host/banner_prober.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "support/fake_server.h"

using namespace vcc;
using vcc::test::FakeServer;

namespace {

constexpr std::chrono::milliseconds kPatience{20000};  // for a busy machine

/// A prober with short times, and all that it reported.
class Probing {
 public:
  explicit Probing(ProberOptions options = {.timeout_ms = 300, .retry_ms = 30, .most_at_once = 256}) {
    auto made = makeBannerProber(options, clock_, random_, [this](std::vector<ProbeResult> results) {
      const MutexLock lock(mutex_);
      for (ProbeResult& result : results) heard_.push_back(std::move(result));
      changed_.notifyAll();
    });
    REQUIRE_MESSAGE(made.ok(), made.status().toString());
    prober_ = std::move(*made);
  }
  void watch(const std::string& id, int port, bool banner = true, std::int64_t interval_ms = 20,
             const std::string& address = "127.0.0.1") {
    prober_->watch(id, {address, port, banner, interval_ms});
  }
  void forget(const std::string& id) { prober_->forget(id); }

  /// The newest report of `id` from report `from` on that says so; fails when none comes in time.
  ProbeResult waitFor(const std::string& id, bool answers, std::size_t from = 0) {
    ProbeResult found;
    MutexLock lock(mutex_);
    const bool came = changed_.waitFor(lock, kPatience, [&]() VCC_REQUIRES(mutex_) {
      for (std::size_t i = from; i < heard_.size(); ++i) {
        if (heard_[i].id != id || heard_[i].answers != answers) continue;
        found = heard_[i];
        return true;
      }
      return false;
    });
    CHECK_MESSAGE(came, id);
    return found;
  }
  std::size_t heard() {
    const MutexLock lock(mutex_);
    return heard_.size();
  }
  std::size_t heardOf(const std::string& id) {
    const MutexLock lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(heard_, [&](const ProbeResult& result) { return result.id == id; }));
  }

 private:
  SystemClock clock_;
  SystemRandom random_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<ProbeResult> heard_ VCC_GUARDED_BY(mutex_);
  std::unique_ptr<Prober> prober_;
};

void greet(int client) { FakeServer::say(client, "SSH-2.0-test\r\n"); }

}  // namespace

TEST_CASE("an ssh server answers, and is heard of once") {
  std::atomic<int> visits{0};
  FakeServer server([&](int client) {
    ++visits;
    greet(client);
    FakeServer::waitForEnd(client);
  });
  Probing probing;
  probing.watch("a", server.port);
  probing.waitFor("a", true);
  // Another one is asked again and again meanwhile, so that time passes.
  FakeServer other([](int client) { FakeServer::say(client, "220 mail\r\n"); });
  probing.watch("b", other.port);
  for (std::size_t from = 0, i = 0; i < 5; ++i) {
    CHECK(probing.waitFor("b", false, from).why == "what answers there is not an ssh server");
    from = probing.heard();
  }
  CHECK(probing.heardOf("a") == 1);
  CHECK(visits > 1);
}

TEST_CASE("each way of not answering has its words") {
  Probing probing;
  const int closed = FakeServer([](int) {}).port;
  FakeServer silent(FakeServer::waitForEnd);
  FakeServer hangs_up([](int) {});
  FakeServer slow([](int client) {
    FakeServer::say(client, "SSH");
    FakeServer::waitForEnd(client);
  });
  probing.watch("closed", closed);
  probing.watch("silent", silent.port);
  probing.watch("hangs up", hangs_up.port);
  probing.watch("slow", slow.port);
  probing.watch("no address", 22, true, 20, "nowhere");
  CHECK(probing.waitFor("closed", false).why == "connection refused");
  CHECK(probing.waitFor("silent", false).why.starts_with("no ssh banner within"));
  CHECK(probing.waitFor("hangs up", false).why.find("closed before an ssh banner came") != std::string::npos);
  CHECK(probing.waitFor("slow", false).why.starts_with("no ssh banner within"));
  CHECK(probing.waitFor("no address", false).why == "not an address");
}

TEST_CASE("a banner may come in pieces, and a talker is read one line of") {
  Probing probing;
  FakeServer pieces([](int client) {
    for (const char* piece : {"S", "S", "H", "-", "2.0-x\r\n"}) FakeServer::say(client, piece);
    FakeServer::waitForEnd(client);
  });
  std::atomic<bool> hung_up{false};
  FakeServer talker([&](int client) {
    const std::string much(4096, 'x');
    FakeServer::say(client, "SSH-2.0-");
    while (FakeServer::say(client, much)) {
    }
    hung_up = true;
  });
  probing.watch("pieces", pieces.port);
  probing.watch("talker", talker.port);
  probing.waitFor("pieces", true);
  probing.waitFor("talker", true);
  std::size_t from = 0;
  const int closed = FakeServer([](int) {}).port;
  probing.watch("tick", closed);
  for (int i = 0; i < 1000 && !hung_up; ++i, from = probing.heard()) probing.waitFor("tick", false, from);
  CHECK(hung_up);
}

TEST_CASE("a port that goes is heard of each time it is asked, and once when it is back") {
  Probing probing;
  std::atomic<bool> away{false};
  FakeServer server([&](int client) {
    if (!away) greet(client);
  });
  probing.watch("a", server.port);
  probing.waitFor("a", true);
  away = true;
  probing.waitFor("a", false);
  std::size_t from = probing.heard();
  probing.waitFor("a", false, from);
  from = probing.heard();
  away = false;
  probing.waitFor("a", true, from);
}

TEST_CASE("where no banner is wanted a connection is enough") {
  Probing probing;
  FakeServer silent(FakeServer::waitForEnd);
  const int closed = FakeServer([](int) {}).port;
  probing.watch("open", silent.port, false);
  probing.watch("closed", closed, false);
  probing.waitFor("open", true);
  CHECK(probing.waitFor("closed", false).why == "connection refused");
}

TEST_CASE("what is forgotten is asked no more, also in the middle of a probe") {
  std::atomic<int> visits{0};
  FakeServer silent([&](int client) {
    ++visits;
    FakeServer::waitForEnd(client);
  });
  Probing probing({.timeout_ms = 60000, .retry_ms = 30, .most_at_once = 256});
  probing.watch("a", silent.port);
  const int closed = FakeServer([](int) {}).port;
  probing.watch("tick", closed);
  for (std::size_t from = 0; visits == 0; from = probing.heard()) probing.waitFor("tick", false, from);
  probing.forget("a");
  probing.forget("never known");
  std::size_t from = probing.heard();
  for (int i = 0; i < 5; ++i, from = probing.heard()) probing.waitFor("tick", false, from);
  CHECK(visits == 1);
  CHECK(probing.heardOf("a") == 0);
  // Another target takes the place of the first.
  FakeServer good(greet);
  probing.watch("tick", good.port);
  probing.waitFor("tick", true, from);
}

TEST_CASE("no more sockets are open at once than allowed, and all ports get their turn") {
  Probing probing({.timeout_ms = 100, .retry_ms = 30, .most_at_once = 2});
  FakeServer silent(FakeServer::waitForEnd);  // accepts one after the other: the rest waits in its queue
  for (int i = 0; i < 6; ++i) probing.watch("p" + std::to_string(i), silent.port, true, 20);
  for (int i = 0; i < 6; ++i) probing.waitFor("p" + std::to_string(i), false);
}
