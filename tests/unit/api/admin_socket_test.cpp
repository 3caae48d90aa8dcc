// SPDX-License-Identifier: Apache-2.0
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

#include "api/admin/peer.h"
#include "api/http_server.h"
#include "api_rig.h"
#include "support/temp_dir.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct SocketRig {
  ApiRig api;
  SystemClock clock;
  SystemRandom random;
  NullLogger log;
  TempDir dir;
  std::unique_ptr<HttpServer> server;

  explicit SocketRig(const PeerCheck& check) {
    auto bound = HttpServer::bindUnix(dir.file("a.sock"), check, {*api.admin, clock, random, log});
    REQUIRE(bound.ok());
    server = std::move(bound).value();
    server->start();
  }

  std::string get(const std::string& path) const {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, dir.file("a.sock")));
    Poco::Net::HTTPClientSession session(socket);
    Poco::Net::HTTPRequest request("GET", path, "HTTP/1.1");
    request.set("Host", "localhost");
    session.sendRequest(request);
    Poco::Net::HTTPResponse response;
    std::string body;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), body);
    return body;
  }
};

}  // namespace

TEST_CASE("the admin API answers on its unix socket, for ourselves") {
  NullLogger log;
  const SocketRig rig(adminPeer(log));
  CHECK(contains(rig.get("/admin/v1/status"), R"("pid":17)"));
  CHECK(contains(rig.get("/vcp/v1/occtr/vcs"), "VCPNotFoundException"));
}

TEST_CASE("a refused peer gets no answer") {
  const SocketRig rig([](int) -> Result<std::string> { return permissionDenied("no"); });
  CHECK_THROWS_AS(static_cast<void>(rig.get("/admin/v1/status")), Poco::Exception);
}

TEST_CASE("a path that is too long for a unix socket says so") {
  ApiRig api;
  const SystemClock clock;
  SystemRandom random;
  NullLogger log;
  const auto bound =
      HttpServer::bindUnix("/run/" + std::string(200, 'x'), adminPeer(log), {*api.admin, clock, random, log});
  REQUIRE_FALSE(bound.ok());
  CHECK(contains(bound.status().message(), "admin_socket"));
}
