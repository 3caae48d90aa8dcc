// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace vcc {

/// Canonical codes, numerically equal to gRPC's and to the plugin ABI's.
enum class Code : std::int32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// Whether the change that an error speaks of took effect. Only `kNotApplied` may be retried as a fresh request.
enum class Outcome : std::int32_t { kUnspecified = 0, kNotApplied = 1, kApplied = 2, kUnknown = 3 };

std::string_view codeName(Code code);

/// Success, or a code with a text for an administrator: the object, what was attempted, the cause, the remedy.
/// One pointer wide; null means success. Value type, safe to copy between threads.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message, Outcome outcome = Outcome::kUnspecified);

  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return !rep_; }
  explicit operator bool() const = delete;
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  Outcome outcome() const { return rep_ ? rep_->outcome : Outcome::kUnspecified; }
  const std::string& message() const;

  /// The cloud's own error code ("InsufficientInstanceCapacity"); empty when there is none.
  const std::string& providerCode() const;
  /// How long the source asked us to wait before the next attempt; 0 when it did not say.
  std::int64_t retryAfterMs() const { return rep_ ? rep_->retry_after_ms : 0; }

  Status& withProviderCode(std::string code);
  Status& withRetryAfter(std::int64_t ms);
  /// Puts `prefix: ` before the message. Does nothing on success.
  Status& prepend(std::string_view prefix);

  /// "NOT_FOUND: text" for logs.
  std::string toString() const;

 private:
  struct Rep {
    Code code;
    Outcome outcome;
    std::int64_t retry_after_ms = 0;
    std::string message;
    std::string provider_code;
  };
  std::unique_ptr<Rep> rep_;
};

/// A value or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : v_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(v_); }
  Status status() const { return ok() ? Status() : std::get<Status>(v_); }
  const T& value() const& { return std::get<T>(v_); }
  T& value() & { return std::get<T>(v_); }
  T&& value() && { return std::get<T>(std::move(v_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::get<T>(std::move(v_)); }
  const T* operator->() const { return &std::get<T>(v_); }
  T* operator->() { return &std::get<T>(v_); }

 private:
  std::variant<T, Status> v_;
};

inline Status okStatus() { return {}; }
Status invalidArgument(std::string message);
Status notFound(std::string message);
Status alreadyExists(std::string message);
Status permissionDenied(std::string message);
Status unauthenticated(std::string message);
Status failedPrecondition(std::string message);
Status resourceExhausted(std::string message);
Status unavailable(std::string message);
Status deadlineExceeded(std::string message);
Status internalError(std::string message);
Status aborted(std::string message);
Status unimplemented(std::string message);
Status dataLoss(std::string message);

}  // namespace vcc

#define VCC_CONCAT_INNER(a, b) a##b
#define VCC_CONCAT(a, b) VCC_CONCAT_INNER(a, b)
#define VCC_RETURN_IF_ERROR_NAMED(name, expr) \
  do {                                        \
    ::vcc::Status name = (expr);              \
    if (!name.ok()) return name;              \
  } while (false)
#define VCC_ASSIGN_OR_RETURN_NAMED(name, lhs, expr) \
  auto name = (expr);                               \
  if (!name.ok()) return name.status();             \
  lhs = std::move(name).value()

/// Returns early with the status of `expr` when it is not a success.
#define VCC_RETURN_IF_ERROR(expr) VCC_RETURN_IF_ERROR_NAMED(VCC_CONCAT(vcc_status_, __COUNTER__), expr)
/// `VCC_ASSIGN_OR_RETURN(auto x, f())`: the value of a Result, or an early return with its status.
#define VCC_ASSIGN_OR_RETURN(lhs, expr) VCC_ASSIGN_OR_RETURN_NAMED(VCC_CONCAT(vcc_result_, __COUNTER__), lhs, expr)
