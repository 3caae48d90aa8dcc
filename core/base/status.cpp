// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <array>
#include <cstddef>

namespace vcc {
namespace {

constexpr std::array<std::string_view, 17> kCodeNames = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

const std::string kNoText;

}  // namespace

std::string_view codeName(Code code) {
  // Codes also arrive as numbers from plugins, so any value must be safe here.
  const auto index = static_cast<std::size_t>(static_cast<std::int32_t>(code));
  return index < kCodeNames.size() ? kCodeNames[index] : std::string_view("UNKNOWN");
}

Status::Status(Code code, std::string message, Outcome outcome) {
  if (code == Code::kOk) return;
  rep_ = std::make_unique<Rep>(Rep{code, outcome, 0, std::move(message), {}});
}

const std::string& Status::message() const { return rep_ ? rep_->message : kNoText; }

const std::string& Status::providerCode() const { return rep_ ? rep_->provider_code : kNoText; }

Status& Status::withProviderCode(std::string code) {
  if (rep_) rep_->provider_code = std::move(code);
  return *this;
}

Status& Status::withRetryAfter(std::int64_t ms) {
  if (rep_) rep_->retry_after_ms = ms;
  return *this;
}

Status& Status::prepend(std::string_view prefix) {
  if (rep_) rep_->message.insert(0, std::string(prefix) + ": ");
  return *this;
}

std::string Status::toString() const {
  if (!rep_) return "OK";
  std::string text(codeName(rep_->code));
  text += ": ";
  text += rep_->message;
  return text;
}

Status invalidArgument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
Status notFound(std::string message) { return {Code::kNotFound, std::move(message)}; }
Status alreadyExists(std::string message) { return {Code::kAlreadyExists, std::move(message)}; }
Status permissionDenied(std::string message) { return {Code::kPermissionDenied, std::move(message)}; }
Status unauthenticated(std::string message) { return {Code::kUnauthenticated, std::move(message)}; }
Status failedPrecondition(std::string message) { return {Code::kFailedPrecondition, std::move(message)}; }
Status resourceExhausted(std::string message) { return {Code::kResourceExhausted, std::move(message)}; }
Status unavailable(std::string message) { return {Code::kUnavailable, std::move(message)}; }
Status deadlineExceeded(std::string message) { return {Code::kDeadlineExceeded, std::move(message)}; }
Status internalError(std::string message) { return {Code::kInternal, std::move(message)}; }
Status aborted(std::string message) { return {Code::kAborted, std::move(message)}; }
Status unimplemented(std::string message) { return {Code::kUnimplemented, std::move(message)}; }
Status dataLoss(std::string message) { return {Code::kDataLoss, std::move(message)}; }

}  // namespace vcc
