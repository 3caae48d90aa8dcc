// SPDX-License-Identifier: Apache-2.0
#include "engine/retry.h"

#include <doctest/doctest.h>

#include "base/random.h"

using namespace vcc;

namespace {

Status refusal(Code code, const std::string& provider_code = "", std::int64_t retry_after_ms = 0) {
  Status status(code, "refused", Outcome::kNotApplied);
  if (!provider_code.empty()) status.withProviderCode(provider_code);
  if (retry_after_ms > 0) status.withRetryAfter(retry_after_ms);
  return status;
}

}  // namespace

TEST_CASE("the class of an error comes from its code, and where that is not enough from the provider's own") {
  using enum ErrorClass;
  CHECK(errorClass(refusal(Code::kUnavailable)) == kOutage);
  CHECK(errorClass(refusal(Code::kUnavailable, "", 100)) == kThrottle);
  CHECK(errorClass(refusal(Code::kUnavailable, "Throttling.User")) == kThrottle);
  CHECK(errorClass(refusal(Code::kResourceExhausted)) == kCapacity);
  CHECK(errorClass(refusal(Code::kResourceExhausted, "InsufficientInstanceCapacity")) == kCapacity);
  CHECK(errorClass(refusal(Code::kResourceExhausted, "VcpuLimitExceeded")) == kQuota);
  CHECK(errorClass(refusal(Code::kResourceExhausted, "QuotaExceeded")) == kQuota);
  CHECK(errorClass(refusal(Code::kResourceExhausted, "limit_count_in_account")) == kQuota);
  CHECK(errorClass(refusal(Code::kResourceExhausted, "RequestLimitExceeded")) == kThrottle);
  CHECK(errorClass(refusal(Code::kUnauthenticated)) == kAuth);
  CHECK(errorClass(refusal(Code::kPermissionDenied)) == kAuth);
  CHECK(errorClass(refusal(Code::kAlreadyExists)) == kSpec);
  CHECK(errorClass(refusal(Code::kNotFound)) == kMissing);
  CHECK(errorClass(refusal(Code::kAborted)) == kConflict);
  CHECK(errorClass(refusal(Code::kDataLoss)) == kSpoilt);
  CHECK(errorClass(Status(static_cast<Code>(99), "of a later version")) == kUncertain);
}

TEST_CASE("pauses double from the class's base to its cap, with a jitter of a quarter at most") {
  SeededRandom random(3);
  const auto within = [&](const Status& error, std::int64_t failures, std::int64_t base) {
    for (int i = 0; i < 50; ++i) {
      const Retry retry = retryAfter(error, CallKind::kExisting, failures, random);
      CHECK_FALSE(retry.final);
      CHECK(retry.after_ms >= base);
      CHECK(retry.after_ms <= base + base / 4);
    }
  };
  within(refusal(Code::kUnavailable), 1, 500);
  within(refusal(Code::kUnavailable), 3, 2000);
  within(refusal(Code::kUnavailable), 1000, 60000);
  within(refusal(Code::kResourceExhausted), 1, 15000);
  within(refusal(Code::kResourceExhausted, "QuotaExceeded"), 1, 60000);
  within(refusal(Code::kResourceExhausted, "QuotaExceeded"), 9, 180000);
}

TEST_CASE("the source's own Retry-After wins when it is longer, but not for good") {
  SeededRandom random(3);
  CHECK(retryAfter(refusal(Code::kUnavailable, "", 45000), CallKind::kExisting, 1, random).after_ms == 45000);
  CHECK(retryAfter(refusal(Code::kUnavailable, "", 1), CallKind::kExisting, 4, random).after_ms >= 8000);
  CHECK(retryAfter(refusal(Code::kUnavailable, "", 1LL << 60), CallKind::kExisting, 1, random).after_ms == 3600000);
}

TEST_CASE("a create that was refused for good ends, on a machine that exists nothing does") {
  SeededRandom random(3);
  CHECK(retryAfter(refusal(Code::kUnauthenticated), CallKind::kCreate, 1, random).final);
  CHECK(retryAfter(refusal(Code::kInvalidArgument), CallKind::kCreate, 1, random).final);
  CHECK_FALSE(retryAfter(refusal(Code::kUnauthenticated), CallKind::kExisting, 1, random).final);
  CHECK_FALSE(retryAfter(refusal(Code::kResourceExhausted, "QuotaExceeded"), CallKind::kCreate, 1, random).final);
  // Without the word that nothing was done, it is looked at first.
  CHECK_FALSE(retryAfter(unauthenticated("who?"), CallKind::kCreate, 1, random).final);
}
