// SPDX-License-Identifier: Apache-2.0
#include "api/http_server.h"

#include <Poco/Net/StreamSocket.h>

#include "raw_client.h"
#include "server_rig.h"

using namespace vcc;
using namespace vcc::test;

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
  const RawAnswer head = client.ask(rig.request("HEAD", "/vcs"));
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
    const std::string head = rig.head("POST", "/vcs", "Transfer-Encoding: chunked\r\n\r\n");
    client.send(head);
    for (int i = 0; i < 11; ++i) client.send("100000\r\n" + big.substr(0, 1U << 20U) + "\r\n");
    client.send("0\r\n\r\n");
    const auto answer = client.receive(head);
    REQUIRE(answer);
    CHECK(answer->status == 413);
  }
  {
    RawClient client(rig.server->port());
    CHECK(client.ask(rig.head("POST", "/vcs", "Content-Length: 20000000\r\nExpect: 100-continue\r\n\r\n")).status ==
          413);
  }
  RawClient client(rig.server->port());
  CHECK(client.ask(rig.request("POST", "/vcs", std::string(1000000, 'x'))).status == 400);
}

TEST_CASE("chunked bodies are read, and the connection goes on after them; broken ones are refused and end it") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const std::string body = "{\"cci\": \"" + vcCci("g") + "\"}";
  const RawAnswer answer = client.ask(
      rig.head("POST", "/vcs", "Transfer-Encoding: chunked\r\n\r\n") +
      fmt::format("{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 10, body.substr(0, 10), body.size() - 10, body.substr(10)));
  CHECK(answer.status == 202);
  CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);
  CHECK(client.ask(rig.head("POST", "/vcs", "Transfer-Encoding: chunked\r\n\r\nx\r\n")).status == 400);
  CHECK(client.closed());
}

TEST_CASE("Expect: 100-continue is answered before the body") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const std::string head = rig.head("PUT", "/vcs/x", "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.ask(head).status == 100);
  client.send("{}");
  const auto answer = client.receive(head);
  REQUIRE(answer);
  CHECK(answer->status == 404);
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

TEST_CASE("heads over the limits, and what is not HTTP, get their status and a message") {
  ServerRig rig;
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  const std::pair<std::string, int> rows[] = {
      {"GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n\r\n", 414},
      {rig.head("GET", "/vcs", many + "\r\n"), 431},
      {rig.head("GET", "/vcs", "X-Long: " + std::string(40000, 'a') + "\r\n\r\n"), 431},
      {"GET /vcp/v1/occtr HTTP/1.1\r\n\r\n", 400},
      {"GET /vcp/v1/occtr HTTP/1.1\nHost: x\n\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {std::string("\0\0\0\0\r\n\r\n", 8), 400},
      {rig.head("GET", "/vcs", "X: a\r\n b\r\n\r\n"), 400},
      {rig.head("GET", "/vcs", "Content-Length : 3\r\n\r\n"), 400},
  };
  for (const auto& [bytes, status] : rows) {
    CAPTURE(bytes.substr(0, 60));
    RawClient client(rig.server->port());
    const RawAnswer answer = client.ask(bytes);
    CHECK(answer.status == status);
    CHECK(answer.body.rfind("{\"message\":\"", 0) == 0);
    CHECK(answer.header("x-request-id").size() == 8);
    CHECK(client.closed());
  }
  RawClient still(rig.server->port());
  CHECK(still.ask(rig.request("GET", "/vcs")).status == 200);
}

TEST_CASE("requests that come together are answered in their order") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const std::pair<std::string, int> rows[] = {
      {rig.request("GET", "/nothing"), 404},
      {rig.request("POST", "/vcs", "not json"), 400},
      {rig.head("POST", "/vcs", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n") + "\r\n", 400},
      {rig.request("DELETE", "/version", "{}"), 405},
      {rig.head("GET", "/vcs", "Connection: close\r\n\r\n"), 200},
  };
  std::string together;
  for (const auto& [request, status] : rows) together += request;
  client.send(together + rig.request("GET", "/vcs"));
  for (const auto& [request, status] : rows) {
    const auto answer = client.receive(request);
    REQUIRE(answer);
    CHECK(answer->status == status);
  }
  CHECK(client.closed());
}

TEST_CASE("HTTP/1.0 gets its answer and the end of the connection, unless it asks for more") {
  ServerRig rig;
  {
    RawClient client(rig.server->port());
    CHECK(client.ask("GET /vcp/v1/occtr/health HTTP/1.0\r\n\r\n").status == 200);
    CHECK(client.closed());
  }
  RawClient client(rig.server->port());
  const RawAnswer answer = client.ask("GET /vcp/v1/occtr/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answer.header("connection") == "Keep-Alive");
  CHECK(client.ask(rig.request("GET", "/vcs")).status == 200);
}

TEST_CASE("targets that mean the same as a path, and those that mean none; never a redirect") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const std::string rest = " HTTP/1.1\r\nHost: x\r\nx-vcc-access-token: " + rig.api.token + "\r\n\r\n";
  const std::pair<const char*, int> rows[] = {
      {"https://other.example/vcp/v1/occtr/vcs", 200},
      {"/vcp/v1/occtr/%76cs", 200},
      {"/vcp/v1/occtr/vcs#part", 200},
      {"/vcp/v1/occtr/vcs/", 404},
      {"//vcp/v1/occtr/vcs", 404},
      {"/vcp/v1/occtr/vcs/..", 404},
      {"/vcp/v1/occtr/vcs/%2e%2e/vcs", 404},
      {"/vcp/v1/occtr%2fvcs", 400},
      {"/vcp/v1/occtr/vcs%00", 400},
      {"/vcp/v1/occtr/vcs%", 400},
      {"/vcp/v1/occtr/vcs%4", 400},
      {"/vcp/v1/occtr/vcs%zz", 400},
      {"/vcp/v1/occtr/%ff%fe", 400},
      {"/vcp/v1/occtr/%c0%af", 400},
      {"/vcp/v1/occtr/\xff", 400},
      {"*", 400},
      {"other.example:443", 400},
      {"vcs", 400},
  };
  for (const auto& [target, status] : rows) {
    CAPTURE(target);
    const RawAnswer answer = client.ask("GET " + std::string(target) + rest);
    CHECK(answer.status == status);
    CHECK(answer.header("content-type") == "application/json");
  }
}

TEST_CASE("a client that asks before it sends a body is told no at once, and need not send it") {
  ServerRig rig;
  RawClient client(rig.server->port());
  const RawAnswer answer =
      client.ask("POST /vcp/v1/occtr/vcs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(answer.status == 403);
  CHECK(answer.header("connection") == "Close");
  CHECK(client.closed());
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
  auto tls = ServerTls::open(rig.dir.file("c.pem"), rig.dir.file("k.pem"), rig.clock, rig.log);
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
    const auto tls = ServerTls::open(cert, key, clock, log);
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

TEST_CASE("a certificate that changes is used by later connections; a bad one changes nothing") {
  ServerRig rig;
  const auto serial = [&] { return RawClient(rig.server->port()).certificate(); };
  const std::string first = serial();
  writeCertificate(rig.dir.file("c.pem"), rig.dir.file("k.pem"), 40);
  waitUntil([&] { return serial() != first; });
  CHECK(contains(rig.log.text(), "TLS_RELOADED"));
  const std::string second = serial();
  writeCertificate(rig.dir.file("c.pem"), rig.dir.file("other.pem"), 40);
  waitUntil([&] { return contains(rig.log.text(), "TLS_RELOAD_FAILED"); });
  CHECK(serial() == second);
}

TEST_CASE("a client resumes its session on another connection") {
  ServerRig rig;
  RawClient first(rig.server->port());
  CHECK_FALSE(first.resumed());
  CHECK(first.ask(rig.request("GET", "/vcs")).status == 200);  // the ticket comes with it
  RawClient second(rig.server->port(), first.session());
  CHECK(second.resumed());
  CHECK(second.ask(rig.request("GET", "/vcs")).status == 200);
}
