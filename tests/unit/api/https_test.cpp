// SPDX-License-Identifier: Apache-2.0
#include "api/http_server.h"

#include <Poco/Net/StreamSocket.h>

#include <mutex>

#include "api/tls_context.h"
#include "api_rig.h"
#include "raw_client.h"
#include "support/temp_dir.h"
#include "test_certificate.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// Keeps log lines for the tests to look at.
class MemoryLogger final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view text, std::initializer_list<LogField> fields) override {
    const std::lock_guard lock(mutex_);
    text_.append(id).append(" ").append(text);
    for (const LogField& field : fields) text_.append(" ").append(field.key).append("=").append(field.value);
    text_ += '\n';
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

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
    auto tls = makeServerTls(dir.file("c.pem"), dir.file("k.pem"), clock, log);
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

}  // namespace

TEST_CASE("every route of the SDK over TLS") {
  ServerRig rig;
  const auto once = [&](const std::string& method, const std::string& path, const std::string& body = "") {
    RawClient client(rig.server->port());
    const RawAnswer answer = client.ask(rig.request(method, path, body));
    CHECK(answer.header("content-type") == "application/json");
    CHECK(answer.header("x-request-id").size() == 8);
    return answer;
  };
  for (const char* path :
       {"", "/", "/health", "/accounts/authority", "/version", "/publickey", "/vpn_catalog", "/vcs"}) {
    CAPTURE(path);
    CHECK(once("GET", path).status == 200);
  }
  const RawAnswer made = once("POST", "/vcs", "{\"cci\": \"" + vcCci("g") + "\"}");
  REQUIRE(made.status == 202);
  const std::string vc = "/vcs/" + made.body.substr(9, 32);
  CHECK(once("POST", vc, "{\"info\": \"" + unitCci("web", 2) + "\", \"unit_name\": \"web\"}").status == 202);
  const std::string unit = once("GET", vc + "/web").body;
  const std::string node = vc + "/web/" + unit.substr(unit.find("node_id") + 10, 32);
  CHECK(once("GET", node).status == 200);
  CHECK(once("GET", vc).status == 200);
  CHECK(once("PUT", vc, "{}").status == 202);
  CHECK(once("PUT", vc + "/web", R"({"ip_address_list": [], "mac_address_list": [], "num_nodes": 1})").status == 202);
  CHECK(once("PATCH", vc, R"({"owner": "nobody", "operation": "change_owner"})").status == 202);
  CHECK(once("DELETE", node, "{}").status == 202);
  CHECK(once("DELETE", vc + "/web", R"({"force": "true"})").status == 202);
  CHECK(once("DELETE", vc, R"({"force": "true"})").status == 202);
  CHECK(once("POST", "/vcs/fail", "").status == 202);
}

TEST_CASE("a connection survives errors, and answers in order") {
  ServerRig rig;
  RawClient client(rig.server->port());
  CHECK(client.ask(rig.request("GET", "/nothing")).status == 404);
  CHECK(client.ask(rig.request("POST", "/vcs", "not json")).status == 400);
  CHECK(client.ask(rig.request("DELETE", "/version", R"({"a": 1})")).status == 405);
  CHECK(client.ask("POST /vcp/v1/occtr/vcs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").status == 403);
  CHECK(client.ask(rig.head("GET", "/vcs", "Content-Length: 5\r\n\r\nhello")).status == 200);
  CHECK(client.ask(rig.request("GET", "/vcs")).body == R"({"vcs":[]})");
  CHECK(client.ask(rig.request("GET", "/throw")).status == 404);
  const RawAnswer last = client.ask(rig.head("GET", "/vcs", "Connection: close\r\n\r\n"));
  CHECK(last.status == 200);
  CHECK(client.closed());
}

TEST_CASE("HEAD has the headers of GET and no body; OPTIONS and unknown methods are told what there is") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const RawAnswer head = client.ask(rig.request("HEAD", "/vcs"), true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "10");
  CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);  // nothing was left on the line
  const RawAnswer options = client.ask(rig.request("OPTIONS", "/vcs"));
  CHECK(options.status == 200);
  CHECK(options.header("allow") == "GET, HEAD, POST, OPTIONS");
  const RawAnswer brew = client.ask(rig.request("BREW", "/vcs"));
  CHECK(brew.status == 405);
  CHECK(brew.header("allow") == "GET, HEAD, POST");
}

TEST_CASE("a handler that throws anything is a 500 with a message, and nothing of the cause leaves") {
  ServerRig rig;
  for (const char* path : {"early", "int", "std", "poco"}) {
    CAPTURE(path);
    RawClient client(rig.server->port());
    const RawAnswer answer = client.ask("GET /throw/" + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.status == 500);
    CHECK(contains(answer.body, "VCPInternalException"));
    CHECK(contains(answer.body, answer.header("x-request-id")));
    CHECK_FALSE(contains(answer.body, "secret"));
    CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);
  }
  CHECK(contains(rig.log.text(), "API_EXCEPTION"));
}

TEST_CASE("bodies over 10 MiB are 413, announced or chunked; the client gets to read it") {
  ServerRig rig;
  const std::string big(11U << 20U, 'x');
  {
    RawClient client(rig.server->port());
    const RawAnswer answer = client.ask(rig.request("POST", "/vcs", big));
    CHECK(answer.status == 413);
    CHECK(contains(answer.body, "VCPLimitException"));
    CHECK(client.closed());
  }
  {
    RawClient client(rig.server->port());
    client.send(rig.head("POST", "/vcs", "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 11; ++i) client.send("100000\r\n" + big.substr(0, 1U << 20U) + "\r\n");
    const RawAnswer answer = client.ask("0\r\n\r\n");
    CHECK(answer.status == 413);
  }
  {
    RawClient client(rig.server->port());
    CHECK(client.ask(rig.head("POST", "/vcs", "Content-Length: 20000000\r\nExpect: 100-continue\r\n\r\n")).status ==
          413);
  }
  RawClient client(rig.server->port());
  CHECK(client.ask(rig.request("POST", "/vcs", std::string(1000000, 'x'))).status == 400);
}

TEST_CASE("chunked bodies are read; the connection is closed after them") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const std::string body = "{\"cci\": \"" + vcCci("g") + "\"}";
  const RawAnswer answer = client.ask(
      rig.head("POST", "/vcs", "Transfer-Encoding: chunked\r\n\r\n") +
      fmt::format("{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 10, body.substr(0, 10), body.size() - 10, body.substr(10)));
  CHECK(answer.status == 202);
  CHECK(client.closed());
}

TEST_CASE("Expect: 100-continue is answered before the body") {
  ServerRig rig;
  RawClient client(rig.server->port());
  client.send(rig.head("PUT", "/vcs/x", "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  const auto first = client.receive();
  REQUIRE(first);
  CHECK(first->status == 100);
  CHECK(client.ask("{}").status == 404);
}

TEST_CASE("framing that two programs may read differently is refused and the connection closed") {
  ServerRig rig;
  for (const char* framing :
       {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length: -2\r\n\r\n", "Content-Length: two\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n", "Transfer-Encoding: gzip\r\n\r\n"}) {
    CAPTURE(framing);
    RawClient client(rig.server->port());
    const RawAnswer answer = client.ask(rig.head("POST", "/vcs", framing));
    CHECK(answer.status == 400);
    CHECK(answer.body.rfind("{\"message\":\"", 0) == 0);
    CHECK(client.closed());
  }
}

TEST_CASE("heads over the limits, and what is not HTTP, are 400 with a message") {
  ServerRig rig;
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  for (const std::string& bytes :
       {"GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n\r\n", rig.head("GET", "/vcs", many + "\r\n"),
        rig.head("GET", "/vcs", "X-Long: " + std::string(20000, 'a') + "\r\n\r\n")}) {
    CAPTURE(bytes.substr(0, 60));
    RawClient client(rig.server->port());
    const RawAnswer answer = client.ask(bytes);
    CHECK(answer.status == 400);
    CHECK(answer.body.rfind("{\"message\":\"", 0) == 0);
  }
  RawClient still(rig.server->port());
  CHECK(still.ask(rig.request("GET", "/vcs")).status == 200);
}

TEST_CASE("a POST without any length has no body") {
  ServerRig rig;
  RawClient client(rig.server->port());
  CHECK(client.ask(rig.head("POST", "/vcs", "\r\n")).status == 400);
  CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);
}

TEST_CASE("the log has a line per request, without tokens and bodies") {
  ServerRig rig;
  {
    RawClient client(rig.server->port());
    client.ask(rig.request("POST", "/vcs?token=" + rig.api.token, "{\"cci\": \"hunter2\"}"));
    client.ask(rig.request("GET", "/vcs"));
  }
  const std::string text = rig.log.text();
  CHECK(contains(text, "API_REQUEST"));
  CHECK(contains(text, "method=POST path=/vcp/v1/occtr/vcs status=400 ms="));
  CHECK(contains(text, "user=nobody peer=127.0.0.1"));
  CHECK_FALSE(contains(text, rig.api.token));
  CHECK_FALSE(contains(text, "hunter2"));
}

TEST_CASE("clients that speak no TLS, or say nothing, harm nobody") {
  ServerRig rig;
  const Poco::Net::SocketAddress where("127.0.0.1", static_cast<Poco::UInt16>(rig.server->port()));
  std::vector<Poco::Net::StreamSocket> silent;
  for (int i = 0; i < 20; ++i) silent.emplace_back(where);
  Poco::Net::StreamSocket plain(where);
  const std::string words = "GET / HTTP/1.1\r\n\r\n";
  plain.sendBytes(words.data(), static_cast<int>(words.size()));
  RawClient client(rig.server->port());
  CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);
}

TEST_CASE("a stop ends idle connections at once and is not held up by silent ones") {
  ServerRig rig;
  const Poco::Net::StreamSocket silent(
      Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(rig.server->port())));
  RawClient idle(rig.server->port());
  CHECK(idle.ask(rig.request("GET", "/vcs")).status == 200);
  const std::int64_t begin = rig.clock.monoMs();
  rig.server->stop();
  CHECK(rig.clock.monoMs() - begin < 4000);
  CHECK(idle.closed());
  rig.server->stop();
}

TEST_CASE("a port that is taken is an error that names it") {
  ServerRig rig;
  auto tls = makeServerTls(rig.dir.file("c.pem"), rig.dir.file("k.pem"), rig.clock, rig.log);
  REQUIRE(tls.ok());
  const auto second =
      HttpServer::bindTls("127.0.0.1", rig.server->port(), *tls, {rig.service, rig.clock, rig.random, rig.log});
  REQUIRE_FALSE(second.ok());
  CHECK(contains(second.status().message(), std::to_string(rig.server->port())));
}

TEST_CASE("certificates: missing, broken, expired, or with another key are clear errors") {
  const TempDir dir;
  const SystemClock clock;
  MemoryLogger log;
  writeCertificate(dir.file("c.pem"), dir.file("k.pem"), 3);
  writeCertificate(dir.file("c2.pem"), dir.file("k2.pem"), 30);
  writeCertificate(dir.file("old.pem"), dir.file("oldk.pem"), -1);
  const auto error = [&](const std::string& cert, const std::string& key) {
    const auto tls = makeServerTls(cert, key, clock, log);
    return tls.ok() ? std::string("ok") : tls.status().message();
  };
  CHECK(error(dir.file("c.pem"), dir.file("k.pem")) == "ok");
  CHECK(contains(log.text(), "TLS_CERTIFICATE_ENDS_SOON"));
  CHECK(contains(error("", ""), "cert_file is not set"));
  CHECK(contains(error(dir.file("none"), dir.file("k.pem")), "none: cannot be read"));
  CHECK(contains(error(dir.file("c.pem"), dir.file("none")), "key_file"));
  CHECK(contains(error(dir.file("k.pem"), dir.file("k.pem")), "no PEM certificate"));
  CHECK(contains(error(dir.file("old.pem"), dir.file("oldk.pem")), "expired"));
  CHECK(contains(error(dir.file("c.pem"), dir.file("k2.pem")), "does not fit"));
}
