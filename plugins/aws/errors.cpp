// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

#include "vcp/plugin/cpp/xml.h"

namespace ec2 {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpResponse;
using vcp::plugin::Outcome;
using vcp::plugin::XmlDocument;
using vcp::plugin::XmlNode;

// What UnauthorizedOperation adds: a page of base64 that only sts:DecodeAuthorizationMessage reads.
constexpr std::string_view kEncoded = " Encoded authorization failure message";

struct Known {
  std::string_view name;
  Code code;
  Outcome outcome;
  std::string_view remedy;
};

constexpr std::string_view kQuota = "; raise the quota of the account (Service Quotas, Amazon EC2), or ask for less";
constexpr std::string_view kCapacity = "; another instance type, zone or time may help";
constexpr std::string_view kKeys = "; check access_key, secret_key and session_token";
constexpr std::string_view kRights = "; the account's administrator must allow this action (README of the driver)";
constexpr std::string_view kClock = "; check the credentials, and the clock of the controller";
constexpr std::string_view kNone;

// EC2 API Reference, "Error codes for the Amazon EC2 API"; throttling and transient ones as in botocore's retry rules.
constexpr Known kTable[] = {
    {"RequestLimitExceeded", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"Throttling", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"ThrottlingException", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"ThrottledException", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"RequestThrottled", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"RequestThrottledException", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"TooManyRequestsException", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"EC2ThrottledException", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"BandwidthLimitExceeded", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"SlowDown", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"PriorRequestNotComplete", Code::kAborted, Outcome::kNotApplied, kNone},
    {"TransactionInProgressException", Code::kAborted, Outcome::kNotApplied, kNone},
    {"ConcurrentTagAccess", Code::kAborted, Outcome::kNotApplied, kNone},

    {"InsufficientInstanceCapacity", Code::kResourceExhausted, Outcome::kNotApplied, kCapacity},
    {"InsufficientCapacity", Code::kResourceExhausted, Outcome::kNotApplied, kCapacity},
    {"InsufficientHostCapacity", Code::kResourceExhausted, Outcome::kNotApplied, kCapacity},
    {"InsufficientReservedInstanceCapacity", Code::kResourceExhausted, Outcome::kNotApplied, kCapacity},
    {"InsufficientVolumeCapacity", Code::kResourceExhausted, Outcome::kNotApplied, kCapacity},
    {"UnfulfillableCapacity", Code::kResourceExhausted, Outcome::kNotApplied, kCapacity},
    {"SpotMaxPriceTooLow", Code::kResourceExhausted, Outcome::kNotApplied,
     "; leave spot_price empty to pay up to the on-demand price"},
    {"InsufficientFreeAddressesInSubnet", Code::kResourceExhausted, Outcome::kNotApplied,
     "; the subnet (aws_vpc_subnet_id) is full"},

    {"InstanceLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"VcpuLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"MaxSpotInstanceCountExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"VolumeLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"MaxIOPSLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"AddressLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"AttachmentLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied,
     "; the instance holds as many volumes as it can"},
    {"NetworkInterfaceLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"ResourceLimitExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},

    {"AuthFailure", Code::kUnauthenticated, Outcome::kNotApplied, kKeys},
    {"InvalidClientTokenId", Code::kUnauthenticated, Outcome::kNotApplied, kKeys},
    {"UnrecognizedClientException", Code::kUnauthenticated, Outcome::kNotApplied, kKeys},
    {"MissingAuthenticationToken", Code::kUnauthenticated, Outcome::kNotApplied, kKeys},
    {"IncompleteSignature", Code::kUnauthenticated, Outcome::kNotApplied, kKeys},
    {"ExpiredToken", Code::kUnauthenticated, Outcome::kNotApplied, kKeys},
    {"SignatureDoesNotMatch", Code::kUnauthenticated, Outcome::kNotApplied, kClock},
    {"RequestExpired", Code::kUnauthenticated, Outcome::kNotApplied, kClock},
    {"UnauthorizedOperation", Code::kPermissionDenied, Outcome::kNotApplied, kRights},
    {"AccessDenied", Code::kPermissionDenied, Outcome::kNotApplied, kRights},
    {"OperationNotPermitted", Code::kPermissionDenied, Outcome::kNotApplied, kRights},
    {"OptInRequired", Code::kPermissionDenied, Outcome::kNotApplied, "; the account must subscribe to this first"},
    {"Blocked", Code::kPermissionDenied, Outcome::kNotApplied, "; AWS has blocked the account: ask its support"},
    {"PendingVerification", Code::kPermissionDenied, Outcome::kNotApplied, "; AWS is still verifying the account"},

    // The token was taken by an earlier request: that one was accepted.
    {"IdempotentParameterMismatch", Code::kAlreadyExists, Outcome::kApplied, kNone},
    {"IdempotentInstanceTerminated", Code::kAlreadyExists, Outcome::kApplied, kNone},
    {"InvalidIPAddress.InUse", Code::kAlreadyExists, Outcome::kNotApplied, "; choose another address"},

    {"IncorrectInstanceState", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"IncorrectState", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"VolumeInUse", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"UnsupportedOperation", Code::kUnimplemented, Outcome::kNotApplied, kNone},
    // "Unsupported": this type in this zone, say. Waiting does not help, unlike for capacity.
    {"Unsupported", Code::kInvalidArgument, Outcome::kNotApplied, "; choose another instance_type or zone"},
    {"InvalidAction", Code::kUnimplemented, Outcome::kNotApplied, kNone},
    {"MaxSpotRequestCountExceeded", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},

    {"RequestTimeout", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"RequestTimeoutException", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"InternalError", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"InternalFailure", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"ServiceUnavailable", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"Unavailable", Code::kUnavailable, Outcome::kUnknown, kNone},
};

bool startsWith(std::string_view text, std::string_view word) { return text.substr(0, word.size()) == word; }

bool endsWith(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && text.substr(text.size() - word.size()) == word;
}

/// By the status alone: something between us and EC2 has answered, or EC2 with a code that nobody has heard of.
Known byStatus(int status, bool told) {
  if (status >= 500) return {{}, Code::kUnavailable, Outcome::kUnknown, kNone};
  if (status == 401) return {{}, Code::kUnauthenticated, Outcome::kNotApplied, kKeys};
  if (status == 403) return {{}, Code::kPermissionDenied, Outcome::kNotApplied, kRights};
  if (status == 409) return {{}, Code::kAborted, Outcome::kNotApplied, kNone};
  const bool wrong = told && status / 100 == 4 && status != 429 && status != 404;
  return {{}, wrong ? Code::kInvalidArgument : Code::kUnavailable, Outcome::kNotApplied, kNone};
}

Known classify(int status, std::string_view name) {
  const auto known =
      std::find_if(std::begin(kTable), std::end(kTable), [&](const Known& row) { return row.name == name; });
  if (known != std::end(kTable)) return *known;
  if (endsWith(name, ".NotFound") || name == "InvalidAMIID.Unavailable") {
    return {name, Code::kNotFound, Outcome::kNotApplied, kNone};
  }
  if (status < 500 && (startsWith(name, "Invalid") || startsWith(name, "Missing") || startsWith(name, "Malformed"))) {
    return {name, Code::kInvalidArgument, Outcome::kNotApplied, kNone};
  }
  return byStatus(status, !name.empty());
}

/// {code, message, request id} of an EC2 error; empty texts when the body is something else.
struct Told {
  std::string code;
  std::string message;
  std::string request_id;
};

Told read(const std::string& body) {
  try {
    const XmlDocument document = XmlDocument::parse(body, "error");
    const XmlNode error = document.root().child("Errors").child("Error");
    return {error.child("Code").text(), error.child("Message").text(), document.root().child("RequestID").text()};
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

Error refusal(const HttpResponse& response, const std::string& action) {
  Told told = read(response.body);
  const Known known = classify(response.status, told.code);
  told.message.resize(std::min(told.message.find(kEncoded), told.message.size()));
  const std::string said =
      told.code.empty() ? "something that is not EC2's API (a proxy?) answered " + std::to_string(response.status)
                        : "EC2 answered " + told.code + ": " + told.message;
  return Error(known.code, known.outcome, action + ": " + said + std::string(known.remedy))
      .providerCode(told.code)
      .requestId(told.request_id)
      .retryAfterMs(response.retry_after_ms);
}

bool isAbsent(const Error& error) { return error.code() == Code::kNotFound && !error.providerCode().empty(); }

std::vector<std::string> idsIn(const std::string& text, const std::string& prefix) {
  std::vector<std::string> ids;
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
    if (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0) continue;
    std::size_t end = at + prefix.size();
    while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (end > at + prefix.size()) ids.push_back(text.substr(at, end - at));
  }
  return ids;
}

}  // namespace ec2
