// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.h"
#include "plugin_host/session_cache.h"
#include "rfc7515_keys.h"
#include "services_rig.h"
#include "support/fake_clock.h"
#include "vcp/plugin/cpp/session.h"

using namespace vcc;
using test::ServicesRig;
using test::TestCall;
using vcp::plugin::Session;
using vcp::plugin::SessionValue;

namespace {

/// Lets a test wait until something has happened on other threads.
class Counter {
 public:
  void add() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }
  void await(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// A miss, that is a claim.
bool misses(SessionCache& cache, const std::string& scope, const std::string& key, const void* claimer) {
  return cache.get(scope, key, claimer, [] { return true; }).status().code() == Code::kNotFound;
}

std::string valueOf(SessionCache& cache, const std::string& scope, const std::string& key, const void* claimer) {
  const Result<SecretString> found = cache.get(scope, key, claimer, [] { return true; });
  return found.ok() ? found->reveal() : std::string(codeName(found.status().code()));
}

const int kCallA = 0;
const int kCallB = 0;

std::int32_t rawGet(const vcp_session_t* session, const vcp_call_t* call, std::string* value = nullptr) {
  vcp::plugin::detail::TextTaker taken;
  const std::int32_t code = session->get(session, call, toAbi("token"), taken.sink());
  if (value != nullptr) *value = taken.take();
  return code;
}

}  // namespace

TEST_CASE("session cache: put, get, expiry, drop") {
  test::FakeClock clock;
  SessionCache cache(clock);
  CHECK(misses(cache, "s", "k", &kCallA));
  CHECK(misses(cache, "s", "k", &kCallA));  // its own claim does not block it
  CHECK(valueOf(cache, "s", "k", &kCallB) == "CANCELLED");
  cache.put("s", "k", SecretString("v1"), 1000);
  CHECK(valueOf(cache, "s", "k", &kCallB) == "v1");
  CHECK(misses(cache, "t", "k", &kCallB));
  CHECK(misses(cache, "s", "l", &kCallB));

  cache.put("s", "k", SecretString("v2"), 1000);
  cache.drop("s", "k", "v1", &kCallA);
  CHECK(valueOf(cache, "s", "k", &kCallA) == "v2");
  cache.drop("s", "k", "v2", &kCallA);
  CHECK(misses(cache, "s", "k", &kCallA));

  cache.put("s", "k", SecretString("v3"), 1000);
  clock.advance(999);
  CHECK(valueOf(cache, "s", "k", &kCallA) == "v3");
  clock.advance(1);
  CHECK(misses(cache, "s", "k", &kCallA));
  cache.put("s", "k", SecretString("v4"), 10 * SessionCache::kMaxTtlMs);
  clock.advance(SessionCache::kMaxTtlMs);
  CHECK(misses(cache, "s", "k", &kCallA));
  cache.drop("s", "k", "", &kCallA);
  cache.drop("s", "nothing", "", &kCallA);
}

TEST_CASE("session cache: the least used goes when there are too many, or too much") {
  test::FakeClock clock;
  SessionCache cache(clock, {.values = 3, .bytes = 100, .claims_per_call = 4});
  for (const char* key : {"1", "2", "3"}) cache.put("s", key, SecretString(key), 1000);
  CHECK(valueOf(cache, "s", "1", &kCallA) == "1");
  cache.put("s", "4", SecretString("4"), 1000);
  CHECK(misses(cache, "s", "2", &kCallA));
  CHECK(valueOf(cache, "s", "1", &kCallA) == "1");
  cache.put("s", "5", SecretString(std::string(99, 'x')), 1000);
  CHECK(valueOf(cache, "s", "1", &kCallA) == "1");
  CHECK(misses(cache, "s", "3", &kCallA));
  CHECK(misses(cache, "s", "4", &kCallA));
  cache.put("s", "6", SecretString(std::string(101, 'x')), 1000);
  CHECK(misses(cache, "s", "6", &kCallA));  // more than there is room for
  CHECK(valueOf(cache, "s", "7", &kCallA) == "RESOURCE_EXHAUSTED");

  // A claim is never put out, and what is over makes room before what is not.
  cache.endCall(&kCallA);
  CHECK(misses(cache, "s", "claimed", &kCallA));
  cache.put("s", "short", SecretString("v"), 1);
  cache.put("s", "a", SecretString("a"), 1000);
  cache.put("s", "b", SecretString("b"), 1000);
  clock.advance(1);
  cache.put("s", "c", SecretString("c"), 1000);
  for (const char* key : {"a", "b", "c"}) CHECK(valueOf(cache, "s", key, &kCallB) == key);
  CHECK(valueOf(cache, "s", "claimed", &kCallB) == "CANCELLED");
}

TEST_CASE("session cache: a claim ends with its call, and the next one takes it") {
  test::FakeClock clock;
  SessionCache cache(clock, {.claims_per_call = 2});
  CHECK(misses(cache, "s", "k", &kCallA));
  CHECK(misses(cache, "s", "l", &kCallA));
  CHECK(valueOf(cache, "s", "m", &kCallA) == "RESOURCE_EXHAUSTED");
  cache.drop("s", "k", "", &kCallB);  // not the claimer: nothing ends
  CHECK(valueOf(cache, "s", "k", &kCallB) == "CANCELLED");
  cache.endCall(&kCallB);
  CHECK(valueOf(cache, "s", "k", &kCallB) == "CANCELLED");
  cache.endCall(&kCallA);
  CHECK(misses(cache, "s", "k", &kCallB));
  cache.drop("s", "k", "", &kCallB);
  CHECK(misses(cache, "s", "k", &kCallA));
}

TEST_CASE("session cache: whoever waits is woken by put, and by the end of the claim") {
  test::FakeClock clock;
  SessionCache cache(clock);
  Counter waiting;
  Counter done;
  std::string given;
  Code second = Code::kOk;
  const auto stop = [&] {
    waiting.add();
    return false;
  };
  ThreadPool pool("session", 2);
  REQUIRE(misses(cache, "s", "k", &kCallA));
  pool.submit([&] {
    const Result<SecretString> value = cache.get("s", "k", &kCallB, stop);
    if (value.ok()) given = value->reveal();
    done.add();
  });
  waiting.await(1);
  cache.put("s", "k", SecretString("v"), 1000);
  done.await(1);
  CHECK(given == "v");

  REQUIRE(misses(cache, "s", "l", &kCallA));
  Counter waiting_again;
  pool.submit([&] {
    second = cache
                 .get("s", "l", &kCallB,
                      [&] {
                        waiting_again.add();
                        return false;
                      })
                 .status()
                 .code();
    done.add();
  });
  waiting_again.await(1);
  cache.endCall(&kCallA);
  done.await(2);
  CHECK(second == Code::kNotFound);
}

TEST_CASE("session: the scope is the credentials and the catalog entry") {
  ServicesRig rig;
  const Session session(rig.host);
  int made = 0;
  const auto make = [&] { return SessionValue{"token-" + std::to_string(++made), 60000}; };
  const auto get = [&](const std::string& credentials, const std::string& entry) {
    const TestCall call(rig, credentials, entry);
    return session.get(call.call(), "token", make);
  };
  CHECK(get("a", "b") == "token-1");
  CHECK(get("a", "b") == "token-1");
  CHECK(get("a", "c") == "token-2");
  CHECK(get("c", "b") == "token-3");
  CHECK(get("ab", "") == "token-4");
  CHECK(get("", "ab") == "token-5");
  CHECK(get("b", "a") == "token-6");
  CHECK(get("a", "b") == "token-1");

  // Another instance has its own.
  HostServices other({rig.clock, rig.random, rig.log}, "other");
  CallContext context = test::callFor("", "b");
  context.credentials = SecretString("a");
  const CallFrame frame(other, context);
  CHECK(Session(vcp::plugin::Host(other.table())).get(vcp::plugin::Call(frame.raw()), "token", make) == "token-7");
  CHECK(rig.log.all().find("token-") == std::string::npos);
}

TEST_CASE("session: of many calls at once one makes the value") {
  constexpr int kCalls = 16;
  ServicesRig rig;
  const Session session(rig.host);
  std::atomic<int> made{0};
  std::atomic<int> right{0};
  Counter started;
  Counter done;
  ThreadPool pool("session", kCalls);
  for (int i = 0; i < kCalls; ++i) {
    pool.submit([&] {
      const TestCall call(rig, "{\"user\":\"a\"}");
      started.add();
      const std::string value = session.get(call.call(), "token", [&] {
        started.await(kCalls);
        return SessionValue{"token-" + std::to_string(++made), 60000};
      });
      if (value == "token-1") ++right;
      done.add();
    });
  }
  done.await(kCalls);
  CHECK(made == 1);
  CHECK(right == kCalls);
}

TEST_CASE("session: when making fails the next call tries, until one succeeds") {
  constexpr int kCalls = 8;
  ServicesRig rig;
  const Session session(rig.host);
  std::atomic<int> tries{0};
  std::atomic<int> failed{0};
  std::atomic<int> got{0};
  Counter done;
  ThreadPool pool("session", kCalls);
  for (int i = 0; i < kCalls; ++i) {
    pool.submit([&] {
      const TestCall call(rig);
      try {
        session.get(call.call(), "token", [&]() -> SessionValue {
          if (++tries <= 3) {
            throw vcp::plugin::Error(vcp::plugin::Code::kUnavailable, vcp::plugin::Outcome::kNotApplied, "throttled");
          }
          return {"token", 60000};
        });
        ++got;
      } catch (const vcp::plugin::Error&) {
        ++failed;
      }
      done.add();
    });
  }
  done.await(kCalls);
  CHECK(tries == 4);
  CHECK(failed == 3);
  CHECK(got == kCalls - 3);
}

TEST_CASE("session: a call that waits ends with its cancel, its deadline, or the other call") {
  ServicesRig rig;
  const auto* session = rig.table<vcp_session_t>(VCP_SESSION_ID);
  auto maker = std::make_unique<TestCall>(rig);
  REQUIRE(rawGet(session, maker->raw()) == VCP_NOT_FOUND);

  TestCall cancelled(rig);
  TestCall heir(rig);
  Counter done;
  std::int32_t cancelled_code = -1;
  std::int32_t heir_code = -1;
  ThreadPool pool("session", 2);
  pool.submit([&] {
    cancelled_code = rawGet(session, cancelled.raw());
    done.add();
  });
  cancelled.cancelled = true;
  done.await(1);
  CHECK(cancelled_code == VCP_CANCELLED);

  pool.submit([&] {
    heir_code = rawGet(session, heir.raw());
    done.add();
  });
  maker.reset();
  done.await(2);
  CHECK(heir_code == VCP_NOT_FOUND);

  TestCall late(rig);
  std::int32_t late_code = -1;
  pool.submit([&] {
    late_code = rawGet(session, late.raw());
    done.add();
  });
  rig.clock.advance(30000);
  done.await(3);
  CHECK(late_code == VCP_DEADLINE_EXCEEDED);
}

TEST_CASE("session: bad arguments are borne") {
  ServicesRig rig;
  const auto* session = rig.table<vcp_session_t>(VCP_SESSION_ID);
  REQUIRE(session != nullptr);
  CHECK(session->struct_size == sizeof(vcp_session_t));
  const TestCall call(rig);
  const ServicesRig other_rig;
  const TestCall others_call(other_rig);
  const vcp_string_t key = toAbi("token");
  const std::string long_key(129, 'k');
  const vcp_string_t huge{"x", (std::uint64_t{256} << 10U) + 1};
  vcp::plugin::detail::TextTaker taken;
  CHECK(session->get(session, nullptr, key, taken.sink()) == VCP_INVALID_ARGUMENT);
  const vcp_call_t foreign{};
  CHECK(session->get(session, &foreign, key, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(session->get(session, others_call.raw(), key, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(session->get(session, call.raw(), {}, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(session->get(session, call.raw(), toAbi(long_key), taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(session->get(session, call.raw(), {nullptr, 5}, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(session->get(session, call.raw(), key, nullptr) == VCP_INVALID_ARGUMENT);
  CHECK(session->put(session, call.raw(), key, {}, 1) == VCP_INVALID_ARGUMENT);
  CHECK(session->put(session, call.raw(), key, huge, 1) == VCP_INVALID_ARGUMENT);
  CHECK(session->put(session, call.raw(), key, toAbi("v"), 0) == VCP_INVALID_ARGUMENT);
  CHECK(session->put(session, call.raw(), {}, toAbi("v"), 1) == VCP_INVALID_ARGUMENT);
  CHECK(session->drop(session, call.raw(), {}, {}) == VCP_INVALID_ARGUMENT);
  CHECK(session->drop(session, call.raw(), key, huge) == VCP_INVALID_ARGUMENT);
  CHECK(session->drop(session, call.raw(), key, {}) == VCP_OK);

  CHECK(session->put(session, call.raw(), key, toAbi(std::string(256 * 1024, 'x')), 1000) == VCP_OK);
  std::string value;
  CHECK(rawGet(session, call.raw(), &value) == VCP_OK);
  CHECK(value.size() == 256 * 1024);
  const vcp_text_sink_t full = test::fullSink();
  CHECK(session->get(session, call.raw(), key, &full) == VCP_OUT_OF_RANGE);
  const vcp_text_sink_t throwing = test::throwingSink();
  CHECK(session->get(session, call.raw(), key, &throwing) == VCP_INTERNAL);
  CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 1);
}

TEST_CASE("services: a plugin in C reads JSON, signs, and keeps a token") {
  test::Rig rig;
  rig.plain("uses_services");
  REQUIRE(rig.load().ok());
  Driver& driver = rig.driver("uses_services");
  const auto probe = [&](const std::string& expected, const std::string& mode) {
    std::string key;
    for (const char c : std::string(test::kRsaKey)) key += c == '\n' ? std::string("\\n") : std::string(1, c);
    CallContext call = test::callFor("", "{\"expected\":\"" + expected + "\",\"mode\":[null,\"" + mode +
                                             "\"],\"data\":\"" + test::kRs256Input + "\"}");
    call.credentials = SecretString("{\"key\":\"" + key + "\"}");
    return driver.probe(call);
  };
  const Status first = probe(test::kRs256Signature, "make");
  CAPTURE(first.toString());
  CHECK(first.ok());
  CHECK(probe(test::kRs256Signature, "make").ok());
  CHECK(rig.log.all().find("event=MADE") != std::string::npos);
  CHECK(rig.log.all().find("event=KEPT") != std::string::npos);

  // A call that leaves its claim behind does not block the next one of its scope.
  CHECK(probe(test::kRs256Signature, "leave").code() == Code::kAborted);
  CHECK(probe(test::kRs256Signature, "leave").code() == Code::kAborted);
  CHECK(probe("wrong", "make").code() == Code::kUnauthenticated);
  CHECK(rig.log.count("PLUGIN_MISBEHAVED") == 0);
  CHECK(rig.log.all().find(test::kRs256Signature) == std::string::npos);
  CHECK(rig.log.all().find("PRIVATE KEY") == std::string::npos);
}
