// SPDX-License-Identifier: Apache-2.0
// The two servers that tests/bench/rest.py compares: our REST API over a store in memory with so many UnitGroups and
// nodes, and Poco's own HTTPS server with a handler that answers the same bytes. Prints one line of JSON; serves until
// standard input ends. Usage: rest_server VCS NODES
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

#include <cstdio>
#include <iostream>
#include <limits>
#include <string>

#include "api/http_server.h"
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

/// A running node with its machine.
Status addNode(Tx& tx, Random& random, const Unit& unit, int number) {
  Machine machine;
  machine.machine_id = newId(random);
  machine.vcid = unit.vcid;
  machine.unit_id = unit.unit_id;
  machine.name = "vcp-c80e43c2-" + randomHex(random, 10);
  machine.cloud_id = "i-" + randomHex(random, 9);
  machine.address = fmt::format("10.0.{}.{}", number / 250, 1 + number % 250);
  Node node;
  node.node_id = machine.node_id = newId(random);
  node.vcid = unit.vcid;
  node.unit_id = unit.unit_id;
  node.node_no = number;
  node.state = State::kRunning;
  node.machine_id = machine.machine_id;
  node.boot_at = node.container_started = 1'664'292'950'000;
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return tx.nodes().put(std::move(node));
}

Status addVc(test::ApiRig& rig, int number, int nodes) {
  return rig.store->transact([&](Tx& tx) -> Status {
    Vc vc;
    vc.vcid = newId(rig.random);
    vc.vcno = number;
    vc.name = fmt::format("group{}", number);
    vc.owner = "nobody";
    vc.created_at = 1'664'292'777'000;
    Unit unit;
    unit.unit_id = newId(rig.random);
    unit.vcid = vc.vcid;
    unit.name = "compute";
    unit.provider = unit.instance = "fake";
    unit.network = "default";
    unit.created_at = vc.created_at;
    VCC_ASSIGN_OR_RETURN(const UnitCci cci, parseUnitCci(test::unitCci("compute", nodes)));
    unit.spec = sealCci(rig.sealer, unit.unit_id, cci);
    VCC_RETURN_IF_ERROR(tx.vcs().put(vc));
    VCC_RETURN_IF_ERROR(tx.units().put(unit));
    for (int i = 1; i <= nodes; ++i) VCC_RETURN_IF_ERROR(addNode(tx, rig.random, unit, i));
    return okStatus();
  });
}

template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n", result.status().toString());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  doctest::Context assertions;  // of the rig
  assertions.setAsDefaultForAssertsOutOfTestCases();
  const SystemClock clock;
  SystemRandom random;
  FdLogger log(::open("/dev/null", O_WRONLY | O_CLOEXEC), Severity::kInfo);
  const test::TempDir folder;
  test::writeCertificate(folder.file("cert.pem"), folder.file("key.pem"), 30);
  test::ApiRig rig;
  for (int i = 1; i <= std::atoi(argv[1]); ++i) {
    if (const Status added = addVc(rig, i, std::atoi(argv[2])); !added.ok()) must(Result<int>(added));
  }
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

  fmt::print("{{\"ours\": {}, \"bare\": {}, \"token\": \"{}\", \"bytes\": {}}}\n", ours->port(), bare.port(), rig.token,
             body.size());
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  bare.stop();
  ours->stop();
  return 0;
}
