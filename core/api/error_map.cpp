// SPDX-License-Identifier: Apache-2.0
#include "api/error_map.h"

#include <string>

#include "api/json_writer.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "secrets/grants.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxMessageBytes = 16384;

struct Row {
  int http_status;
  std::string_view exception;
};

Row rowOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return {400, "VCPInvalidRequestException"};
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
      return {403, "VCPAuthException"};
    case Code::kNotFound:
      return {404, "VCPNotFoundException"};
    case Code::kAlreadyExists:
      return {409, "VCPConflictException"};
    case Code::kFailedPrecondition:
    case Code::kAborted:
    case Code::kUnimplemented:
      return {409, "VCPStateConflictException"};
    case Code::kResourceExhausted:
      return {429, "VCPLimitException"};
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return {503, "VCPUnavailableException"};
    case Code::kOk:
    case Code::kCancelled:
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kDataLoss:
      break;
  }
  return {500, "VCPInternalException"};
}

Row rowOf(HttpRefusal refusal) {
  switch (refusal) {
    case HttpRefusal::kBadRequest:
      return {400, "VCPInvalidRequestException"};
    case HttpRefusal::kMethodNotAllowed:
      return {405, "VCPInvalidRequestException"};
    case HttpRefusal::kBodyTooLarge:
      return {413, "VCPLimitException"};
    case HttpRefusal::kUrlTooLong:
      return {414, "VCPLimitException"};
    case HttpRefusal::kHeadTooLarge:
      return {431, "VCPLimitException"};
    case HttpRefusal::kTimeout:
      break;
  }
  return {408, "VCPInvalidRequestException"};
}

HttpAnswer answer(const Row& row, std::string_view text, std::int64_t now_ms) {
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

int statusOf(HttpRefusal refusal) { return rowOf(refusal).http_status; }

bool isInternal(Code code) { return rowOf(code).http_status == 500; }

HttpAnswer errorAnswer(const Status& status, std::int64_t now_ms, std::string_view request_id) {
  const bool vault_read = status.providerCode() == kVaultReadFailed;
  const Row row = vault_read ? Row{403, kVaultReadFailed} : rowOf(status.code());
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
  return answer(rowOf(refusal), text, now_ms);
}

}  // namespace vcc
