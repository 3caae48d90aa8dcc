// SPDX-License-Identifier: Apache-2.0
// The two servers that tests/bench/rest.py compares: our REST API over a store in memory with so many UnitGroups and
// nodes, and Poco's own HTTPS server with a handler that answers the same bytes. Prints one line of JSON; serves until
// standard input ends. With CHANGES, so many nodes change each second, one by one. Usage: rest_server VCS NODES
// [CHANGES]
#define DOCTEST_CONFIG_IMPLEMENT
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/ThreadPool.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "api/http_server.h"
#include "bench/filled_rig.h"
#include "secrets/sealed_records.h"
#include "support/temp_dir.h"
#include "unit/api/api_rig.h"
#include "unit/api/test_certificate.h"

namespace {

using namespace vcc;

constexpr int kThreads = 256;

class Constant final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Constant(const std::string& body) : body_(body) {}
  void handleRequest(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse& response) override {
    response.setContentType("application/json");
    response.sendBuffer(body_.data(), body_.size());
  }

 private:
  const std::string& body_;
};

class ConstantFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit ConstantFactory(const std::string& body) : body_(body) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new Constant(body_);  // Poco deletes it
  }

 private:
  const std::string& body_;
};

template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n", result.status().toString());
  std::exit(1);
}

/// Changes nodes of the first UnitGroup while it lives, as those of a unit change that boots.
class Changes {
 public:
  Changes(bench::FilledRig& rig, int per_second) : rig_(rig) {
    rig.store->read([&](const ReadTx& tx) {
      tx.vcs().scan([&](const Vc& vc) {
        vcid = vc.vcid;
        return false;
      });
      tx.nodes().scan("vcid", vcid, [&](const Node& node) {
        nodes_.push_back(node.node_id);
        return true;
      });
    });
    if (per_second > 0)
      thread_ = std::thread([this, per_second] { work(std::chrono::microseconds(1000000 / per_second)); });
  }
  ~Changes() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  std::string vcid;

 private:
  void work(std::chrono::microseconds pause) {
    auto next = std::chrono::steady_clock::now();
    for (std::size_t i = 0; !over_; ++i) {
      const Status done = rig_.store->transact([&](Tx& tx) -> Status {
        Node node = *tx.nodes().find(nodes_[i % nodes_.size()]);
        node.state = node.state == State::kRunning ? State::kBooting : State::kRunning;
        return tx.nodes().put(std::move(node));
      });
      if (!done.ok()) std::abort();
      std::this_thread::sleep_until(next += pause);
    }
  }

  bench::FilledRig& rig_;
  std::vector<std::string> nodes_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  doctest::Context assertions;  // of the rig
  assertions.setAsDefaultForAssertsOutOfTestCases();
  const SystemClock clock;
  SystemRandom random;
  FdLogger log(::open("/dev/null", O_WRONLY | O_CLOEXEC), Severity::kInfo);
  const test::TempDir folder;
  test::writeCertificate(folder.file("cert.pem"), folder.file("key.pem"), 30);
  bench::FilledRig rig(std::atoi(argv[1]), std::atoi(argv[2]));
  const std::string body = rig.call(rig.token, "GET", "/vcs").body;

  HttpServerOptions options;
  options.keep_alive_requests = std::numeric_limits<int>::max();
  const auto tls = must(ServerTls::open(folder.file("cert.pem"), folder.file("key.pem"), clock, log));
  const auto ours = must(HttpServer::bindTls("127.0.0.1", 0, tls, {*rig.api, clock, random, log}, options));
  ours->start();

  Poco::Net::Context::Ptr context =
      new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, folder.file("key.pem"), folder.file("cert.pem"), "",
                             Poco::Net::Context::VERIFY_NONE);
  context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setMaxThreads(kThreads);
  params->setMaxQueued(kThreads);
  params->setMaxKeepAliveRequests(std::numeric_limits<int>::max());
  Poco::ThreadPool pool(1, kThreads);
  const Poco::Net::SecureServerSocket listening(Poco::Net::SocketAddress("127.0.0.1", 0), kThreads, context);
  Poco::Net::HTTPServer bare(new ConstantFactory(body), pool, listening, params);
  bare.start();

  const Changes changes(rig, argc == 4 ? std::atoi(argv[3]) : 0);
  fmt::print("{{\"ours\": {}, \"bare\": {}, \"token\": \"{}\", \"vcid\": \"{}\", \"bytes\": {}}}\n", ours->port(),
             bare.port(), rig.token, changes.vcid, body.size());
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  bare.stop();
  ours->stop();
  return 0;
}
