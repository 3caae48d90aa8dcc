// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/error.h"

namespace vcp::plugin {

inline std::string_view view(const vcp_string_t& text) noexcept {
  return text.size == 0 || text.data == nullptr ? std::string_view()
                                                : std::string_view(text.data, static_cast<std::size_t>(text.size));
}
/// Borrows `text`: keep it alive for the call.
inline vcp_string_t borrow(std::string_view text) noexcept { return {text.data(), text.size()}; }

enum class Severity : std::int32_t {
  kDebug = VCP_LOG_DEBUG,
  kInfo = VCP_LOG_INFO,
  kWarning = VCP_LOG_WARNING,
  kError = VCP_LOG_ERROR,
};

struct LogField {
  std::string_view key;
  std::string_view value;
};

/// The context of the call in progress. Use it only until the driver's function returns.
class Call {
 public:
  explicit Call(const vcp_call_t* call) noexcept : call_(call) {}

  std::string_view opId() const { return view(call_->op_id); }
  std::int64_t attempt() const { return call_->attempt; }
  std::int64_t deadlineMonoMs() const { return call_->deadline_mono_ms; }
  std::string_view vccId() const { return view(call_->vcc_id); }
  std::string_view catalogEntry() const { return view(call_->catalog_entry); }
  std::string_view credentials() const { return view(call_->credentials); }
  bool isCancelled() const { return call_->is_cancelled(call_) != 0; }
  void progress(std::int32_t percent, std::string_view message) const {
    call_->progress(call_, percent, borrow(message));
  }
  const vcp_call_t* raw() const { return call_; }

 private:
  const vcp_call_t* call_;
};

/// The host's services. Copyable; valid from the driver's construction to the end of its destructor.
class Host {
 public:
  explicit Host(const vcp_host_t* host) noexcept : host_(host) {}

  void log(Severity severity, std::string_view event, std::string_view message,
           std::initializer_list<LogField> fields = {}) const {
    std::vector<vcp_log_field_t> raw;
    raw.reserve(fields.size());
    for (const LogField& field : fields) raw.push_back({borrow(field.key), borrow(field.value)});
    host_->log(host_, static_cast<std::int32_t>(severity), borrow(event), borrow(message), raw.data(), raw.size());
  }
  bool logEnabled(Severity severity) const {
    return host_->log_enabled(host_, static_cast<std::int32_t>(severity)) != 0;
  }
  std::int64_t wallMs() const { return host_->wall_ms(host_); }
  std::int64_t monotonicMs() const { return host_->monotonic_ms(host_); }

  /// Throws Error kCancelled or kDeadlineExceeded when cut short, with `outcome`: what is true of the driver's own
  /// change at this point.
  void sleep(const Call& call, std::int64_t ms, Outcome outcome) const {
    const std::int32_t code = host_->sleep(host_, call.raw(), ms);
    if (code != VCP_OK) throw Error(static_cast<Code>(code), outcome, "the call was ended while it waited");
  }

  void randomBytes(std::uint8_t* out, std::size_t size) const {
    if (host_->random_bytes(host_, out, size) != VCP_OK) {
      throw Error(Code::kInternal, Outcome::kNotApplied, "the host gave no random bytes");
    }
  }
  std::string randomHex(std::size_t digits) const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::vector<std::uint8_t> bytes(digits);
    randomBytes(bytes.data(), bytes.size());
    std::string text;
    for (const std::uint8_t byte : bytes) text.push_back(kDigits[byte & 0x0FU]);
    return text;
  }

  /// Null when this host does not have the extension.
  template <class Table>
  const Table* extension(std::string_view id) const {
    return static_cast<const Table*>(host_->get_extension(host_, borrow(id)));
  }

 private:
  const vcp_host_t* host_;
};

}  // namespace vcp::plugin
