// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.h"
#include "plugin_host/address_class.h"
#include "plugin_host/http_service.h"
#include "rig.h"
#include "support/fake_clock.h"
#include "web_server.h"

using namespace vcc;
using test::answer;
using test::WebServer;

namespace {

class ScriptedTransport final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    sent.push_back(request);
    if (!address.empty() && request.check_address) {
      if (const Status status = request.check_address(address); !status.ok()) return status;
    }
    return reply;
  }
  Result<HttpResponse> reply = HttpResponse{.status = 200, .body = "ok"};
  std::string address;  // what the host of the URL resolves to
  std::vector<HttpRequest> sent;

 private:
  std::mutex mutex_;
};

struct Bench {
  ScriptedTransport transport;
  test::FakeClock clock;
  test::CountingLogger log;
  std::vector<std::int64_t> waits;

  HttpService make(const std::vector<std::string>& origins, bool evaluation = false, HttpLimits limits = {}) {
    const Wait wait = [this](std::int64_t ms, const std::function<bool()>&) {
      waits.push_back(ms);
      clock.advance(ms);
      return true;
    };
    return HttpService({transport, clock, log, wait}, "cloud", OriginPolicy(origins, evaluation), limits);
  }
};

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

Code codeOf(HttpService& service, const std::string& url) {
  const Result<HttpResponse> result = service.send(get(url), "");
  if (!result.ok()) CHECK(result.status().outcome() == Outcome::kNotApplied);
  return result.status().code();
}

}  // namespace

TEST_CASE("origins: only what the administrator named") {
  Bench bench;
  HttpService service = bench.make({"https://api.cloud.test", "https://*.region.test", "https://os.test:*"});
  for (const char* url : {"https://api.cloud.test/v1", "https://API.cloud.test:443/", "https://a.b.region.test/",
                          "https://os.test:5000/v3"}) {
    CAPTURE(url);
    CHECK(codeOf(service, url) == Code::kOk);
  }
  bench.transport.sent.clear();
  for (const char* url : {"https://cloud.test/", "https://api.cloud.test:8443/", "https://region.test/",
                          "https://evilregion.test/", "http://api.cloud.test/", "https://api.cloud.test.evil.test/",
                          "https://127.0.0.1/", "https://169.254.169.254/"}) {
    CAPTURE(url);
    CHECK(codeOf(service, url) == Code::kPermissionDenied);
  }
  CHECK(codeOf(service, "https://user@api.cloud.test/") == Code::kInvalidArgument);
  CHECK(bench.transport.sent.empty());
  CHECK(bench.log.count("DRIVER_HTTP_REFUSED") == 9);
}

TEST_CASE("origins: evaluation adds plain http and near addresses, never metadata") {
  Bench bench;
  HttpService service = bench.make({"http://plain.test"}, true);
  for (const char* url : {"http://plain.test/", "http://127.0.0.1:8080/", "https://localhost/", "http://10.1.2.3/"}) {
    CAPTURE(url);
    CHECK(codeOf(service, url) == Code::kOk);
  }
  for (const char* url : {"http://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:169.254.169.254]/",
                          "https://8.8.8.8/", "http://other.test/"}) {
    CAPTURE(url);
    CHECK(codeOf(service, url) == Code::kPermissionDenied);
  }
}

TEST_CASE("origins: the address behind a name counts") {
  Bench bench;
  HttpService production = bench.make({"https://api.test", "https://*.wild.test"});
  const auto at = [&](const std::string& address, const std::string& url) {
    bench.transport.address = address;
    return codeOf(production, url);
  };
  CHECK(at("93.184.216.34", "https://api.test/") == Code::kOk);
  CHECK(at("169.254.169.254", "https://api.test/") == Code::kPermissionDenied);
  CHECK(at("fd00:ec2::254", "https://api.test/") == Code::kPermissionDenied);
  CHECK(at("127.0.0.1", "https://api.test/") == Code::kPermissionDenied);
  CHECK(at("10.0.0.1", "https://api.test/") == Code::kOk);
  CHECK(at("10.0.0.1", "https://x.wild.test/") == Code::kPermissionDenied);
}

TEST_CASE("origins: patterns that say too much or nothing") {
  for (const char* bad : {"", "api.test", "https://", "https://*", "https://*.test", "https://a.test/path",
                          "https://u@a.test", "ftp://a.test", "https://a.*.test", "https://a.test:0"}) {
    CAPTURE(bad);
    CHECK(checkOriginPattern(bad).code() == Code::kInvalidArgument);
  }
  CHECK(checkOriginPattern("https://*.a.test:*").ok());
}

TEST_CASE("addresses: classes") {
  for (const char* text :
       {"0.0.0.0", "169.254.1.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "::", "fe80::1",
        "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "nonsense"}) {
    CAPTURE(text);
    CHECK(classify(text) == AddressClass::kForbidden);
  }
  for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    CAPTURE(text);
    CHECK(classify(text) == AddressClass::kLoopback);
  }
  for (const char* text : {"10.1.1.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"}) {
    CAPTURE(text);
    CHECK(classify(text) == AddressClass::kPrivate);
  }
  for (const char* text : {"8.8.8.8", "172.32.0.1", "2001:db8::1"}) {
    CAPTURE(text);
    CHECK(classify(text) == AddressClass::kPublic);
  }
}

TEST_CASE("rate: a burst, then one after the other; accounts do not disturb each other") {
  Bench bench;
  HttpService service = bench.make({"https://a.test"}, false, {.per_second = 10, .burst = 2, .concurrency = 4});
  for (int i = 0; i < 3; ++i) REQUIRE(service.send(get("https://a.test/"), "one").ok());
  CHECK(bench.waits == std::vector<std::int64_t>{100});
  REQUIRE(service.send(get("https://a.test/"), "two").ok());
  CHECK(bench.waits.size() == 1);
}

TEST_CASE("rate: 429 with Retry-After holds back the account's next call") {
  Bench bench;
  HttpService service = bench.make({"https://a.test"});
  bench.transport.reply = HttpResponse{.status = 429, .retry_after_ms = 7000};
  REQUIRE(service.send(get("https://a.test/"), "one")->status == 429);
  bench.transport.reply = HttpResponse{.status = 200};

  HttpRequest hasty = get("https://a.test/");
  hasty.deadline_ms = 5000;
  const Result<HttpResponse> refused = service.send(hasty, "one");
  CHECK(refused.status().code() == Code::kUnavailable);
  CHECK(refused.status().outcome() == Outcome::kNotApplied);
  CHECK(refused.status().retryAfterMs() == 7000);
  CHECK(bench.transport.sent.size() == 1);

  CHECK(service.send(get("https://a.test/"), "two").ok());
  CHECK(bench.waits.empty());
  CHECK(service.send(get("https://a.test/"), "one").ok());
  CHECK(bench.waits == std::vector<std::int64_t>{7000});
  CHECK(bench.transport.sent.back().deadline_ms == 23'000);  // the wait counts
}

TEST_CASE("rate: no more requests under way than allowed") {
  AccountGate gate({.per_second = 10, .burst = 10, .concurrency = 2}, 0);
  CHECK(gate.enter(0));
  CHECK(gate.enter(0));
  CHECK_FALSE(gate.enter(0));
  gate.leave();
  CHECK(gate.enter(0));

  struct Stuck final : HttpTransport {
    Result<HttpResponse> send(const HttpRequest&) override {
      std::unique_lock<std::mutex> lock(mutex);
      ++inside;
      changed.notify_all();
      changed.wait(lock, [&] { return go; });
      return HttpResponse{.status = 200};
    }
    std::mutex mutex;
    std::condition_variable changed;
    int inside = 0;
    bool go = false;
  } stuck;
  Bench bench;
  HttpService service({stuck, bench.clock, bench.log, nullptr}, "cloud", OriginPolicy({"https://a.test"}, false),
                      {.per_second = 10, .burst = 10, .concurrency = 1});
  Thread first("first", [&] { static_cast<void>(service.send(get("https://a.test/"), "")); });
  {
    std::unique_lock<std::mutex> lock(stuck.mutex);
    stuck.changed.wait(lock, [&] { return stuck.inside == 1; });
  }
  HttpRequest second = get("https://a.test/");
  int asked = 0;
  second.cancelled = [&] { return ++asked == 2; };
  const Result<HttpResponse> result = service.send(second, "");
  CHECK(result.status().code() == Code::kCancelled);
  CHECK(result.status().outcome() == Outcome::kNotApplied);
  {
    const std::lock_guard<std::mutex> lock(stuck.mutex);
    stuck.go = true;
    CHECK(stuck.inside == 1);
  }
  stuck.changed.notify_all();
  first.join();
  CHECK(service.send(get("https://a.test/"), "").ok());
}

TEST_CASE("record: one line per call, without secrets") {
  Bench bench;
  HttpService service = bench.make({"https://a.test"});
  HttpRequest request = get("https://a.test/v1/servers?token=s3cret");
  request.method = "POST";
  request.headers = {{"Authorization", "Bearer s3cret"}};
  request.body = "{\"password\":\"s3cret\"}";
  REQUIRE(service.send(request, "s3cret-account").ok());
  bench.transport.reply = Status(Code::kUnavailable, "gone", Outcome::kUnknown);
  CHECK(service.send(request, "").status().outcome() == Outcome::kUnknown);
  CHECK(bench.log.count("DRIVER_HTTP") == 2);
  const std::string all = bench.log.all();
  CHECK(all.find("s3cret") == std::string::npos);
  CHECK(all.find("driver=cloud method=POST origin=https://a.test:443 path=/v1/servers status=200 ms=0 sent_bytes=21 "
                 "bytes=2") != std::string::npos);
  CHECK(all.find("status=UNAVAILABLE") != std::string::npos);
}

TEST_CASE("extension: a driver's request through a real plugin") {
  std::string seen;
  WebServer server([&](const std::string& head, int number) {
    seen = head;
    return answer("hello driver", number == 1 ? "200 OK" : "500 Broken");
  });
  test::Rig rig;
  rig.plain("uses_http");
  REQUIRE(rig.load().ok());
  Driver& driver = rig.driver("uses_http");
  const Status done = driver.probe(test::callFor("", server.url("/who?q=s3cret")));
  CAPTURE(done.toString());
  CHECK(done.ok());
  CHECK(seen.find("Authorization: Bearer s3cret\r\n") != std::string::npos);
  CHECK(driver.probe(test::callFor("", server.url())).code() == Code::kUnknown);

  const Status denied = driver.probe(test::callFor("", "https://elsewhere.test/"));
  CHECK(denied.code() == Code::kPermissionDenied);
  CHECK(denied.message().find("`origins`") != std::string::npos);
  CHECK(driver.probe(test::callFor("", "")).code() == Code::kInvalidArgument);
  CHECK(server.requests == 2);
  CHECK(rig.log.count("DRIVER_HTTP") == 2);
  const std::string all = rig.log.all();
  CHECK(all.find("hello driver") != std::string::npos);
  CHECK(all.find("s3cret") == std::string::npos);
}
