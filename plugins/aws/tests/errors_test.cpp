// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include "rig.h"

using namespace ec2_test;

namespace {

HttpResponse response(int status, std::string body, std::int64_t retry_after_ms = 0) {
  HttpResponse out;
  out.status = status;
  out.body = std::move(body);
  out.retry_after_ms = retry_after_ms;
  return out;
}

struct Row {
  int status;
  const char* name;
  Code code;
  Outcome outcome;
};

}  // namespace

TEST_CASE("errors: EC2's code decides, whatever the status") {
  const Row rows[] = {
      {503, "RequestLimitExceeded", Code::kUnavailable, Outcome::kNotApplied},
      {400, "Throttling", Code::kUnavailable, Outcome::kNotApplied},
      {503, "EC2ThrottledException", Code::kUnavailable, Outcome::kNotApplied},
      {500, "InsufficientInstanceCapacity", Code::kResourceExhausted, Outcome::kNotApplied},
      {500, "UnfulfillableCapacity", Code::kResourceExhausted, Outcome::kNotApplied},
      {400, "SpotMaxPriceTooLow", Code::kResourceExhausted, Outcome::kNotApplied},
      {400, "InsufficientFreeAddressesInSubnet", Code::kResourceExhausted, Outcome::kNotApplied},
      {400, "Unsupported", Code::kInvalidArgument, Outcome::kNotApplied},
      {400, "InstanceLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied},
      {400, "VcpuLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied},
      {400, "MaxSpotInstanceCountExceeded", Code::kResourceExhausted, Outcome::kNotApplied},
      {400, "VolumeLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied},
      {401, "AuthFailure", Code::kUnauthenticated, Outcome::kNotApplied},
      {400, "AuthFailure", Code::kUnauthenticated, Outcome::kNotApplied},
      {403, "SignatureDoesNotMatch", Code::kUnauthenticated, Outcome::kNotApplied},
      {400, "RequestExpired", Code::kUnauthenticated, Outcome::kNotApplied},
      {403, "InvalidClientTokenId", Code::kUnauthenticated, Outcome::kNotApplied},
      {403, "UnauthorizedOperation", Code::kPermissionDenied, Outcome::kNotApplied},
      {403, "OptInRequired", Code::kPermissionDenied, Outcome::kNotApplied},
      {400, "IdempotentParameterMismatch", Code::kAlreadyExists, Outcome::kApplied},
      {400, "InvalidIPAddress.InUse", Code::kAlreadyExists, Outcome::kNotApplied},
      {400, "InvalidInstanceID.NotFound", Code::kNotFound, Outcome::kNotApplied},
      {400, "InvalidSubnetID.NotFound", Code::kNotFound, Outcome::kNotApplied},
      {400, "InvalidParameterValue", Code::kInvalidArgument, Outcome::kNotApplied},
      {400, "MissingParameter", Code::kInvalidArgument, Outcome::kNotApplied},
      {400, "NobodyHasHeardOfThis", Code::kInvalidArgument, Outcome::kNotApplied},
      {500, "NobodyHasHeardOfThis", Code::kUnavailable, Outcome::kUnknown},
      {500, "InternalError", Code::kUnavailable, Outcome::kUnknown},
      {503, "ServiceUnavailable", Code::kUnavailable, Outcome::kUnknown},
      {400, "IncorrectInstanceState", Code::kFailedPrecondition, Outcome::kNotApplied},
      {400, "VolumeInUse", Code::kFailedPrecondition, Outcome::kNotApplied},
      {400, "UnsupportedOperation", Code::kUnimplemented, Outcome::kNotApplied},
      {400, "ConcurrentTagAccess", Code::kAborted, Outcome::kNotApplied},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.status);
    const Error error = ec2::refusal(response(row.status, errorXml(row.name)), "RunInstances");
    CHECK(error.code() == row.code);
    CHECK(error.outcome() == row.outcome);
    CHECK(error.providerCode() == row.name);
    CHECK(error.requestId() == "req-7");
    CHECK(error.message().find(std::string("RunInstances: EC2 answered ") + row.name + ": words") == 0);
  }
}

TEST_CASE("errors: a body that is no EC2 error is judged by the status") {
  const Row rows[] = {
      {500, "", Code::kUnavailable, Outcome::kUnknown},         {502, "", Code::kUnavailable, Outcome::kUnknown},
      {504, "", Code::kUnavailable, Outcome::kUnknown},         {401, "", Code::kUnauthenticated, Outcome::kNotApplied},
      {403, "", Code::kPermissionDenied, Outcome::kNotApplied}, {404, "", Code::kUnavailable, Outcome::kNotApplied},
      {409, "", Code::kAborted, Outcome::kNotApplied},          {429, "", Code::kUnavailable, Outcome::kNotApplied},
      {302, "", Code::kUnavailable, Outcome::kNotApplied},      {400, "", Code::kUnavailable, Outcome::kNotApplied},
  };
  for (const char* body : {"", "<html><body>oops</body></html>", "{\"error\":1}", "<Response><Err", "\xFF\xFE"}) {
    for (const Row& row : rows) {
      CAPTURE(body);
      CAPTURE(row.status);
      const Error error = ec2::refusal(response(row.status, body, 7000), "RunInstances");
      CHECK(error.code() == row.code);
      CHECK(error.outcome() == row.outcome);
      CHECK(error.retryAfterMs() == 7000);
      CHECK(error.message().find("oops") == std::string::npos);
    }
  }
}

TEST_CASE("errors: the page of base64 behind a missing right is left out") {
  const std::string words = "You are not authorized. Encoded authorization failure message: AAAABBBBCCCC";
  const Error error = ec2::refusal(response(403, errorXml("UnauthorizedOperation", words)), "RunInstances");
  CHECK(error.message().find("You are not authorized.") != std::string::npos);
  CHECK(error.message().find("AAAA") == std::string::npos);
}

TEST_CASE("errors: ids in words") {
  const std::string two = "The instance IDs 'i-0a1b, i-00ff' do not exist";
  CHECK(ec2::idsIn(two, "i-") == std::vector<std::string>{"i-0a1b", "i-00ff"});
  CHECK(ec2::idsIn("ami-0a1b vi-22", "i-").empty());
  CHECK(ec2::idsIn("", "i-").empty());
  CHECK(ec2::isAbsent(ec2::refusal(response(400, errorXml("InvalidVolume.NotFound")), "x")));
  CHECK_FALSE(ec2::isAbsent(ec2::refusal(response(404, "<html/>"), "x")));
}
