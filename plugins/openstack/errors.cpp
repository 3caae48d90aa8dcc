// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "fields.h"
#include "vcp/plugin/cpp/json.h"

namespace openstack {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

constexpr std::size_t kMostWords = 300;  // bytes of the cloud's own message

constexpr std::string_view kQuota = "; raise the quota of the project, or ask for less";
constexpr std::string_view kCapacity = "; another flavor, zone or time may help";
constexpr std::string_view kKeys = "; check user name and password (or the application credential), domain and project";
constexpr std::string_view kRights = "; the project's administrator must give the user a role that allows it";
constexpr std::string_view kAddress = "; choose another address";
constexpr std::string_view kFull = "; the network has no free address";
constexpr std::string_view kNone;

/// What one of the services said; empty texts when the body is something else.
struct Told {
  std::string type;  ///< of Neutron, or the name of the fault: "forbidden"
  std::string message;
};

struct Meaning {
  Code code;
  std::string_view remedy;
};

struct Typed {
  std::string_view type;
  Meaning meaning;
};

// Neutron names its exceptions (neutron_lib.exceptions, neutron.common.exceptions).
constexpr Typed kNeutron[] = {
    {"IpAddressAlreadyAllocated", {Code::kAlreadyExists, kAddress}},
    {"IpAddressInUse", {Code::kAlreadyExists, kAddress}},
    {"IpAddressGenerationFailure", {Code::kResourceExhausted, kFull}},
    {"IpAddressGenerationFailureNoMatchingSubnet", {Code::kInvalidArgument, kAddress}},
    {"NoMoreNetworksException", {Code::kResourceExhausted, kNone}},
    {"OverQuota", {Code::kResourceExhausted, kQuota}},
    {"MacAddressGenerationFailure", {Code::kUnavailable, kNone}},
    {"InvalidIpForNetwork", {Code::kInvalidArgument, kAddress}},
    {"InvalidIpForSubnet", {Code::kInvalidArgument, kAddress}},
    {"PortInUse", {Code::kFailedPrecondition, kNone}},
    {"PortBound", {Code::kFailedPrecondition, kNone}},
    {"NetworkNotFound", {Code::kNotFound, kNone}},
    {"SubnetNotFound", {Code::kNotFound, kNone}},
    {"SecurityGroupNotFound", {Code::kNotFound, kNone}},
    {"PortNotFound", {Code::kNotFound, kNone}},
    {"PolicyNotAuthorized", {Code::kPermissionDenied, kRights}},
    {"NotAuthorized", {Code::kPermissionDenied, kRights}},
};

struct Spoken {
  std::string_view word;  ///< in lower case
  Meaning meaning;
};

// In this order: a message that speaks of a quota may speak of limits, too.
constexpr Spoken kFaults[] = {
    {"quota", {Code::kResourceExhausted, kQuota}},
    {"limitexceeded", {Code::kResourceExhausted, kQuota}},
    {"limit exceeded", {Code::kResourceExhausted, kQuota}},
    {"no valid host", {Code::kResourceExhausted, kCapacity}},
    {"exceeded maximum number of retries", {Code::kResourceExhausted, kCapacity}},
    {"exhausted all hosts", {Code::kResourceExhausted, kCapacity}},
    {"insufficient compute resources", {Code::kResourceExhausted, kCapacity}},
    {"not enough hosts", {Code::kResourceExhausted, kCapacity}},
    {"no valid backend", {Code::kResourceExhausted, kCapacity}},
    {"no fixed ip addresses available", {Code::kResourceExhausted, kFull}},
    {"no more ip addresses", {Code::kResourceExhausted, kFull}},
    {"fixed ip address is already in use", {Code::kAlreadyExists, kAddress}},
    {"flavor's disk is too small", {Code::kInvalidArgument, kNone}},
    {"flavor's memory is too small", {Code::kInvalidArgument, kNone}},
    {"volume is smaller than", {Code::kInvalidArgument, kNone}},
    {"image is unacceptable", {Code::kInvalidArgument, kNone}},
    {"is unacceptable", {Code::kInvalidArgument, kNone}},
    {"could not be found", {Code::kInvalidArgument, kNone}},
    {"not found", {Code::kInvalidArgument, kNone}},
};

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool speaksOf(const std::string& lower, std::string_view word) { return lower.find(word) != std::string::npos; }

/// Nova and Cinder: {"forbidden": {"code", "message"}}; Keystone: {"error": {"message", "title"}}; Neutron:
/// {"NeutronError": {"type", "message"}} or a text under it; Glance: {"message", "title"}.
Told readBody(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || json.empty()) return {};
  if (json.contains("message") && json.contains("title")) return {textIn(json, "title"), textIn(json, "message")};
  const std::string name = json.begin().key();
  const Json& inner = json.begin().value();
  if (inner.is_string()) return {name, inner.get<std::string>()};
  Told told{name, textIn(inner, "message")};
  if (name == "NeutronError") told.type = textIn(inner, "type");
  if (name == "error") told.type = textIn(inner, "title");
  return told.message.empty() ? Told{} : told;
}

/// 413 is a quota of Cinder (overLimit) or a rate, and both may carry Retry-After.
Meaning overLimit(const std::string& lower) {
  const bool quota = speaksOf(lower, "quota") || speaksOf(lower, "allowed") || speaksOf(lower, "exceed");
  const bool rate = speaksOf(lower, "rate-limit") || speaksOf(lower, "rate limit") || speaksOf(lower, "can be made");
  if (quota && !rate) return {Code::kResourceExhausted, kQuota};
  return {Code::kUnavailable, kNone};
}

Meaning badRequest(const std::string& lower) {
  // Of Cinder, and of Nova when it speaks for it: the volume is not in the state for this, yet.
  if (speaksOf(lower, "invalid volume:")) return {Code::kFailedPrecondition, kNone};
  if (speaksOf(lower, "quota exceeded") || speaksOf(lower, "exceeds allowed")) {
    return {Code::kResourceExhausted, kQuota};
  }
  return {Code::kInvalidArgument, kNone};
}

Meaning conflict(const Told& told, const std::string& lower) {
  if (speaksOf(lower, "quota")) return {Code::kResourceExhausted, kQuota};
  // Nova's name for a server, port or volume that is not in the state for this.
  return {told.type == "conflictingRequest" ? Code::kFailedPrecondition : Code::kAborted, kNone};
}

Meaning meaningOf(int status, const Told& told) {
  const auto known =
      std::find_if(std::begin(kNeutron), std::end(kNeutron), [&](const Typed& row) { return row.type == told.type; });
  if (known != std::end(kNeutron) && status < 500) return known->meaning;
  const std::string lower = lowered(told.message);
  const bool is_told = !told.message.empty();
  if (status >= 500) return {Code::kUnavailable, kNone};
  switch (status) {
    case 400:
    case 422:
      return badRequest(lower);
    case 401:
      return {Code::kUnauthenticated, kKeys};
    case 403:
      if (speaksOf(lower, "quota") || speaksOf(lower, "maximum number of")) return {Code::kResourceExhausted, kQuota};
      return {Code::kPermissionDenied, kRights};
    case 404:
    case 410:
      return {is_told ? Code::kNotFound : Code::kUnavailable, kNone};
    case 405:
    case 406:
    case 501:
      return {Code::kUnimplemented, "; this cloud's API is too old, or the service is not what its endpoint says"};
    case 409:
      return conflict(told, lower);
    case 413:
      return overLimit(lower);
    case 429:
      return {Code::kUnavailable, kNone};
    default:
      break;
  }
  const bool wrong = is_told && status / 100 == 4 && status != 408 && status != 425;
  return {wrong ? Code::kInvalidArgument : Code::kUnavailable, kNone};
}

std::string requestIdOf(const HttpResponse& response) {
  const std::string_view own = response.header("X-Openstack-Request-Id");
  return std::string(own.empty() ? response.header("X-Compute-Request-Id") : own);
}

}  // namespace

Error refusal(const HttpResponse& response, const std::string& what) {
  Told told = readBody(response.body);
  const Meaning meaning = meaningOf(response.status, told);
  if (told.message.size() > kMostWords) told.message = told.message.substr(0, kMostWords) + "...";
  const std::string status = std::to_string(response.status);
  const std::string said = told.message.empty()
                               ? "something that is no OpenStack service (a proxy?) answered " + status
                               : "the cloud answered " + status + " " + told.type + ": " + told.message;
  // A server that fails may have acted.
  const Outcome outcome = response.status >= 500 ? Outcome::kUnknown : Outcome::kNotApplied;
  return Error(meaning.code, outcome, what + ": " + said + std::string(meaning.remedy))
      .providerCode(told.type)
      .requestId(requestIdOf(response))
      .retryAfterMs(response.retry_after_ms);
}

bool isOfToken(const HttpResponse& response) {
  if (response.status == 401) return true;
  return response.status == 400 && speaksOf(lowered(readBody(response.body).message), "not authorized for image");
}

bool isAbsent(const Error& error) { return error.code() == Code::kNotFound && !error.providerCode().empty(); }

Error faultOf(std::string_view message, int code) {
  const std::string lower = lowered(message);
  const auto known = std::find_if(std::begin(kFaults), std::end(kFaults),
                                  [&](const Spoken& row) { return speaksOf(lower, row.word); });
  // Anything else spoilt this one machine: a build that was broken off, a volume or a binding that failed.
  const Meaning meaning = known == std::end(kFaults) ? Meaning{Code::kDataLoss, kNone} : known->meaning;
  const std::string said = message.empty() ? std::string("the cloud does not say why") : std::string(message);
  return Error(meaning.code, Outcome::kApplied, said + std::string(meaning.remedy)).providerCode(std::to_string(code));
}

}  // namespace openstack
