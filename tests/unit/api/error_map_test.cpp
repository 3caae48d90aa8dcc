// SPDX-License-Identifier: Apache-2.0
#include "api/error_map.h"

#include <doctest/doctest.h>

#include "secrets/grants.h"

using namespace vcc;

namespace {
constexpr std::int64_t kNow = 1'664'292'777'000;
}

TEST_CASE("each code has its status and exception name") {
  struct Row {
    Status status;
    int http;
    const char* body;
  };
  const Row rows[] = {
      {invalidArgument("x"), 400, R"({"message":"2022/09/27 15:32:57 UTC: VCPInvalidRequestException: x"})"},
      {unauthenticated("s.abc:token lookup is failed: permission denied"), 403,
       R"({"message":"2022/09/27 15:32:57 UTC: VCPAuthException: s.abc:token lookup is failed: permission denied"})"},
      {permissionDenied("x"), 403, R"({"message":"2022/09/27 15:32:57 UTC: VCPAuthException: x"})"},
      {notFound("x"), 404, R"({"message":"2022/09/27 15:32:57 UTC: VCPNotFoundException: x"})"},
      {alreadyExists("x"), 409, R"({"message":"2022/09/27 15:32:57 UTC: VCPConflictException: x"})"},
      {failedPrecondition("x"), 409, R"({"message":"2022/09/27 15:32:57 UTC: VCPStateConflictException: x"})"},
      {resourceExhausted("x"), 429, R"({"message":"2022/09/27 15:32:57 UTC: VCPLimitException: x"})"},
      {unavailable("x"), 503, R"({"message":"2022/09/27 15:32:57 UTC: VCPUnavailableException: x"})"},
  };
  for (const Row& row : rows) {
    const HttpAnswer answer = errorAnswer(row.status, kNow, "00c0ffee");
    CHECK(answer.status == row.http);
    CHECK(answer.body == row.body);
  }
}

TEST_CASE("the text of an internal error stays inside; the request id leads to it") {
  const HttpAnswer answer = errorAnswer(internalError("secret path /etc/x"), kNow, "00c0ffee");
  CHECK(answer.status == 500);
  CHECK(answer.body.find("secret") == std::string::npos);
  CHECK(answer.body.find("00c0ffee") != std::string::npos);
}

TEST_CASE("message is a string whatever the text holds") {
  const HttpAnswer answer = errorAnswer(invalidArgument("a\"b\\c\nd\xff\x01"), kNow, "");
  CHECK(answer.body ==
        "{\"message\":\"2022/09/27 15:32:57 UTC: VCPInvalidRequestException: a\\\"b\\\\c\\nd\xEF\xBF\xBD\\u0001\"}");
  CHECK(errorAnswer(invalidArgument(std::string(1 << 20, 'x')), kNow, "").body.size() < 20000);
}

TEST_CASE("refusals of HTTP itself") {
  CHECK(errorAnswer(HttpRefusal::kMethodNotAllowed, "x", kNow).status == 405);
  CHECK(errorAnswer(HttpRefusal::kBodyTooLarge, "x", kNow).body ==
        R"({"message":"2022/09/27 15:32:57 UTC: VCPLimitException: x"})");
  CHECK(errorAnswer(HttpRefusal::kTimeout, "x", kNow).status == 408);
  CHECK(errorAnswer(HttpRefusal::kBadRequest, "x", kNow).status == 400);
  CHECK(errorAnswer(HttpRefusal::kUrlTooLong, "x", kNow).status == 414);
  CHECK(errorAnswer(HttpRefusal::kHeadTooLarge, "x", kNow).status == 431);
}

TEST_CASE("a secret that cannot be read has the exception that clients know") {
  Status status = permissionDenied("s.abc:cubbyhole/a vault read is failed: x");
  status.withProviderCode(kVaultReadFailed);
  const HttpAnswer answer = errorAnswer(status, 0, "id");
  CHECK(answer.status == 403);
  CHECK(answer.body.find("VCPVaultReadException: s.abc:cubbyhole/a vault read is failed: x") != std::string::npos);
}

TEST_CASE("a time to wait becomes Retry-After, in whole seconds") {
  const HttpAnswer told = errorAnswer(unavailable("full").withRetryAfter(1001), kNow, "id");
  CHECK(told.status == 503);
  REQUIRE(told.headers.size() == 1);
  CHECK(told.headers[0].first == "Retry-After");
  CHECK(told.headers[0].second == "2");
  CHECK(errorAnswer(unavailable("full"), kNow, "id").headers.empty());
}
