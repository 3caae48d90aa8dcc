// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include "rig.h"

using namespace openstack_test;

namespace {

struct Row {
  int status;
  const char* body;
  Code code;
  Outcome outcome = Outcome::kNotApplied;
};

std::string nova(const char* name, const std::string& message) {
  return Json{{name, {{"code", 1}, {"message", message}}}}.dump();
}

std::string neutron(const char* type) {
  return Json{{"NeutronError", {{"type", type}, {"message", "words"}, {"detail", ""}}}}.dump();
}

Error of(int status, const std::string& body, std::int64_t retry_after_ms = 0) {
  return openstack::refusal(answer(status, body, retry_after_ms), "POST compute /servers");
}

}  // namespace

TEST_CASE("errors: Nova, Keystone and Cinder") {
  const Row rows[] = {
      {400, R"({"badRequest":{"code":400,"message":"Flavor nope could not be found."}})", Code::kInvalidArgument},
      {400, R"({"badRequest":{"code":400,"message":"Invalid volume: Volume status must be available"}})",
       Code::kFailedPrecondition},
      {400, R"({"badRequest":{"code":400,"message":"Quota exceeded for key pairs"}})", Code::kResourceExhausted},
      {401, R"({"error":{"code":401,"title":"Unauthorized","message":"requires authentication"}})",
       Code::kUnauthenticated},
      {403, R"({"forbidden":{"code":403,"message":"Quota exceeded for instances: Requested 1, but already used 1"}})",
       Code::kResourceExhausted},
      {403, R"({"forbidden":{"code":403,"message":"Maximum number of ports exceeded"}})", Code::kResourceExhausted},
      {403, R"({"forbidden":{"code":403,"message":"Policy doesn't allow it to be performed."}})",
       Code::kPermissionDenied},
      {404, R"({"itemNotFound":{"code":404,"message":"Instance x could not be found."}})", Code::kNotFound},
      {404, "<html>nothing here</html>", Code::kUnavailable},
      {405, R"({"badMethod":{"code":405,"message":"no"}})", Code::kUnimplemented},
      {406, R"({"computeFault":{"code":406,"message":"Version 2.99 is not supported"}})", Code::kUnimplemented},
      {408, "", Code::kUnavailable},
      {409, R"({"conflictingRequest":{"code":409,"message":"Cannot 'start' instance"}})", Code::kFailedPrecondition},
      {409, R"({"conflict":{"code":409,"message":"busy"}})", Code::kAborted},
      {409, "", Code::kAborted},
      {413, R"({"overLimit":{"code":413,"message":"Maximum number of volumes allowed (10) exceeded for quota"}})",
       Code::kResourceExhausted},
      {413, R"({"overLimit":{"code":413,"message":"Requested volume or snapshot exceeds allowed gigabytes quota."}})",
       Code::kResourceExhausted},
      {413, R"({"overLimit":{"code":413,"message":"This request was rate-limited."}})", Code::kUnavailable},
      {413, R"({"overLimitFault":{"code":413,"message":"Only 10 POST request(s) can be made to * every minute."}})",
       Code::kUnavailable},
      {413, "", Code::kUnavailable},
      {429, "", Code::kUnavailable},
      {422, R"({"unprocessable":{"code":422,"message":"no"}})", Code::kInvalidArgument},
      {418, R"({"teapot":{"code":418,"message":"no"}})", Code::kInvalidArgument},
      {302, "", Code::kUnavailable},
      {500, R"({"computeFault":{"code":500,"message":"Unexpected API Error."}})", Code::kUnavailable,
       Outcome::kUnknown},
      {502, "<html>", Code::kUnavailable, Outcome::kUnknown},
      {503, "", Code::kUnavailable, Outcome::kUnknown},
      {504, "", Code::kUnavailable, Outcome::kUnknown},
      {404, R"({"message":"No image found with ID x","code":"404 Not Found","title":"Not Found"})", Code::kNotFound},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    const Error error = of(row.status, row.body);
    CHECK(error.code() == row.code);
    CHECK(error.outcome() == row.outcome);
    CHECK(error.message().rfind("POST compute /servers: ", 0) == 0);
  }
}

TEST_CASE("errors: Neutron names its own") {
  const struct {
    int status;
    const char* type;
    Code code;
  } rows[] = {{409, "IpAddressAlreadyAllocated", Code::kAlreadyExists},
              {409, "IpAddressInUse", Code::kAlreadyExists},
              {409, "IpAddressGenerationFailure", Code::kResourceExhausted},
              {400, "IpAddressGenerationFailureNoMatchingSubnet", Code::kInvalidArgument},
              {503, "NoMoreNetworksException", Code::kUnavailable},
              {409, "OverQuota", Code::kResourceExhausted},
              {403, "OverQuota", Code::kResourceExhausted},
              {400, "InvalidIpForNetwork", Code::kInvalidArgument},
              {400, "InvalidIpForSubnet", Code::kInvalidArgument},
              {409, "PortInUse", Code::kFailedPrecondition},
              {409, "PortBound", Code::kFailedPrecondition},
              {404, "NetworkNotFound", Code::kNotFound},
              {404, "SubnetNotFound", Code::kNotFound},
              {404, "SecurityGroupNotFound", Code::kNotFound},
              {404, "PortNotFound", Code::kNotFound},
              {403, "PolicyNotAuthorized", Code::kPermissionDenied},
              {403, "NotAuthorized", Code::kPermissionDenied},
              {503, "MacAddressGenerationFailure", Code::kUnavailable},
              {400, "NobodyHasHeardOfThis", Code::kInvalidArgument},
              {409, "NobodyHasHeardOfThis", Code::kAborted}};
  for (const auto& row : rows) {
    CAPTURE(row.type);
    const Error error = of(row.status, neutron(row.type));
    CHECK(error.code() == row.code);
    CHECK(error.providerCode() == row.type);
  }
}

TEST_CASE("errors: what they tell besides") {
  HttpResponse response = answer(429, nova("overLimit", "slow down"), 7000);
  response.headers = {{"X-Compute-Request-Id", "req-1"}};
  const Error error = openstack::refusal(response, "GET compute /servers");
  CHECK(error.retryAfterMs() == 7000);
  CHECK(error.requestId() == "req-1");
  CHECK(error.providerCode() == "overLimit");
  CHECK(of(400, nova("badRequest", std::string(2000, 'x'))).message().size() < 500);
  CHECK(openstack::isAbsent(of(404, nova("itemNotFound", "gone"))));
  CHECK_FALSE(openstack::isAbsent(of(404, "<html>")));
  CHECK_FALSE(openstack::isAbsent(of(404, "[]")));
  CHECK(of(401, "").message().find("check user name and password") != std::string::npos);
}

TEST_CASE("errors: faults of servers") {
  const struct {
    const char* message;
    Code code;
  } rows[] = {
      {"No valid host was found. There are not enough hosts available.", Code::kResourceExhausted},
      {"Exceeded maximum number of retries. Exhausted all hosts available", Code::kResourceExhausted},
      {"Insufficient compute resources: Requested instance NUMA topology", Code::kResourceExhausted},
      {"Quota exceeded for cores", Code::kResourceExhausted},
      {"VolumeLimitExceeded: Maximum number of volumes allowed (10)", Code::kResourceExhausted},
      {"No valid backend was found", Code::kResourceExhausted},
      {"No fixed IP addresses available for network", Code::kResourceExhausted},
      {"Fixed IP address is already in use on instance", Code::kAlreadyExists},
      {"Flavor's disk is too small for requested image.", Code::kInvalidArgument},
      {"Flavor's memory is too small for requested image.", Code::kInvalidArgument},
      {"Image x is unacceptable: Image is not raw", Code::kInvalidArgument},
      {"Image x could not be found.", Code::kInvalidArgument},
      {"Build of instance x aborted: Volume y did not finish being created even after we waited 6 seconds",
       Code::kDataLoss},
      {"Binding failed for port x", Code::kDataLoss},
      {"", Code::kDataLoss},
  };
  for (const auto& row : rows) {
    CAPTURE(row.message);
    const Error fault = openstack::faultOf(row.message, 500);
    CHECK(fault.code() == row.code);
    CHECK(fault.providerCode() == "500");
    CHECK_FALSE(fault.message().empty());
  }
}
