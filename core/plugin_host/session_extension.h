// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "plugin_host/session_cache.h"
#include "vcp/plugin/ext/session.h"

namespace vcc {

class HostServices;

/// "vcp.host.session/1" of one driver instance. The scope of a call is the SHA-256 of its credentials and its catalog
/// entry: a token is got with the ones, at an address in the other. Thread safe.
class SessionExtension {
 public:
  /// `host` is borrowed.
  explicit SessionExtension(const HostServices& host);
  SessionExtension(const SessionExtension&) = delete;
  SessionExtension& operator=(const SessionExtension&) = delete;

  const vcp_session_t* table() const { return &table_; }
  /// Gives up what the call has claimed and not made. `frame` is the CallFrame.
  void endCall(const void* frame) noexcept { cache_.endCall(frame); }

 private:
  static SessionExtension& of(const vcp_session_t* session);
  static bool isUsable(const vcp_session_t* session, const vcp_call_t* call, const vcp_string_t& key);
  static std::int32_t get(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                          const vcp_text_sink_t* out) noexcept;
  static std::int32_t put(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key, vcp_string_t value,
                          std::int64_t ttl_ms) noexcept;
  static std::int32_t drop(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                           vcp_string_t value) noexcept;

  const HostServices& host_;
  SessionCache cache_;
  vcp_session_t table_{};
};

}  // namespace vcc
