// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/clock.h"
#include "plugin_host/http1.h"
#include "plugin_host/poco_http_transport.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"
#include "unit/api/test_certificate.h"
#include "web_server.h"

using namespace vcc;
using test::answer;
using test::FakeServer;
using test::WebServer;

namespace {

struct Client {
  SystemClock clock;
  std::unique_ptr<HttpTransport> http = makePocoHttpTransport(clock, {}).value();

  Result<HttpResponse> send(const std::string& url, const std::string& method = "GET") {
    HttpRequest request;
    request.method = method;
    request.url = url;
    return http->send(request);
  }
};

void checkFailed(const Result<HttpResponse>& result, Code code, Outcome outcome) {
  REQUIRE_FALSE(result.ok());
  CAPTURE(result.status().toString());
  CHECK(result.status().code() == code);
  CHECK(result.status().outcome() == outcome);
}

/// Sends `text`, then `drop` again and again until the client has gone.
void trickle(int client, const std::string& text, const std::string& drop) {
  char buffer[4096];
  ::recv(client, buffer, sizeof buffer, 0);
  bool alive = FakeServer::say(client, text);
  while (alive) {
    pollfd wait{client, POLLIN, 0};
    alive = ::poll(&wait, 1, 20) == 0 && FakeServer::say(client, drop);
  }
}

}  // namespace

TEST_CASE("http: status, headers and body arrive; connections are kept") {
  std::string seen;
  WebServer server([&](const std::string& head, int number) {
    seen = head;
    if (number == 2) {
      return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    }
    return answer("hello", "201 Created", "X-Id: 7\r\nRetry-After: 3\r\n");
  });
  Client client;
  const Result<HttpResponse> first = client.send(server.url("/a?b=c"));
  REQUIRE(first.ok());
  CHECK(first->status == 201);
  CHECK(first->body == "hello");
  CHECK(first->retry_after_ms == 3000);
  CHECK(headerOf(first->headers, "x-id") == "7");
  CHECK(seen.starts_with("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
  CHECK(seen.find("User-Agent: occtr") != std::string::npos);
  const Result<HttpResponse> second = client.send(server.url());
  REQUIRE(second.ok());
  CHECK(second->body == "abcde");
  CHECK(server.connections == 1);
  CHECK(server.requests == 2);
}

TEST_CASE("http: a redirect is a response") {
  WebServer server(
      [](const std::string&, int) { return answer("", "302 Found", "Location: http://127.0.0.1:1/\r\n"); });
  Client client;
  const Result<HttpResponse> result = client.send(server.url());
  REQUIRE(result.ok());
  CHECK(result->status == 302);
  CHECK(server.requests == 1);
}

TEST_CASE("https: only the right authority and the right name") {
  const test::TempDir dir;
  const std::string cert = dir.file("cert.pem");
  test::writeCertificate(cert, dir.file("key.pem"), 10);
  test::writeCertificate(dir.file("other.pem"), dir.file("other-key.pem"), 10);
  WebServer server([](const std::string&, int) { return answer("safe"); }, cert, dir.file("key.pem"));
  Client client;
  HttpRequest request;
  request.url = server.url();
  request.ca_file = cert;
  for (int i = 0; i < 2; ++i) {
    const Result<HttpResponse> result = client.http->send(request);
    CAPTURE(result.status().toString());
    REQUIRE(result.ok());
    CHECK(result->body == "safe");
  }
  CHECK(server.connections == 1);

  client.http = makePocoHttpTransport(client.clock, {}).value();  // the server takes one connection at a time
  request.ca_file = dir.file("other.pem");
  checkFailed(client.http->send(request), Code::kUnavailable, Outcome::kNotApplied);
  request.ca_file.clear();
  checkFailed(client.http->send(request), Code::kUnavailable, Outcome::kNotApplied);
  request.ca_pem = "no certificate";
  checkFailed(client.http->send(request), Code::kInvalidArgument, Outcome::kNotApplied);
  request.ca_pem.clear();
  request.ca_file = cert;
  request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  checkFailed(client.http->send(request), Code::kUnavailable, Outcome::kNotApplied);
  CHECK(server.requests == 2);
}

TEST_CASE("http: too large an answer is refused, said beforehand or not") {
  WebServer server([](const std::string&, int number) {
    return number == 1 ? answer(std::string(101, 'x')) : "HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x');
  });
  Client client;
  HttpRequest request;
  request.url = server.url();
  request.max_response_bytes = 100;
  checkFailed(client.http->send(request), Code::kOutOfRange, Outcome::kUnknown);
  checkFailed(client.http->send(request), Code::kOutOfRange, Outcome::kUnknown);
}

TEST_CASE("http: an answer in drops meets the deadline of the whole call") {
  SystemClock clock;
  for (const bool in_head : {false, true}) {
    CAPTURE(in_head);
    FakeServer server([&](int client) {
      in_head ? trickle(client, "HTTP/1.1 200 OK\r\nX: ", "x")
              : trickle(client, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x");
    });
    const std::unique_ptr<HttpTransport> http = makePocoHttpTransport(clock, {}).value();
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server.port) + "/";
    request.deadline_ms = 300;
    const std::int64_t start = clock.monoMs();
    checkFailed(http->send(request), Code::kDeadlineExceeded, Outcome::kUnknown);
    CHECK(clock.monoMs() - start >= 300);
    CHECK(clock.monoMs() - start < 3000);
  }
}

TEST_CASE("http: a call that is cancelled ends soon") {
  FakeServer server([](int client) { FakeServer::waitForEnd(client); });
  Client client;
  HttpRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(server.port) + "/";
  std::atomic<int> asked{0};
  request.cancelled = [&] { return ++asked > 5; };
  checkFailed(client.http->send(request), Code::kCancelled, Outcome::kUnknown);
}

TEST_CASE("http: outcome of connections that break") {
  Client client;
  int port = 0;
  {
    FakeServer gone([](int) {});
    port = gone.port;
  }
  checkFailed(client.send("http://127.0.0.1:" + std::to_string(port) + "/", "POST"), Code::kUnavailable,
              Outcome::kNotApplied);
  FakeServer cut([](int c) {
    char buffer[4096];
    ::recv(c, buffer, sizeof buffer, 0);
    FakeServer::say(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  });
  checkFailed(client.send("http://127.0.0.1:" + std::to_string(cut.port) + "/", "POST"), Code::kUnavailable,
              Outcome::kUnknown);
  FakeServer noise([](int c) {
    char buffer[4096];
    ::recv(c, buffer, sizeof buffer, 0);
    FakeServer::say(c, "SSH-2.0-x\r\n\r\n");
  });
  checkFailed(client.send("http://127.0.0.1:" + std::to_string(noise.port) + "/"), Code::kUnavailable,
              Outcome::kUnknown);
}

TEST_CASE("http: a kept connection that turns out dead is replaced for reads only") {
  // Answers the first request of each connection, and hangs up on the second.
  WebServer server([fresh = true](const std::string&, int) mutable -> std::optional<std::string> {
    fresh = !fresh;
    return fresh ? std::nullopt : std::optional(answer("x"));
  });
  Client client;
  REQUIRE(client.send(server.url()).ok());
  const Result<HttpResponse> again = client.send(server.url());
  CAPTURE(again.status().toString());
  CHECK(again.ok());
  CHECK(server.connections == 2);
  CHECK(server.requests == 3);
  checkFailed(client.send(server.url(), "POST"), Code::kUnavailable, Outcome::kUnknown);
  CHECK(server.requests == 4);
}

TEST_CASE("http: check_address decides before anything is sent, also on kept connections") {
  WebServer server([](const std::string&, int) { return answer("x"); });
  Client client;
  REQUIRE(client.send(server.url()).ok());
  HttpRequest request;
  request.url = server.url();
  std::string asked;
  request.check_address = [&](const std::string& address) {
    asked = address;
    return permissionDenied("no");
  };
  checkFailed(client.http->send(request), Code::kPermissionDenied, Outcome::kNotApplied);
  CHECK(asked == "127.0.0.1");
  CHECK(server.requests == 1);
}

TEST_CASE("http: plain requests go through the proxy whole, https in a tunnel") {
  std::string seen;
  WebServer proxy([&](const std::string& head, int) {
    seen = head;
    return answer("", head.starts_with("CONNECT") ? "403 Forbidden" : "200 OK");
  });
  SystemClock clock;
  HttpTransportOptions options;
  options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  options.no_proxy = {".inside.test"};
  std::unique_ptr<HttpTransport> http = makePocoHttpTransport(clock, options).value();
  HttpRequest request;
  request.url = "http://cloud.test/x";
  REQUIRE(http->send(request).ok());
  CHECK(seen.starts_with("GET http://cloud.test/x HTTP/1.1\r\nHost: cloud.test\r\n"));
  http = makePocoHttpTransport(clock, options).value();
  request.url = "https://cloud.test/x";
  checkFailed(http->send(request), Code::kUnavailable, Outcome::kNotApplied);
  CHECK(seen.starts_with("CONNECT cloud.test:443 HTTP/1.1\r\n"));
  options.proxy = "https://proxy.test";
  CHECK_FALSE(makePocoHttpTransport(clock, options).ok());
}

TEST_CASE("http: requests that could be read in two ways are refused") {
  Client client;
  const auto refused = [&](const HttpRequest& request) {
    checkFailed(client.http->send(request), Code::kInvalidArgument, Outcome::kNotApplied);
  };
  HttpRequest request;
  for (const char* url : {"", "ftp://a.test/", "https://u:p@a.test/", "https://a.test/#x", "https://a b.test/",
                          "https://0x7f.1/", "https://2130706433/", "https://a.test:0/", "https://a.test:99999/",
                          "https://[::1/", "https://a..test/", "https:///x", "https://a.test/\r\nX: y"}) {
    CAPTURE(url);
    request.url = url;
    refused(request);
  }
  request.url = "http://127.0.0.1:1/";
  for (const auto& [name, value] :
       HttpHeaders{{"Host", "b"}, {"content-length", "1"}, {"X y", "1"}, {"X", "a\r\nY: b"}}) {
    request.headers = {{name, value}};
    refused(request);
  }
  request.headers.clear();
  request.method = "CONNECT";
  refused(request);
}

TEST_CASE("http1: what is no proper response") {
  for (const char* text : {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 101 Switch\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CAPTURE(text);
    CHECK(ResponseParser("GET", 100).feed(text).code() == Code::kDataLoss);
  }
  ResponseParser bytewise("GET", 100);
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: x\r\n\r\n";
  for (const char c : text) REQUIRE(bytewise.feed({&c, 1}).ok());
  CHECK(bytewise.isDone());
  CHECK(bytewise.keepsAlive());
  CHECK(bytewise.take().body == "ab");
  ResponseParser head("HEAD", 100);
  REQUIRE(head.feed("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").ok());
  CHECK(head.isDone());
}

TEST_CASE("http1: Retry-After in both forms") {
  const test::FakeClock clock(1'700'000'000'000);  // Tue, 14 Nov 2023 22:13:20 GMT
  CHECK(retryAfterMs("120", clock) == 120'000);
  CHECK(retryAfterMs("99999999", clock) == 3'600'000);
  CHECK(retryAfterMs("Tue, 14 Nov 2023 22:13:50 GMT", clock) == 30'000);
  CHECK(retryAfterMs("Tue, 14 Nov 2023 22:13:00 GMT", clock) == 0);
  CHECK(retryAfterMs("soon", clock) == 0);
  CHECK(retryAfterMs("-5", clock) == 0);
}
