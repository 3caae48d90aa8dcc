// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/http_recording.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "plugin_host/http_redaction.h"
#include "rig.h"
#include "support/text.h"
#include "web_server.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// A transport that answers as the test says.
class Cloud final : public HttpTransport {
 public:
  std::function<Result<HttpResponse>(const HttpRequest&)> answer;
  Result<HttpResponse> send(const HttpRequest& request) override { return answer(request); }
};

HttpRequest post(const std::string& url, const std::string& body) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.body = body;
  return request;
}

const SecretString kCredentials(R"({"secret_key":"h/ush:hush"})");

/// What is written when these requests are sent.
std::string recorded(Cloud& cloud, const std::vector<HttpRequest>& requests) {
  auto out = std::make_unique<std::ostringstream>();
  std::ostringstream& text = *out;
  HttpRecorder recorder(cloud, std::move(out));
  for (const HttpRequest& request : requests) static_cast<void>(recorder.send(request));
  return text.str();
}

}  // namespace

TEST_CASE("redaction: values under secret names go, the rest stays to the byte") {
  const Scrubber none;
  CHECK(redactUrl("https://h/p?a=1&X-Amz-Signature=abc&token=t&b=2", none) ==
        "https://h/p?a=1&X-Amz-Signature=***&token=***&b=2");
  CHECK(redactUrl("https://h/p", none) == "https://h/p");
  CHECK(redactBody("grant_type=x&client_secret=abc&scope=y", none) == "grant_type=x&client_secret=***&scope=y");
  CHECK(redactBody(R"({"auth" : {"password" :  "p\"w", "user":"me"}, "list":["token"], "access_token":"t"})", none) ==
        R"({"auth" : {"password" :  "***", "user":"me"}, "list":["token"], "access_token":"***"})");
  CHECK(redactBody("<a><SessionToken>t</SessionToken><Id>i</Id></a>", none) ==
        "<a><SessionToken>***</SessionToken><Id>i</Id></a>");
  CHECK(redactBody("ClientToken=op-1&NextToken=n", none) == "ClientToken=op-1&NextToken=n");
  for (const char* broken : {"{\"password\":\"", "\"", "<token>", "<", "{\"token\": ", "\"a\\", "=", ""}) {
    CHECK(redactBody(broken, none).size() <= std::string(broken).size() + 4);
  }
  const auto headers = redactHeaders({{"Authorization", "Bearer x"}, {"X-Auth-Token", "y"}, {"Accept", "*/*"}}, none);
  CHECK(headers == HttpHeaders{{"Authorization", "***"}, {"X-Auth-Token", "***"}, {"Accept", "*/*"}});
}

TEST_CASE("recording: one line an exchange, without the secrets of the call") {
  Cloud cloud;
  cloud.answer = [](const HttpRequest& request) -> Result<HttpResponse> {
    HttpResponse response;
    response.status = 201;
    response.headers = {{"X-Subject-Token", "session"}, {"Content-Type", "text/plain"}};
    response.body = "you said " + request.body;
    return response;
  };
  HttpRequest request = post("https://h/p?key=h%2Fush%3Ahush", "the key is h/ush:hush");
  request.headers = {{"Authorization", "whatever"}, {"X-Note", "h/ush:hush"}};
  request.credentials = &kCredentials;
  const std::string text = recorded(cloud, {request, post("https://h/q", "\xFF\x01")});
  INFO(text);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  for (const char* secret : {"h/ush", "h\\/ush", "h%2Fush", "session", "whatever"}) CHECK_FALSE(contains(text, secret));
  const Result<HttpExchange> first = fromLine(text.substr(0, text.find('\n')));
  REQUIRE(first.ok());
  CHECK(first->url == "https://h/p?key=***");
  CHECK(first->body == "the key is ***");
  CHECK(first->response->status == 201);
  CHECK(first->response->body == "you said the key is ***");
  CHECK(first->response->headers[1].second == "text/plain");
  const Result<HttpExchange> second = fromLine(text.substr(text.find('\n') + 1));
  REQUIRE(second.ok());
  CHECK(second->body == "\xFF\x01");
}

TEST_CASE("replay: each exchange once, in any order; failures too") {
  Cloud cloud;
  int number = 0;
  cloud.answer = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.body == "fail") return Status(Code::kUnavailable, "no route", Outcome::kNotApplied);
    HttpResponse response;
    response.status = 200;
    response.body = std::to_string(++number);
    response.retry_after_ms = 1500;
    return response;
  };
  const std::string text = recorded(cloud, {post("https://h/a", "x"), post("https://h/a", "x"), post("https://h/b", ""),
                                            post("https://h/c", "fail")});
  auto opened = HttpReplayer::open(text);
  REQUIRE(opened.ok());
  HttpReplayer& replayer = **opened;
  CHECK(replayer.send(post("https://h/b", ""))->body == "3");
  CHECK(replayer.send(post("https://h/a", "x"))->body == "1");
  const auto second = replayer.send(post("https://h/a", "x"));
  CHECK(second->body == "2");
  CHECK(second->retry_after_ms == 1500);
  const Status failed = replayer.send(post("https://h/c", "fail")).status();
  CHECK(failed.code() == Code::kUnavailable);
  CHECK(failed.outcome() == Outcome::kNotApplied);
  CHECK(failed.message() == "no route");
  const Status end = replayer.send(post("https://h/a", "x")).status();
  CHECK(end.code() == Code::kFailedPrecondition);
  CHECK(contains(end.message(), "all of its 4 exchanges"));
}

TEST_CASE("replay: a request that was not recorded fails with its first difference") {
  Cloud cloud;
  cloud.answer = [](const HttpRequest&) -> Result<HttpResponse> { return HttpResponse{}; };
  const std::string text = recorded(cloud, {post("https://h/servers", R"({"name":"a"})")});
  const auto refused = [&](const HttpRequest& request) {
    const Status status = (*HttpReplayer::open(text))->send(request).status();
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(status.outcome() == Outcome::kNotApplied);
    return status.message();
  };
  HttpRequest get = post("https://h/servers", "");
  get.method = "GET";
  CHECK(contains(refused(get), "GET https://h/servers is not in the recording: its method is GET instead of POST"));
  CHECK(contains(refused(post("https://h/server", "")), "its URL differs at byte 16: '' instead of 's'"));
  CHECK(contains(refused(post("https://h/servers", R"({"name":"b"})")),
                 R"(its body differs at byte 9: 'b"}' instead of 'a"}')"));
}

TEST_CASE("replay: a damaged recording is refused by line and member") {
  const std::string good =
      R"({"method":"GET","url":"u","headers":[],"body":"","status":"200","response_headers":[["a","b"]],"response":"","retry_after_ms":"0"})";
  CHECK(HttpReplayer::open(good + "\n\n" + good).ok());
  const std::pair<std::string, std::string> damages[] = {{"\"GET\"", "[]"},
                                                         {"\"200\"", "\"many\""},
                                                         {R"(["a","b"])", R"(["a"])"},
                                                         {"\"headers\":[]", "\"headers\":1"},
                                                         {"\"body\":\"\"", "\"body_base64\":\"*\""},
                                                         {"\"status\"", "\"error\""},
                                                         {"{", ""}};
  for (const auto& [what, with] : damages) {
    std::string bad = good;
    bad.replace(bad.find(what), what.size(), with);
    const auto opened = HttpReplayer::open(good + "\n" + bad + "\n");
    CAPTURE(bad);
    REQUIRE_FALSE(opened.ok());
    CHECK(contains(opened.status().message(), "line 2"));
  }
}

TEST_CASE("recording and replay of a real plugin, in evaluation only") {
  Rig rig;
  std::string url;
  {
    WebServer server([](const std::string&, int) { return answer("hello"); });
    url = server.url("/v1?q=1");
    rig.provider("uses_http.yml", "record_http: talk.jsonl\n");
    REQUIRE(rig.load().ok());
    CHECK(rig.driver("uses_http").probe(callFor("", url)).ok());
  }
  rig.provider("uses_http.yml", "replay_http: talk.jsonl\n");
  REQUIRE(rig.load().ok());
  const Status other = rig.driver("uses_http").probe(callFor("", url + "2"));
  CHECK(other.code() == Code::kFailedPrecondition);
  CHECK(contains(other.message(), "its URL differs"));
  CHECK(rig.driver("uses_http").probe(callFor("", url)).ok());  // the server is gone

  rig.provider("uses_http.yml", "replay_http: none.jsonl\n");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("uses_http").driver == nullptr);
  rig.config.evaluation = false;
  rig.provider("uses_http.yml", "record_http: talk.jsonl\n");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("uses_http").refusal_id == "PROVIDER_CONFIG_BAD");
  CHECK(contains(rig.slot("uses_http").refusal.message(), "evaluation"));
}
