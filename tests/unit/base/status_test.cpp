// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <doctest/doctest.h>

using namespace vcc;

namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return invalidArgument("odd");
  return number / 2;
}

Result<int> quarter(int number) {
  VCC_ASSIGN_OR_RETURN(const int first, half(number));
  VCC_ASSIGN_OR_RETURN(const int second, half(first));
  return second;
}

Status check(int number) {
  VCC_RETURN_IF_ERROR(half(number).status());
  return okStatus();
}

}  // namespace

TEST_CASE("success carries nothing and cannot be decorated") {
  Status status;
  status.withProviderCode("X").withRetryAfter(5).prepend("p");
  CHECK(status.ok());
  CHECK(status.code() == Code::kOk);
  CHECK(status.message().empty());
  CHECK(status.providerCode().empty());
  CHECK(status.retryAfterMs() == 0);
  CHECK(status.toString() == "OK");
  CHECK(Status(Code::kOk, "ignored").ok());
}

TEST_CASE("an error keeps all its parts through copies") {
  Status status(Code::kResourceExhausted, "no room", Outcome::kNotApplied);
  status.withProviderCode("InsufficientInstanceCapacity").withRetryAfter(1500).prepend("node 3");
  Status copy = status;
  status = okStatus();
  CHECK(status.ok());
  CHECK(copy.code() == Code::kResourceExhausted);
  CHECK(copy.outcome() == Outcome::kNotApplied);
  CHECK(copy.message() == "node 3: no room");
  CHECK(copy.providerCode() == "InsufficientInstanceCapacity");
  CHECK(copy.retryAfterMs() == 1500);
  CHECK(copy.toString() == "RESOURCE_EXHAUSTED: node 3: no room");
}

TEST_CASE("every code has its own name, and a number that is none is safe") {
  for (int i = 0; i <= 16; ++i) {
    for (int k = 0; k < i; ++k) CHECK(codeName(static_cast<Code>(i)) != codeName(static_cast<Code>(k)));
  }
  CHECK(codeName(Code::kUnauthenticated) == "UNAUTHENTICATED");
  CHECK(codeName(static_cast<Code>(17)) == "UNKNOWN");
  CHECK(codeName(static_cast<Code>(-1)) == "UNKNOWN");
}

TEST_CASE("the macros return early with the status") {
  CHECK(*quarter(8) == 2);
  CHECK(quarter(6).status().code() == Code::kInvalidArgument);
  CHECK(quarter(7).status().message() == "odd");
  CHECK(check(2).ok());
  CHECK_FALSE(check(3).ok());
}
