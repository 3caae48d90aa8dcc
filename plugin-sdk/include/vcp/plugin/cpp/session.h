// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vcp/plugin/cpp/extension.h"
#include "vcp/plugin/ext/session.h"

namespace vcp::plugin {

/// What a cloud gave for credentials. `ttl_ms`: how long to use it; less than its own life by what a call may take.
struct SessionValue {
  std::string value;
  std::int64_t ttl_ms = 0;
};

/// The host's memory for tokens, by the credentials and the catalog entry of the call (vcp/plugin/ext/session.h).
/// Copyable; valid as long as the host.
class Session {
 public:
  /// Throws kFailedPrecondition when this host has none.
  explicit Session(const Host& host) : table_(detail::required<vcp_session_t>(host, VCP_SESSION_ID)) {}

  /// The value under `key`, else what `make` returns (a SessionValue), which is then kept. Of several calls one makes
  /// it and the others wait. Throws what `make` throws, and kCancelled or kDeadlineExceeded, not applied, when the call
  /// ends while it waits. Do not call it inside `make`.
  template <class Make>
  std::string get(const Call& call, std::string_view key, Make&& make) const {
    detail::TextTaker taken;
    const std::int32_t code = table_->get(table_, call.raw(), borrow(key), taken.sink());
    if (code == VCP_OK) return taken.take();
    if (code != VCP_NOT_FOUND) throw Error(static_cast<Code>(code), Outcome::kNotApplied, reason(code, key));
    Claim claim{*this, call, key};
    SessionValue made = make();
    // A value that cannot be kept, too long or without time, still serves this call.
    claim.ended = table_->put(table_, call.raw(), borrow(key), borrow(made.value), made.ttl_ms) == VCP_OK;
    return std::move(made.value);
  }

  /// Forgets `value`, which the cloud no longer takes; a newer one stays.
  void drop(const Call& call, std::string_view key, std::string_view value) const {
    table_->drop(table_, call.raw(), borrow(key), borrow(value));
  }

 private:
  /// Gives the claim up when there is nothing to keep, so that the next one need not wait for the end of this call.
  struct Claim {
    const Session& session;
    const Call& call;
    std::string_view key;
    bool ended = false;
    ~Claim() {
      if (!ended) session.drop(call, key, {});
    }
  };
  static std::string reason(std::int32_t code, std::string_view key) {
    const bool waited = code == VCP_CANCELLED || code == VCP_DEADLINE_EXCEEDED;
    return "session " + std::string(key) +
           (waited ? ": the call ended while another one was making it" : ": the host refused");
  }

  const vcp_session_t* table_;
};

}  // namespace vcp::plugin
