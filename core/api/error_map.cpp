// SPDX-License-Identifier: Apache-2.0
#include "api/error_map.h"

#include <algorithm>
#include <array>
#include <string>

#include "api/json_writer.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "secrets/grants.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxMessageBytes = 16384;
constexpr std::string_view kInternal = "VCPInternalException";

// The table of choices.md "refused requests": one exception name each. By position: the value of the code.
constexpr std::array<ErrorRow, 17> kRows{{
    {500, kInternal},                     // kOk: never asked for
    {500, kInternal},                     // kCancelled
    {500, kInternal},                     // kUnknown
    {400, "VCPInvalidRequestException"},  // kInvalidArgument
    {503, "VCPUnavailableException"},     // kDeadlineExceeded
    {404, "VCPNotFoundException"},        // kNotFound
    {409, "VCPConflictException"},        // kAlreadyExists
    {403, "VCPAuthException"},            // kPermissionDenied
    {429, "VCPLimitException"},           // kResourceExhausted
    {409, "VCPStateConflictException"},   // kFailedPrecondition
    {409, "VCPStateConflictException"},   // kAborted
    {400, "VCPInvalidRequestException"},  // kOutOfRange
    {409, "VCPStateConflictException"},   // kUnimplemented
    {500, kInternal},                     // kInternal
    {503, "VCPUnavailableException"},     // kUnavailable
    {500, kInternal},                     // kDataLoss
    {403, "VCPAuthException"},            // kUnauthenticated
}};
static_assert(kRows.size() == static_cast<std::size_t>(Code::kUnauthenticated) + 1);

constexpr ErrorRow kVaultRead{403, kVaultReadFailed};

// By position: the value of the refusal.
constexpr std::array<ErrorRow, 3> kHttpRows{{
    {405, "VCPInvalidRequestException"},  // kMethodNotAllowed
    {413, "VCPLimitException"},           // kBodyTooLarge
    {408, "VCPInvalidRequestException"},  // kTimeout
}};
static_assert(kHttpRows.size() == static_cast<std::size_t>(HttpRefusal::kTimeout) + 1);

const ErrorRow& rowOf(Code code) { return kRows[static_cast<std::size_t>(code)]; }

HttpAnswer answer(const ErrorRow& row, std::string_view text, std::int64_t now_ms) {
  std::string message = formatUtc(now_ms);
  message += ": ";
  message += row.exception;
  message += ": ";
  message += cleanUtf8(text, kMaxMessageBytes);
  JsonWriter json;
  json.beginObject().key("message").string(message).endObject();
  return {row.http_status, json.take(), {}};
}

}  // namespace

bool isInternal(Code code) { return rowOf(code).http_status == 500; }

HttpAnswer errorAnswer(const Status& status, std::int64_t now_ms, std::string_view request_id) {
  const bool vault_read = status.providerCode() == kVaultReadFailed;
  const ErrorRow& row = vault_read ? kVaultRead : rowOf(status.code());
  if (!isInternal(status.code())) {
    HttpAnswer refusal = answer(row, status.message(), now_ms);
    if (status.retryAfterMs() > 0) {
      refusal.headers.emplace_back("Retry-After", std::to_string((status.retryAfterMs() + 999) / 1000));
    }
    return refusal;
  }
  return answer(row, "internal error; the log of the controller tells more under request id " + std::string(request_id),
                now_ms);
}

HttpAnswer errorAnswer(HttpRefusal refusal, std::string_view text, std::int64_t now_ms) {
  return answer(kHttpRows[static_cast<std::size_t>(refusal)], text, now_ms);
}

std::vector<ErrorRow> errorRows() {
  std::vector<ErrorRow> rows(kHttpRows.begin(), kHttpRows.end());
  rows.insert(rows.end(), kRows.begin(), kRows.end());
  rows.push_back(kVaultRead);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace vcc
