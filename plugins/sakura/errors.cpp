// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "vcp/plugin/cpp/json.h"

namespace sakura {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

constexpr std::size_t kLongestText = 400;

struct Known {
  std::string_view name;  // ends with '*': a beginning
  Code code;
  Outcome outcome;
  std::string_view remedy;
};

constexpr std::string_view kNone;
constexpr std::string_view kQuota = "; raise the limit of the account in the control panel, or ask for less";
constexpr std::string_view kPay = "; settle it in the member menu of SAKURA internet";
constexpr std::string_view kRights = "; allow it for the API key in the control panel";

// error_code of API 1.1. What says "not now" keeps what exists; a proxy's timeout leaves open what became of the
// change.
constexpr Known kTable[] = {
    {"apiproxy_timeout_non_get", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"busy", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"too_many_request", Code::kUnavailable, Outcome::kNotApplied, kNone},
    {"operation_timeout", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"operation_failure", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"server_could_not_stop", Code::kUnavailable, Outcome::kUnknown, kNone},
    {"locked", Code::kAborted, Outcome::kNotApplied, kNone},
    {"still_creating", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"disk_is_copying", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"in_migration", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"server_is_cleaning", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"packetfilter_applying", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"server_power_must_be_down", Code::kFailedPrecondition, Outcome::kNotApplied, kNone},
    {"disk_stock_run_out", Code::kResourceExhausted, Outcome::kNotApplied, "; another plan, zone or time may help"},
    {"boot_failure_in_group", Code::kResourceExhausted, Outcome::kNotApplied, "; another plan, zone or time may help"},
    {"limit_*", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"run_out_of_ipaddress", Code::kResourceExhausted, Outcome::kNotApplied, kQuota},
    {"unauthorized", Code::kUnauthenticated, Outcome::kNotApplied, "; check token and secret"},
    {"access_*", Code::kPermissionDenied, Outcome::kNotApplied, kRights},
    {"forbidden", Code::kPermissionDenied, Outcome::kNotApplied, kRights},
    {"payment_*", Code::kPermissionDenied, Outcome::kNotApplied, kPay},
    {"penalty_operation", Code::kPermissionDenied, Outcome::kNotApplied, kPay},
    {"not_found", Code::kNotFound, Outcome::kNotApplied, kNone},
    {"param_res_not_found", Code::kInvalidArgument, Outcome::kNotApplied, kNone},
};

bool matches(std::string_view pattern, std::string_view name) {
  const bool open = !pattern.empty() && pattern.back() == '*';
  return open ? name.substr(0, pattern.size() - 1) == pattern.substr(0, pattern.size() - 1) : name == pattern;
}

Known byStatus(int status, bool told) {
  if (status >= 500) return {{}, Code::kUnavailable, Outcome::kUnknown, kNone};
  if (status == 401) return {{}, Code::kUnauthenticated, Outcome::kNotApplied, "; check token and secret"};
  if (status == 402) return {{}, Code::kPermissionDenied, Outcome::kNotApplied, kPay};
  if (status == 403) return {{}, Code::kPermissionDenied, Outcome::kNotApplied, kRights};
  if (status == 409 || status == 423) return {{}, Code::kAborted, Outcome::kNotApplied, kNone};
  const bool wrong = told && status != 404 && status != 429;
  return {{}, wrong ? Code::kInvalidArgument : Code::kUnavailable, Outcome::kNotApplied, kNone};
}

/// A text of Sakura's as it may be shown: bounded, without line ends.
std::string shown(const Json& answer, const char* key) {
  const auto found = answer.find(key);
  if (found == answer.end() || !found->is_string()) return "";
  std::string text = found->get<std::string>().substr(0, kLongestText);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return text;
}

}  // namespace

Error refusal(const HttpResponse& response, const std::string& what) {
  const Json parsed = Json::parse(response.body, nullptr, false);
  const Json answer = parsed.is_object() ? parsed : Json::object();
  const std::string name = shown(answer, "error_code");
  const auto row =
      std::find_if(std::begin(kTable), std::end(kTable), [&](const Known& known) { return matches(known.name, name); });
  const bool known = !name.empty() && row != std::end(kTable);
  const Known meaning = known ? *row : byStatus(response.status, !name.empty());
  std::string text = what + ": the cloud answered " + std::to_string(response.status);
  if (!name.empty()) text += " " + name;
  if (const std::string words = shown(answer, "error_msg"); !words.empty()) text += ": " + words;
  return Error(meaning.code, meaning.outcome, text + std::string(meaning.remedy))
      .providerCode(name)
      .requestId(shown(answer, "serial"))
      .retryAfterMs(response.retry_after_ms);
}

}  // namespace sakura
