// SPDX-License-Identifier: Apache-2.0
#include "api/guess_gate.h"

#include "api/peer_source.h"
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr std::string_view kHere = "192.0.2.1";
constexpr std::string_view kThere = "192.0.2.2";

class LineCounter final : public Logger {
 public:
  int lines = 0;
  std::string last;
  void write(Severity, std::string_view id, std::string_view text, std::initializer_list<LogField> fields) override {
    ++lines;
    last = fmt::format("{} {}", id, text);
    for (const LogField& field : fields) last += fmt::format(" {}={}", field.key, field.value);
  }
};

/// A gate that lets three wrong tokens through at once and one more each second.
struct Rig {
  FakeClock clock;
  LineCounter log;
  GuessGate gate{clock, log, {.wrong = {.burst = 3, .refill_ms = 1000}, .max_sources = 2, .max_known = 2}};

  bool open(std::string_view peer = kHere, std::string_view token = "s.guess") { return gate.check(peer, token).ok(); }
  void fail(int times, std::string_view peer = kHere) {
    for (int i = 0; i < times; ++i) gate.failed(peer, tokenHash("s.guess"));
  }
};

}  // namespace

TEST_CASE("wrong tokens close the gate for their address alone") {
  Rig rig;
  CHECK(rig.open());
  rig.fail(2);
  CHECK(rig.open());
  rig.fail(1);
  const Status refused = rig.gate.check(kHere, "s.guess");
  CHECK(refused.code() == Code::kResourceExhausted);
  CHECK(refused.retryAfterMs() == 1000);
  CHECK(contains(refused.message(), "192.0.2.1"));
  CHECK_FALSE(contains(refused.message(), "s.guess"));
  CHECK(rig.open(kThere));
}

TEST_CASE("one guess comes back after each refill, all after a whole one") {
  Rig rig;
  rig.fail(3);
  rig.clock.advance(999);
  CHECK_FALSE(rig.open());
  rig.clock.advance(1);
  CHECK(rig.open());
  rig.fail(1);
  CHECK_FALSE(rig.open());
  rig.clock.advance(3600'000);
  rig.fail(2);
  CHECK(rig.open());
  rig.fail(1);
  CHECK_FALSE(rig.open());
}

TEST_CASE("a jump of the wall clock opens nothing") {
  Rig rig;
  rig.fail(3);
  rig.clock.jump(3600'000);
  CHECK_FALSE(rig.open());
}

TEST_CASE("guesses that were under way together are waited for") {
  Rig rig;
  rig.fail(5);
  CHECK(rig.gate.check(kHere, "s.guess").retryAfterMs() == 3000);
}

TEST_CASE("a token that was right from an address passes there, and only there") {
  Rig rig;
  rig.gate.succeeded(kHere, tokenHash("s.right"));
  rig.fail(3);
  rig.fail(3, kThere);
  CHECK(rig.open(kHere, "s.right"));
  CHECK_FALSE(rig.open(kHere, "s.other"));
  CHECK_FALSE(rig.open(kThere, "s.right"));
}

TEST_CASE("a token that is revoked loses its way in, and locks nobody out for long") {
  Rig rig;
  rig.gate.succeeded(kHere, tokenHash("s.right"));
  rig.gate.failed(kHere, tokenHash("s.right"));
  rig.fail(3);
  CHECK_FALSE(rig.open(kHere, "s.right"));
  rig.fail(1000);
  CHECK(rig.gate.check(kHere, "s.new").retryAfterMs() <= 2 * 3 * 1000);
}

TEST_CASE("what an address counts as") {
  CHECK(sourceOf("192.0.2.1") != sourceOf("192.0.2.2"));
  CHECK(sourceOf("::ffff:192.0.2.1") == sourceOf("192.0.2.1"));
  CHECK(sourceOf("2001:db8:1:2::1") == sourceOf("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(sourceOf("2001:db8:1:2::1") != sourceOf("2001:db8:1:3::1"));
  CHECK(sourceOf("fe80::1%eth0") == sourceOf("fe80::2%eth1"));
  CHECK(sourceOf("no address") == "no address");
}

TEST_CASE("memory is bounded: the address and the token seen longest ago are forgotten") {
  Rig rig;
  rig.fail(3, kHere);
  rig.fail(3, kThere);
  rig.fail(1, kHere);
  rig.fail(3, "192.0.2.3");  // the third of at most two: kThere goes
  CHECK_FALSE(rig.open(kHere));
  CHECK(rig.open(kThere));

  for (const std::string_view token : {"s.one", "s.two", "s.one", "s.three"}) {
    rig.gate.succeeded(kHere, tokenHash(token));
  }
  CHECK(rig.open(kHere, "s.one"));
  CHECK_FALSE(rig.open(kHere, "s.two"));
  CHECK(rig.open(kHere, "s.three"));
}

TEST_CASE("a map of what was used lately") {
  RecentMap<int> map(2);
  map.use("a") = 1;
  map.use("b") = 2;
  CHECK(map.use("a") == 1);
  CHECK(map.find("nothing") == nullptr);
  map.use("c") = 3;
  CHECK(map.size() == 2);
  CHECK(map.find("b") == nullptr);
  REQUIRE(map.find("a") != nullptr);
  CHECK(*map.find("a") == 1);
}

TEST_CASE("the first refusal of a while is told, without the token") {
  Rig rig;
  rig.fail(3);
  CHECK(rig.log.lines == 0);
  for (int i = 0; i < 10; ++i) CHECK_FALSE(rig.open());
  CHECK(rig.log.lines == 1);
  CHECK(contains(rig.log.last, "API_GUESSES_REFUSED"));
  CHECK(contains(rig.log.last, "peer=192.0.2.1"));
  CHECK_FALSE(contains(rig.log.last, "s.guess"));
  rig.clock.advance(2999);
  rig.fail(3);
  CHECK_FALSE(rig.open());
  CHECK(rig.log.lines == 1);
  rig.clock.advance(1);
  CHECK_FALSE(rig.open());
  CHECK(rig.log.lines == 2);
}

TEST_CASE("wrong tokens end in 429 with the time to wait, right ones go on") {
  ApiRig rig;
  REQUIRE(rig.call(rig.token, "GET", "/vcs").status == 200);
  for (int i = 0; i < 30; ++i) CHECK(rig.call(fmt::format("s.wrong{}", i), "GET", "/vcs").status == 403);
  const HttpAnswer refused = rig.call("s.planted-guess", "GET", "/vcs");
  CHECK(refused.status == 429);
  CHECK(contains(refused.body, "VCPLimitException"));
  CHECK_FALSE(contains(refused.body, "s.plant"));
  REQUIRE(refused.headers.size() == 1);
  CHECK(refused.headers[0] == std::pair<std::string, std::string>{"Retry-After", "2"});
  CHECK(rig.call(rig.token, "GET", "/vcs").status == 200);
  // A right token that has never been here waits as well: whether it is right is what a guesser wants to know.
  CHECK(rig.call(rig.other, "GET", "/vcs").status == 429);
  CHECK(rig.call(rig.other, "GET", "/vcs", "", "", "192.0.2.9").status == 200);
  rig.clock.advance(2000);
  CHECK(rig.call(rig.other, "GET", "/vcs").status == 200);
}

TEST_CASE("only wrong tokens count as guesses: not their absence, nor what a role may not do") {
  ApiRig rig;
  for (int i = 0; i < 40; ++i) {
    CHECK(rig.call("", "GET", "/vcs").status == 403);
    CHECK(rig.call(rig.reader, "POST", "/vcs", "{}").status == 403);
  }
  CHECK(rig.call(rig.other, "GET", "/vcs").status == 200);
}
