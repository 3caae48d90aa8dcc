// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <set>
#include <type_traits>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret_string.h"

using namespace vcc;

TEST_CASE("dates are written in the form of the REST protocol") {
  CHECK(formatUtc(0).empty());
  CHECK(formatUtc(1) == "1970/01/01 00:00:00 UTC");
  CHECK(formatUtc(1795399506789) == "2026/11/23 02:05:06 UTC");
  CHECK(formatUtc(951782400000) == "2000/02/29 00:00:00 UTC");
}

TEST_CASE("the system's clocks move forward") {
  const SystemClock clock;
  const auto first = clock.monoMs();
  CHECK(clock.monoMs() >= first);
  CHECK(clock.wallMs() > 1700000000000);
}

TEST_CASE("seeded bytes repeat, differ by seed, and do not depend on the seed's neighbour") {
  SeededRandom a(1);
  SeededRandom b(1);
  SeededRandom c(2);
  const std::string first = randomHex(a, 21);
  CHECK(first.size() == 42);
  CHECK(first == randomHex(b, 21));
  CHECK(first != randomHex(c, 21));
  CHECK(first != randomHex(a, 21));
}

TEST_CASE("new ids are ids and differ") {
  SystemRandom random;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(newId(random));
  CHECK(ids.size() == 1000);
  for (const auto& id : ids) CHECK(isId(id));
  CHECK_FALSE(isId(""));
  CHECK_FALSE(isId(std::string(31, 'a')));
  CHECK_FALSE(isId(std::string(32, 'A')));
  CHECK_FALSE(isId(std::string(32, 'g')));
  CHECK_FALSE(isId(std::string(33, 'a')));
}

TEST_CASE("a secret moves without leaving itself behind") {
  for (const std::string& text : {std::string("short"), std::string(100, 'x')}) {
    SecretString a(text);
    SecretString b(std::move(a));
    CHECK(a.empty());  // NOLINT(bugprone-use-after-move): the point of the test
    CHECK(b.reveal() == text);
    SecretString c;
    c = b;
    CHECK(c.reveal() == text);
    a = std::move(c);
    CHECK(a.reveal() == text);
    CHECK(c.empty());  // NOLINT(bugprone-use-after-move)
    CHECK(a.size() == text.size());
  }
}

TEST_CASE("constant time comparison compares") {
  CHECK(constantTimeEqual("", ""));
  CHECK(constantTimeEqual("abc", "abc"));
  CHECK_FALSE(constantTimeEqual("abc", "abd"));
  CHECK_FALSE(constantTimeEqual("abc", "abcd"));
}
