// SPDX-License-Identifier: Apache-2.0
// How many clients, and which, the listener bears.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>

#include "raw_client.h"
#include "server_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Every connection has both its ends in this process.
void raiseDescriptorLimit() {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
}

Poco::Net::StreamSocket connectPlain(int port) {
  return Poco::Net::StreamSocket(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)));
}

/// True when the server closes; what it sends before that is dropped.
bool endsPlain(Poco::Net::StreamSocket& socket) {
  socket.setReceiveTimeout(Poco::Timespan(20, 0));
  char buffer[1024];
  try {
    while (socket.receiveBytes(buffer, sizeof(buffer)) > 0) {
    }
  } catch (const Poco::TimeoutException&) {
    return false;
  } catch (const Poco::Exception&) {
  }
  return true;
}

/// Handlers that do not return before they are let go, and one with a large answer.
class Holding final : public HttpHandler {
 public:
  explicit Holding(HttpHandler& real) : real_(real) {}
  Admission admit(const HttpHead& head) override {
    if (head.target == "/large")
      return {"", std::nullopt, [](const std::string&) { return HttpAnswer{200, std::string(16U << 20U, 'x'), {}}; }};
    if (head.target != "/hold") return real_.admit(head);
    return {"", std::nullopt, [this](const std::string&) {
              std::unique_lock lock(mutex_);
              ++held_;
              changed_.notify_all();
              changed_.wait(lock, [this] { return open_; });
              return HttpAnswer{};
            }};
  }
  HttpAnswer refuse(const Status& status, const std::string& id) const override { return real_.refuse(status, id); }
  HttpAnswer refuse(HttpRefusal refusal, std::string_view text) const override { return real_.refuse(refusal, text); }

  void awaitHeld(int count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return held_ >= count; }));
  }
  void letGo() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  HttpHandler& real_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int held_ = 0;
  bool open_ = false;
};

HttpServerOptions few() {
  HttpServerOptions options;
  options.threads = 4;
  return options;
}

}  // namespace

TEST_CASE("500 idle connections and 50 slow ones take nothing from a new one") {
  raiseDescriptorLimit();
  ServerRig rig(few());
  std::deque<RawClient> idle;
  for (int i = 0; i < 500; ++i) {
    idle.emplace_back(rig.server->port());
    if (i % 10 == 0) REQUIRE(idle.back().ask(rig.request("GET", "/vcs")).status == 200);
  }
  std::deque<RawClient> slow;
  for (int i = 0; i < 30; ++i) {
    slow.emplace_back(rig.server->port());
    slow.back().send(i % 2 == 0 ? "G" : rig.head("POST", "/vcs", "Content-Length: 100\r\n\r\n{"));
  }
  std::vector<Poco::Net::StreamSocket> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(connectPlain(rig.server->port()));
    if (i % 2 == 0) silent.back().sendBytes("\x16\x03\x01", 3);  // the beginning of a handshake
  }
  waitUntil([&] { return rig.server->connections() == 550; });
  RawClient fresh(rig.server->port());
  CHECK(fresh.ask(rig.request("GET", "/vcs")).body == R"({"vcs":[]})");
  CHECK(idle.front().ask(rig.request("GET", "/vcs")).status == 200);
  CHECK(idle.back().ask(rig.request("GET", "/vcs")).status == 200);
  const std::string health = "GET " + std::string(kVcpPrefix) + "/health HTTP/1.1\r\nHost: x\r\n\r\n";
  slow.front().send(health.substr(1));
  CHECK(slow.front().receive(health)->status == 200);
}

TEST_CASE("handlers that wait do not keep others from being served, up to the limit of threads") {
  ServerRig rig;
  Holding holding(*rig.api.api);
  const auto bound = HttpServer::bindUnix(
      rig.dir.file("s"), [](int) -> Result<std::string> { return std::string("me"); },
      {holding, rig.clock, rig.random, rig.log}, HttpServerOptions{});
  REQUIRE(bound.ok());
  (*bound)->start();
  const auto connect = [&] {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, rig.dir.file("s")));
    return socket;
  };
  const std::string hold = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<Poco::Net::StreamSocket> held;
  for (int i = 0; i < 20; ++i) {
    held.push_back(connect());
    held.back().sendBytes(hold.data(), static_cast<int>(hold.size()));
  }
  holding.awaitHeld(20);
  Poco::Net::StreamSocket other = connect();
  const std::string health = "GET /vcp/v1/occtr/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  other.sendBytes(health.data(), static_cast<int>(health.size()));
  CHECK(endsPlain(other));
  holding.letGo();
  (*bound)->stop();
}

TEST_CASE("when there are as many connections as may be, the one idle longest makes way") {
  HttpServerOptions options = few();
  options.connections = 5;
  ServerRig rig(options);
  std::deque<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(rig.server->port());
    REQUIRE(clients.back().ask(rig.request("GET", "/vcs")).status == 200);
  }
  RawClient fresh(rig.server->port());
  CHECK(fresh.ask(rig.request("GET", "/vcs")).status == 200);
  CHECK(clients.front().closed());
  CHECK(clients.back().ask(rig.request("GET", "/vcs")).status == 200);
  CHECK(rig.server->connections() == 5);
}

TEST_CASE("when the system has no descriptor for another client, an idle one makes way") {
  ServerRig rig(few());
  std::deque<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(rig.server->port());
    REQUIRE(clients.back().ask(rig.request("GET", "/vcs")).status == 200);
  }
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit tight{static_cast<rlim_t>(next) + 1, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  RawClient fresh(rig.server->port());  // takes the last one
  CHECK(fresh.ask(rig.request("GET", "/vcs")).status == 200);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(clients.front().closed());
  CHECK(contains(rig.log.text(), "API_CONNECTIONS_FULL"));
  CHECK(clients.back().ask(rig.request("GET", "/vcs")).status == 200);
}

TEST_CASE("who comes while every connection has a request under way is turned away, and the log tells") {
  HttpServerOptions options = few();
  options.connections_per_address = 3;
  ServerRig rig(options);
  const std::string head = rig.head("PUT", "/vcs/x", "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  std::deque<RawClient> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back(rig.server->port());
    REQUIRE(busy.back().ask(head).status == 100);
  }
  waitUntil([&] {  // the worker that said 100 may not have put the connection back yet
    Poco::Net::StreamSocket extra = connectPlain(rig.server->port());
    return endsPlain(extra) && contains(rig.log.text(), "API_CONNECTIONS_FULL");
  });
  CHECK(contains(rig.log.text(), "peer=127.0.0.1 connections=3"));
  for (RawClient* const one : {&busy.front(), &busy.back()}) {
    one->send("{}");
    CHECK(one->receive(head)->status == 404);
  }
  waitUntil([&] {  // nor may the worker that answered
    try {
      return RawClient(rig.server->port()).ask(rig.request("GET", "/vcs")).status == 200;
    } catch (const Poco::Exception&) {
      return false;
    }
  });
}

TEST_CASE("clients that are too slow are told so where that makes sense, and ended") {
  HttpServerOptions options = few();
  options.head_ms = options.body_ms = options.answer_ms = options.keep_alive_ms = 500;
  ServerRig rig(options);
  Holding holding(*rig.api.api);
  const auto bound = HttpServer::bindUnix(
      rig.dir.file("s"), [](int) -> Result<std::string> { return std::string("me"); },
      {holding, rig.clock, rig.random, rig.log}, options);
  REQUIRE(bound.ok());
  (*bound)->start();
  const auto says = [&](const std::string& bytes) {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, rig.dir.file("s")));
    socket.setReceiveTimeout(Poco::Timespan(20, 0));
    if (!bytes.empty()) socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    std::string answer;
    char buffer[4096];
    for (int got = 0; (got = socket.receiveBytes(buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
    return answer;
  };
  CHECK(says("").empty());
  const std::string no_head = says("GET /vcp");
  CHECK(no_head.rfind("HTTP/1.1 408 ", 0) == 0);
  CHECK(contains(no_head, "X-Request-Id: "));
  CHECK(contains(no_head, "head of the request: it did not arrive in time"));
  const std::string no_body = says(rig.head("POST", "/vcs", "Content-Length: 5\r\n\r\n{"));
  CHECK(no_body.rfind("HTTP/1.1 408 ", 0) == 0);
  CHECK(contains(no_body, "body of the request: it did not arrive in time"));
  CHECK(says(rig.request("GET", "/vcs")).rfind("HTTP/1.1 200 ", 0) == 0);  // ended when idle
  Poco::Net::StreamSocket deaf;                                            // asks for much and takes nothing
  deaf.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, rig.dir.file("s")));
  const std::string large = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
  deaf.sendBytes(large.data(), static_cast<int>(large.size()));
  waitUntil([&] { return contains(rig.log.text(), "path=/large"); });
  waitUntil([&] { return (*bound)->connections() == 0; });
  (*bound)->stop();
}

TEST_CASE("a large answer arrives whole, in pieces as the client takes them") {
  ServerRig rig;
  Holding holding(*rig.api.api);
  auto tls = ServerTls::open(rig.dir.file("c.pem"), rig.dir.file("k.pem"), rig.clock, rig.log);
  REQUIRE(tls.ok());
  const auto bound = HttpServer::bindTls("127.0.0.1", 0, *tls, {holding, rig.clock, rig.random, rig.log}, few());
  REQUIRE(bound.ok());
  (*bound)->start();
  RawClient client((*bound)->port());
  const RawAnswer answer = client.ask("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.body == std::string(16U << 20U, 'x'));
  CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);
  (*bound)->stop();
}

TEST_CASE("readers and writers of every kind at once: kept and closed connections, slow ones, some that break off") {
  ServerRig rig;
  const std::string vc = "/vcs/" + rig.api.makeVc(rig.api.token, "g");
  constexpr int kRounds = 12;
  std::atomic<int> wrong = 0;
  const auto expect = [&](const std::optional<RawAnswer>& answer, int status) {
    if (!answer || answer->status != status) ++wrong;
  };
  const auto keeps = [&] {
    RawClient client(rig.server->port());
    for (int i = 0; i < 4 * kRounds; ++i) expect(client.ask(rig.request("GET", i % 2 == 0 ? "/vcs" : vc)), 200);
  };
  const auto closes = [&] {
    for (int i = 0; i < kRounds; ++i) {
      RawClient client(rig.server->port());
      expect(client.ask(rig.head("GET", vc, "Connection: close\r\n\r\n")), 200);
    }
  };
  const auto writes = [&](int number) {
    RawClient client(rig.server->port());
    for (int i = 0; i < kRounds; ++i) {
      const std::string name = fmt::format("u{}-{}", number, i);
      const std::string body = "{\"info\": \"" + unitCci(name, 2) + "\", \"unit_name\": \"" + name + "\"}";
      expect(client.ask(rig.request("POST", vc, body)), 202);
    }
  };
  const auto breaks = [&] {
    for (int i = 0; i < kRounds; ++i) {
      RawClient client(rig.server->port());
      client.send(i % 3 == 0   ? rig.request("GET", "/vcs")
                  : i % 3 == 1 ? "GET /vcp"
                               : rig.head("POST", vc, "Content-Length: 10\r\n\r\n{"));
    }
  };
  const auto slow = [&] {
    const std::string bytes = rig.request("GET", "/vcs");
    RawClient client(rig.server->port());
    for (const char byte : bytes) client.send(std::string(1, byte));
    expect(client.receive(bytes), 200);
  };
  {
    std::vector<Thread> threads;
    const auto run = [&](Job job) {
      threads.emplace_back("client", [&wrong, job = std::move(job)] {
        try {
          job();
        } catch (const std::exception&) {
          ++wrong;
        }
      });
    };
    for (int i = 0; i < 2; ++i) {
      run(keeps);
      run(closes);
      run([&writes, i] { writes(i); });
      run(breaks);
      run(slow);
    }
  }
  CHECK(wrong == 0);
  rig.server->stop();
  CHECK(rig.server->connections() == 0);
}
