// SPDX-License-Identifier: Apache-2.0
//
// The smallest program that has what occtr needs open: a TLS listener, an SQLite session, YAML, JSON and ssh. It does
// nothing, so the memory of occtr beside it is the memory of the product. See scripts/bench.
//
// usage: skeleton SERVER_CERT SERVER_KEY DATABASE; prints its port and waits for SIGTERM.

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/Session.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/SecureServerSocket.h>
#include <fmt/format.h>
#include <libssh2.h>
#include <signal.h>
#include <yaml-cpp/yaml.h>

#include <cstdio>
#include <exception>

namespace {

class Empty final : public Poco::Net::HTTPRequestHandler {
 public:
  void handleRequest(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse& response) override {
    response.setContentType("application/json");
    response.sendBuffer("{}", 2);
  }
};

class EmptyFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new Empty;
  }
};

void run(const char* cert, const char* key, const char* database) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Poco::Net::initializeSSL();
  libssh2_init(0);
  Poco::Data::SQLite::Connector::registerConnector();
  Poco::Data::Session session("SQLite", database);
  session << "PRAGMA journal_mode=WAL", Poco::Data::Keywords::now;
  session << "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b TEXT)", Poco::Data::Keywords::now;
  YAML::Load("{a: [1, 2]}");
  Poco::JSON::Parser().parse("{\"a\": [1, 2]}");

  Poco::Net::Context::Params params;
  params.certificateFile = cert;
  params.privateKeyFile = key;
  params.verificationMode = Poco::Net::Context::VERIFY_NONE;
  const Poco::Net::Context::Ptr context(new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, params));
  Poco::Net::SecureServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0), 64, context);
  Poco::Net::HTTPServer server(new EmptyFactory, socket, new Poco::Net::HTTPServerParams);
  server.start();
  fmt::print("{}\n", server.port());
  std::fflush(stdout);
  int received = 0;
  sigwait(&signals, &received);
  server.stop();
  libssh2_exit();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: skeleton SERVER_CERT SERVER_KEY DATABASE\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "skeleton: {}\n", error.what());
    return 1;
  }
  return 0;
}
