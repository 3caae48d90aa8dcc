// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "vcp/plugin/abi.h"

namespace vcp::plugin {

enum class Code : std::int32_t {
  kCancelled = VCP_CANCELLED,
  kUnknown = VCP_UNKNOWN,
  kInvalidArgument = VCP_INVALID_ARGUMENT,
  kDeadlineExceeded = VCP_DEADLINE_EXCEEDED,
  kNotFound = VCP_NOT_FOUND,
  kAlreadyExists = VCP_ALREADY_EXISTS,
  kPermissionDenied = VCP_PERMISSION_DENIED,
  kResourceExhausted = VCP_RESOURCE_EXHAUSTED,
  kFailedPrecondition = VCP_FAILED_PRECONDITION,
  kAborted = VCP_ABORTED,
  kOutOfRange = VCP_OUT_OF_RANGE,
  kUnimplemented = VCP_UNIMPLEMENTED,
  kInternal = VCP_INTERNAL,
  kUnavailable = VCP_UNAVAILABLE,
  kDataLoss = VCP_DATA_LOSS,
  kUnauthenticated = VCP_UNAUTHENTICATED,
};

enum class Outcome : std::int32_t {
  kUnspecified = VCP_OUTCOME_UNSPECIFIED,
  kNotApplied = VCP_OUTCOME_NOT_APPLIED,
  kApplied = VCP_OUTCOME_APPLIED,
  kUnknown = VCP_OUTCOME_UNKNOWN,
};

/// What a driver throws. The text is for an administrator: object, attempt, cause, remedy; never a secret.
class Error : public std::exception {
 public:
  Error(Code code, Outcome outcome, std::string message)
      : code_(code), outcome_(outcome), message_(std::move(message)) {}

  Error& providerCode(std::string text) { return provider_code_ = std::move(text), *this; }
  Error& requestId(std::string text) { return request_id_ = std::move(text), *this; }
  Error& retryAfterMs(std::int64_t ms) { return retry_after_ms_ = ms, *this; }

  Code code() const { return code_; }
  Outcome outcome() const { return outcome_; }
  const std::string& message() const { return message_; }
  const std::string& providerCode() const { return provider_code_; }
  const std::string& requestId() const { return request_id_; }
  std::int64_t retryAfterMs() const { return retry_after_ms_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Code code_;
  Outcome outcome_;
  std::int64_t retry_after_ms_ = 0;
  std::string message_;
  std::string provider_code_;
  std::string request_id_;
};

/// The request is wrong; `pointer` is the JSON pointer of the bad value.
inline Error invalid(std::string_view pointer, std::string_view text) {
  return Error(Code::kInvalidArgument, Outcome::kNotApplied, std::string(pointer) + ": " + std::string(text));
}

namespace detail {

/// Copies into a fixed array, cut at a character boundary, always NUL-terminated.
inline void copyText(char* out, std::size_t capacity, std::string_view text) noexcept {
  std::size_t size = text.size() < capacity ? text.size() : capacity - 1;
  if (size < text.size()) {
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  }
  if (size > 0) std::memcpy(out, text.data(), size);
  out[size] = '\0';
}

/// Fills a caller-owned error. An outcome that the author left open becomes `unforeseen`. Returns the code.
inline std::int32_t fillError(vcp_error_t* out, Outcome unforeseen, const Error& error) noexcept {
  const auto code = static_cast<std::int32_t>(error.code());
  if (out == nullptr || !VCP_HAS(vcp_error_t, out, message)) return code;
  out->code = code;
  out->outcome = static_cast<std::int32_t>(error.outcome() == Outcome::kUnspecified ? unforeseen : error.outcome());
  out->retry_after_ms = error.retryAfterMs();
  copyText(out->provider_code, sizeof out->provider_code, error.providerCode());
  copyText(out->request_id, sizeof out->request_id, error.requestId());
  copyText(out->message, sizeof out->message, error.message());
  return code;
}

/// The same without an Error, which may need memory that is not there.
inline std::int32_t fillError(vcp_error_t* out, Outcome outcome, std::int32_t code, const char* message) noexcept {
  if (out == nullptr || !VCP_HAS(vcp_error_t, out, message)) return code;
  out->code = code;
  out->outcome = static_cast<std::int32_t>(outcome);
  copyText(out->message, sizeof out->message, message);
  return code;
}

inline vcp_error_t emptyError() noexcept {
  vcp_error_t error{};
  error.struct_size = sizeof error;
  return error;
}

}  // namespace detail
}  // namespace vcp::plugin
