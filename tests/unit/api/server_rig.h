// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "api/http_server.h"
#include "api/tls_context.h"
#include "api_rig.h"
#include "memory_logger.h"
#include "support/temp_dir.h"
#include "test_certificate.h"

namespace vcc::test {

/// The API, with routes of the test's own that misbehave.
class Misbehaving final : public HttpHandler {
 public:
  explicit Misbehaving(HttpHandler& real) : real_(real) {}
  Admission admit(const HttpHead& head) override {
    if (head.target == "/throw/early") throw 42;
    if (head.target.rfind("/throw/", 0) != 0) return real_.admit(head);
    Admission admission;
    admission.run = [what = head.target.substr(7)](const std::string&) -> HttpAnswer {
      if (what == "int") throw 42;
      if (what == "std") throw std::runtime_error("inner secret");
      throw Poco::IllegalStateException("inner secret");
    };
    return admission;
  }
  HttpAnswer refuse(const Status& status, const std::string& request_id) const override {
    return real_.refuse(status, request_id);
  }
  HttpAnswer refuse(HttpRefusal refusal, std::string_view text) const override { return real_.refuse(refusal, text); }

 private:
  HttpHandler& real_;
};

/// Looks again and again for what threads of the server bring about.
template <typename Condition>
void waitUntil(Condition holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

struct ServerRig {
  ApiRig api;
  SystemClock clock;
  SystemRandom random;
  MemoryLogger log;
  TempDir dir;
  Misbehaving service{*api.api};
  std::unique_ptr<HttpServer> server;

  explicit ServerRig(const HttpServerOptions& options = {}) {
    writeCertificate(dir.file("c.pem"), dir.file("k.pem"), 30);
    auto tls = ServerTls::open(dir.file("c.pem"), dir.file("k.pem"), clock, log);
    REQUIRE(tls.ok());
    auto bound = HttpServer::bindTls("127.0.0.1", 0, *tls, {service, clock, random, log}, options);
    REQUIRE(bound.ok());
    server = std::move(bound).value();
    server->start();
  }

  std::string head(const std::string& method, const std::string& path, const std::string& more = "") const {
    return method + " " + kVcpPrefix + path + " HTTP/1.1\r\nHost: localhost\r\nx-vcc-access-token: " + api.token +
           "\r\nContent-Type: application/json\r\n" + more;
  }
  std::string request(const std::string& method, const std::string& path, const std::string& body = "") const {
    const bool sends = method != "GET" && method != "HEAD";
    return head(method, path, sends ? "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body : "\r\n");
  }
};

}  // namespace vcc::test
