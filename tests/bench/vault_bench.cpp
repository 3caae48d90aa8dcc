// SPDX-License-Identifier: Apache-2.0
// What a user's key costs over the wire: reads and writes of one cubbyhole path on one keep-alive TLS connection,
// against Poco's own HTTPS server with a handler that answers a constant. Client and servers share this process and its
// cores. Usage: vault_bench [FOLDER]; writes are synced to the disk that FOLDER lies on.
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/NullStream.h>
#include <Poco/StreamCopier.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/auth.h"
#include "api/http_server.h"
#include "api/tls_context.h"
#include "api/vault/vault_service.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "store/open_store.h"
#include "support/temp_dir.h"
#include "unit/api/test_certificate.h"

namespace {

using namespace vcc;

constexpr std::int64_t kRunMs = 1000;
constexpr int kRounds = 5;
constexpr int kNoLimit = std::numeric_limits<int>::max();
const std::string kBody = R"({"value":"AKIAIOSFODNN7EXAMPLE"})";

void must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", status.toString());
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  must(result.status());
  return std::move(result).value();
}

class Constant final : public Poco::Net::HTTPRequestHandler {
 public:
  void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override {
    Poco::NullOutputStream nowhere;
    Poco::StreamCopier::copyStream(request.stream(), nowhere);
    response.setContentType("application/json");
    response.sendBuffer(kBody.data(), kBody.size());
  }
};

class ConstantFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new Constant;  // Poco deletes it
  }
};

/// Requests per second of one connection.
double rate(const Clock& clock, int port, const std::string& token, const std::string& method, int expected) {
  const Poco::Net::Context::Ptr tls =
      new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", "", Poco::Net::Context::VERIFY_NONE);
  Poco::Net::HTTPSClientSession session("127.0.0.1", static_cast<Poco::UInt16>(port), tls);
  session.setKeepAlive(true);
  std::string received;
  std::int64_t count = 0;
  const std::int64_t begin = clock.monoMs();
  while (clock.monoMs() - begin < kRunMs) {
    Poco::Net::HTTPRequest request(method, "/v1/cubbyhole/aws/access_key", "HTTP/1.1");
    request.set("X-Vault-Token", token);
    const bool writes = method == "POST";
    if (writes) request.setContentLength64(static_cast<Poco::Int64>(kBody.size()));
    std::ostream& out = session.sendRequest(request);
    if (writes) out << kBody << std::flush;
    Poco::Net::HTTPResponse response;
    received.clear();
    Poco::StreamCopier::copyToString(session.receiveResponse(response), received);
    if (response.getStatus() != expected) must(internalError(fmt::format("status {}", int{response.getStatus()})));
    ++count;
  }
  return static_cast<double>(count) * 1e3 / static_cast<double>(clock.monoMs() - begin);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The Vault-shaped API over a store.
class Vault {
 public:
  Vault(std::unique_ptr<Store> store, const std::shared_ptr<ServerTls>& tls, const Clock& clock, Random& random,
        Logger& log)
      : store_(std::move(store)),
        sealer_(SecretString(std::string(32, 'k')), random),
        secrets_(*store_, sealer_),
        doorkeeper_(*store_, clock, log),
        service_(VaultSeams{
            *store_, secrets_,
            [this](const std::string& peer, const std::string& token) { return doorkeeper_.authenticate(peer, token); },
            clock, random, log, "bench"}) {
    must(ensureNobody(*store_));
    token_ = must(createToken(*store_, random, NewToken{}));
    HttpServerOptions options;
    options.keep_alive_requests = kNoLimit;
    server_ = must(HttpServer::bindTls("127.0.0.1", 0, tls, {service_, clock, random, log}, options));
    server_->start();
  }

  int port() const { return server_->port(); }
  const std::string& token() const { return token_.reveal(); }

 private:
  std::unique_ptr<Store> store_;
  Sealer sealer_;
  SecretStore secrets_;
  Doorkeeper doorkeeper_;
  VaultService service_;
  SecretString token_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace

int main(int argc, char** argv) {
  const SystemClock clock;
  SystemRandom random;
  FdLogger log(::open("/dev/null", O_WRONLY | O_CLOEXEC), Severity::kInfo);
  const test::TempDir temporary;
  const std::string folder = argc > 1 ? std::string(argv[1]) + "/vault-bench" : temporary.file("data");
  std::filesystem::create_directories(folder);
  PosixFileSystem files;
  ThreadPool writer("store", 1);
  InlineExecutor at_once;
  test::writeCertificate(temporary.file("cert.pem"), temporary.file("key.pem"), 30);
  const auto tls = must(ServerTls::open(temporary.file("cert.pem"), temporary.file("key.pem"), clock, log));
  const Vault durable(must(openStore(folder, files, clock, writer, log)), tls, clock, random, log);
  const Vault forgetful(makeMemoryStore(clock, at_once, log), tls, clock, random, log);

  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setMaxKeepAliveRequests(kNoLimit);
  const Poco::Net::Context::Ptr bare_tls =
      new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, temporary.file("key.pem"), temporary.file("cert.pem"),
                             "", Poco::Net::Context::VERIFY_NONE);
  const Poco::Net::SecureServerSocket listening(Poco::Net::SocketAddress("127.0.0.1", 0), 64, bare_tls);
  Poco::Net::HTTPServer bare(new ConstantFactory, listening, params);
  bare.start();

  std::vector<double> bare_reads;
  std::vector<double> reads;
  std::vector<double> bare_writes;
  std::vector<double> writes;
  std::vector<double> unsynced;
  for (int round = 0; round < kRounds; ++round) {
    bare_writes.push_back(rate(clock, bare.port(), "none", "POST", 200));
    unsynced.push_back(rate(clock, forgetful.port(), forgetful.token(), "POST", 204));
    writes.push_back(rate(clock, durable.port(), durable.token(), "POST", 204));
    bare_reads.push_back(rate(clock, bare.port(), "none", "GET", 200));
    reads.push_back(rate(clock, durable.port(), durable.token(), "GET", 200));
  }
  bare.stop();
  const auto tell = [](const char* what, double one, double base) {
    fmt::print("{}: {:.0f} a second, {:.2f} of a bare Poco handler ({:.0f})\n", what, one, one / base, base);
  };
  tell("reading a key", median(reads), median(bare_reads));
  tell("writing a key without a disk", median(unsynced), median(bare_writes));
  tell("writing a key, each synced to disk", median(writes), median(bare_writes));
  return 0;
}
