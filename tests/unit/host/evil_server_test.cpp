// SPDX-License-Identifier: Apache-2.0
// Servers that are slow, silent, talkative or not there: each call ends in time with an error that says what to do.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/file_system.h"
#include "host/ssh_host.h"
#include "support/fake_server.h"
#include "support/temp_dir.h"

using namespace vcc;
using vcc::test::FakeServer;

namespace {

constexpr std::int64_t kSlackMs = 3000;  // for a busy machine; without a bound the calls would hang for ever

struct Caller {
  vcc::test::TempDir temp;
  SystemClock clock;
  NullLogger log;
  SshKey key = [this] {
    PosixFileSystem files;
    SystemRandom random;
    return *openSshKey(files, temp.path(), random);
  }();
  std::unique_ptr<Host> host = makeSshHost(key, clock, log);

  /// Inspects and probes; both must fail within the deadline and some slack. Returns the error of the inspection.
  Status fails(const std::string& address, int port, std::int64_t deadline_ms, bool probe_fails = true) {
    HostTarget target{address, port, "user", ""};
    auto begin_ms = clock.monoMs();
    auto report = host->inspect(target, "image:1", deadline_ms);
    CHECK(clock.monoMs() - begin_ms < deadline_ms + kSlackMs);
    begin_ms = clock.monoMs();
    Status probe = host->probeBanner(address, port, deadline_ms);
    CHECK(clock.monoMs() - begin_ms < deadline_ms + kSlackMs);
    CHECK(probe.ok() != probe_fails);
    if (!probe.ok()) CHECK(probe.code() == Code::kUnavailable);
    REQUIRE(!report.ok());
    CHECK(report.status().message().find(address) != std::string::npos);
    CHECK(report.status().outcome() == Outcome::kNotApplied);
    return report.status();
  }
};

bool has(const Status& status, const char* text) { return status.message().find(text) != std::string::npos; }

/// A port of 127.0.0.1 on which connections hang: its queue is full and nobody accepts.
class Blackhole {
 public:
  Blackhole() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&where), size) == 0);
    REQUIRE(::listen(listener_, 0) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) == 0);
    port = ntohs(where.sin_port);
    for (int i = 0; i < 4; ++i) {
      int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (::connect(filler, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) CHECK(errno == EINPROGRESS);
      fillers_.push_back(filler);
    }
  }
  ~Blackhole() {
    for (int filler : fillers_) ::close(filler);
    ::close(listener_);
  }

  int port = 0;

 private:
  int listener_ = -1;
  std::vector<int> fillers_;
};

}  // namespace

TEST_CASE("a closed port") {
  Caller caller;
  int port = FakeServer([](int) {}).port;
  Status status = caller.fails("127.0.0.1", port, 2000);
  CHECK(status.code() == Code::kUnavailable);
  CHECK(has(status, "connection refused"));
}

TEST_CASE("a host that swallows packets") {
  Caller caller;
  Blackhole hole;
  Status status = caller.fails("127.0.0.1", hole.port, 300);
  CHECK(status.code() == Code::kUnavailable);
  CHECK(has(status, "no answer"));
}

TEST_CASE("what is no address or port") {
  Caller caller;
  for (auto [address, port] : {std::pair("no-address", 22), {"127.0.0.1", 0}, {"127.0.0.1", 70000}, {"::1", 22}}) {
    auto report = caller.host->inspect({address, port, "user", ""}, "image:1", 1000);
    REQUIRE(!report.ok());
    CHECK(report.status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("a server that says nothing") {
  Caller caller;
  FakeServer server(FakeServer::waitForEnd);
  Status status = caller.fails("127.0.0.1", server.port, 300);
  CHECK(status.code() == Code::kUnavailable);
  CHECK(has(status, "no ssh banner came"));
}

TEST_CASE("a server that says one byte a minute") {
  Caller caller;
  FakeServer server([](int client) {
    FakeServer::say(client, "S");
    FakeServer::waitForEnd(client);
  });
  Status status = caller.fails("127.0.0.1", server.port, 300);
  CHECK(status.code() == Code::kUnavailable);
}

TEST_CASE("a server that hangs up at once") {
  Caller caller;
  FakeServer server([](int) {});
  CHECK(caller.fails("127.0.0.1", server.port, 2000).code() == Code::kUnavailable);
}

TEST_CASE("a server of another kind") {
  Caller caller;
  FakeServer server([](int client) { FakeServer::say(client, "HTTP/1.1 400 Bad Request\r\n\r\n"); });
  Status status = caller.fails("127.0.0.1", server.port, 2000);
  CHECK(status.code() == Code::kUnavailable);
  CHECK(has(caller.host->probeBanner("127.0.0.1", server.port, 2000), "not an ssh server"));
}

TEST_CASE("a server whose greeting never ends") {
  Caller caller;
  FakeServer server([](int client) {
    while (FakeServer::say(client, "welcome to this fine machine\r\n")) {
    }
  });
  Status status = caller.fails("127.0.0.1", server.port, 30000);
  CHECK(status.code() == Code::kUnavailable);
  CHECK(has(status, "far more than it should"));
}

TEST_CASE("a server that sends nonsense after its banner") {
  Caller caller;
  SUBCASE("and stops") {
    FakeServer server([](int client) {
      FakeServer::say(client, "SSH-2.0-evil\r\n" + std::string(64, '\xff'));
      FakeServer::waitForEnd(client);
    });
    CHECK(caller.fails("127.0.0.1", server.port, 500, false).code() != Code::kOk);
  }
  SUBCASE("packet after packet that is to be ignored") {
    // Length 12, padding 10, SSH_MSG_IGNORE.
    const std::string ignore = std::string("\0\0\0\x0c\x0a\x02", 6) + std::string(10, '\0');
    FakeServer server([&](int client) {
      FakeServer::say(client, "SSH-2.0-evil\r\n");
      while (FakeServer::say(client, ignore)) {
      }
    });
    CHECK(caller.fails("127.0.0.1", server.port, 30000, false).code() == Code::kUnavailable);
  }
  SUBCASE("and waits after the banner") {
    FakeServer server([](int client) {
      FakeServer::say(client, "SSH-2.0-evil\r\n");
      FakeServer::waitForEnd(client);
    });
    CHECK(caller.fails("127.0.0.1", server.port, 300, false).code() == Code::kDeadlineExceeded);
  }
}

TEST_CASE("what stands in for an ssh server is seen by the probe") {
  Caller caller;
  FakeServer server([](int client) {
    FakeServer::say(client, "SS");
    FakeServer::say(client, "H-2.0-x\r\n");
  });
  CHECK(caller.host->probeBanner("127.0.0.1", server.port, 2000).ok());
}
