// SPDX-License-Identifier: Apache-2.0
#include "api/http_head.h"

#include <doctest/doctest.h>

#include "api/body_reader.h"

using namespace vcc;

namespace {

RequestHead parsed(const std::string& lines) { return parseHead("GET /x HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n"); }

std::string faultOf(const RequestHead& head) { return head.fault ? head.fault->text : "none"; }

/// What a scanner that gets `text` one byte at a time says at the end.
HeadScan::Found scanned(const std::string& text, std::size_t& size, HttpRefusal& why, const HeadLimits& limits = {}) {
  HeadScan scan(limits);
  HeadScan::Found found = HeadScan::Found::kMore;
  for (std::size_t i = 1; i <= text.size() && found == HeadScan::Found::kMore; ++i) {
    found = scan.scan(std::string_view(text).substr(0, i));
  }
  size = scan.size();
  why = scan.fault().refusal;
  return found;
}

/// Feeds `bytes` in pieces of `piece`; the rest that was not the body's.
BodyReader::State fed(const std::string& bytes, std::size_t piece, std::string& body, std::string& rest,
                      std::size_t limit = 100) {
  BodyReader reader(kChunked, limit);
  std::string in;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    in += bytes.substr(at, piece);
    in.erase(0, reader.feed(in));
  }
  body = reader.take();
  rest = in;
  return reader.state();
}

}  // namespace

TEST_CASE("a head is what it says") {
  const RequestHead head = parseHead(
      "POST /a?b=%20 HTTP/1.1\r\nHOST: h\r\nx-VCC-Access-Token:  s.abc \r\nX-Vcc-Privileged: True\r\n"
      "Content-Length: 7\r\nExpect: 100-Continue\r\nAuthorization: Bearer hvs.1\r\nX-Vault-Wrap-TTL: 60\r\n\r\n");
  CHECK(faultOf(head) == "none");
  CHECK(head.http.method == "POST");
  CHECK(head.http.target == "/a?b=%20");
  CHECK(head.http.token == "s.abc");
  CHECK(head.http.privileged == "True");
  CHECK(head.http.vault_token == "hvs.1");
  CHECK(head.http.wrap_ttl == "60");
  CHECK(head.body_bytes == 7);
  CHECK(head.expect_continue);
  CHECK(head.keep_alive);
  CHECK(parsed("X-Vault-Token: a\r\nAuthorization: Bearer b\r\n").http.vault_token == "a");
  CHECK(parsed("X-Odd: caf\xc3\xa9\tx\r\n").fault == std::nullopt);
}

TEST_CASE("a connection is kept as version and header say") {
  CHECK(parsed("").keep_alive);
  CHECK_FALSE(parsed("Connection: close\r\n").keep_alive);
  CHECK_FALSE(parsed("Connection: Upgrade, Close\r\n").keep_alive);
  CHECK_FALSE(parsed("Connection: keep-alive\r\nConnection: close\r\n").keep_alive);
  CHECK_FALSE(parseHead("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(parseHead("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST_CASE("a head that two programs may read differently is a fault") {
  for (const char* lines : {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                            "Content-Length: 1\r\nContent-Length: 1\r\n",
                            "Content-Length: +1\r\n",
                            "Content-Length: -1\r\n",
                            "Content-Length: 0x1\r\n",
                            "Content-Length: 1, 1\r\n",
                            "Content-Length: \r\n",
                            "Content-Length: 99999999999999999999\r\n",
                            "Transfer-Encoding: gzip, chunked\r\n",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                            "Transfer-Encoding: xchunked\r\n",
                            "Transfer-Encoding : chunked\r\n",
                            "Transfer-Encoding\r\n",
                            "Content-Length : 1\r\n",
                            " Content-Length: 1\r\n",
                            "X: 1\r\n folded\r\n",
                            "Host: two\r\n",
                            "X: a\rb\r\n",
                            "X: a\x01\r\n",
                            ": empty\r\n",
                            "X Y: 1\r\n"}) {
    CAPTURE(lines);
    CHECK(parsed(lines).fault);
  }
  CHECK(parsed(std::string("X: a\0b\r\n", 8)).fault);
  for (const char* first :
       {"GET /", "GET  HTTP/1.1", "GET / HTTP/2.0", "GET / http/1.1", "GET / HTTP/1.1 ", "GET / x HTTP/1.1",
        "G(T / HTTP/1.1", " GET / HTTP/1.1", "GET /\t HTTP/1.1", "GET /\x7f HTTP/1.1", "", "GET /  HTTP/1.1"}) {
    CAPTURE(first);
    CHECK(parseHead(std::string(first) + "\r\nHost: h\r\n\r\n").fault);
  }
  CHECK(faultOf(parseHead("GET / HTTP/1.1\r\n\r\n")) == "headers of the request: Host is missing");
  CHECK(parseHead("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").fault);
}

TEST_CASE("a head ends where it ends, however it arrives") {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::size_t size = 0;
  HttpRefusal why{};
  CHECK(scanned(head + "GET", size, why) == HeadScan::Found::kEnd);
  CHECK(size == head.size());
  CHECK(scanned("GET / HTTP/1.1\r\nHost: h\r\n", size, why) == HeadScan::Found::kMore);
  CHECK(scanned("GET / HTTP/1.1\nHost: h\n\n", size, why) == HeadScan::Found::kFault);
  CHECK(why == HttpRefusal::kBadRequest);
}

TEST_CASE("heads over the limits are told apart, before their end has come") {
  std::size_t size = 0;
  HttpRefusal why{};
  CHECK(scanned("GET /" + std::string(9000, 'a'), size, why) == HeadScan::Found::kFault);
  CHECK(why == HttpRefusal::kUrlTooLong);
  CHECK(scanned("GET /" + std::string(8000, 'a') + " HTTP/1.1\r\n\r\n", size, why) == HeadScan::Found::kEnd);
  CHECK(scanned("GET / HTTP/1.1\r\nX: " + std::string(40000, 'a'), size, why) == HeadScan::Found::kFault);
  CHECK(why == HttpRefusal::kHeadTooLarge);
  std::string lines = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) lines += "X: 1\r\n";
  CHECK(scanned(lines + "\r\n", size, why) == HeadScan::Found::kEnd);
  CHECK(scanned(lines + "X: 1\r\nX: 1\r\n\r\n", size, why) == HeadScan::Found::kFault);
  CHECK(why == HttpRefusal::kHeadTooLarge);
}

TEST_CASE("chunks make a body, whatever pieces they come in, and what follows stays") {
  const std::string bytes = "5\r\nhello\r\n6;name=\"v\"\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CAPTURE(piece);
    std::string body;
    std::string rest;
    CHECK(fed(bytes, piece, body, rest) == BodyReader::State::kComplete);
    CHECK(body == "hello world");
    CHECK(rest == "GET /");
  }
}

TEST_CASE("broken chunks, and bodies over the limit") {
  std::string body;
  std::string rest;
  const std::string long_line(2000, 'x');
  for (const std::string& bytes :
       {std::string("\r\n"), std::string("x\r\n"), std::string("-1\r\n"), std::string("0x5\r\nhello\r\n"),
        std::string("5\nhello\n"), std::string("5\r\nhelloX\r\n"), std::string(" 5\r\n"), "5;" + long_line + "\r\n",
        "0\r\nX: " + long_line}) {
    CAPTURE(bytes);
    CHECK(fed(bytes, 1, body, rest) == BodyReader::State::kBroken);
  }
  CHECK(fed("65\r\n", 1, body, rest) == BodyReader::State::kTooLong);
  CHECK(fed("32\r\n" + std::string(50, 'x') + "\r\n33\r\n", 7, body, rest) == BodyReader::State::kTooLong);
  CHECK(fed("fffffffffffffffff\r\n", 1, body, rest) == BodyReader::State::kTooLong);
  CHECK(fed("64\r\n", 1, body, rest) == BodyReader::State::kMore);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 20; ++i) trailers += "X: " + std::string(500, 'x') + "\r\n";
  CHECK(fed(trailers, 100, body, rest) == BodyReader::State::kBroken);
}

TEST_CASE("a body of an announced length") {
  BodyReader reader(5, 5);
  CHECK(reader.feed("hel") == 3);
  CHECK(reader.state() == BodyReader::State::kMore);
  CHECK(reader.feed("loGET") == 2);
  CHECK(reader.state() == BodyReader::State::kComplete);
  CHECK(reader.take() == "hello");
  CHECK(BodyReader(6, 5).state() == BodyReader::State::kTooLong);
  CHECK(BodyReader(0, 5).state() == BodyReader::State::kComplete);
}
