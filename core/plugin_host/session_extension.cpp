// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/session_extension.h"

#include <string>

#include "base/encoding.h"
#include "plugin_host/extension.h"

namespace vcc {
namespace {

constexpr std::uint64_t kMaxSessionKey = 128;
constexpr std::uint64_t kMaxValue = std::uint64_t{256} << 10U;

const CallFrame& frameOf(const vcp_call_t* call) { return *static_cast<const CallFrame*>(call->host_data); }

/// Two digests, so that no byte can wander from the one text to the other.
std::string scopeOf(const vcp_call_t* call) {
  const vcp_call_t& own = *frameOf(call).raw();
  return sha256(sha256(fromAbi(own.credentials)) + sha256(fromAbi(own.catalog_entry)));
}

}  // namespace

SessionExtension::SessionExtension(const HostServices& host) : host_(host), cache_(host.environment().clock) {
  table_.struct_size = sizeof table_;
  table_.host_data = this;
  table_.get = &get;
  table_.put = &put;
  table_.drop = &drop;
}

/// Also refuses the call of another instance: its end would not be heard of here, and its claims would stay.
bool SessionExtension::isUsable(const vcp_session_t* session, const vcp_call_t* call, const vcp_string_t& key) {
  return session != nullptr && call != nullptr && call->host_data != nullptr &&
         &frameOf(call).host() == &of(session).host_ && key.size > 0 && isText(key, kMaxSessionKey);
}

SessionExtension& SessionExtension::of(const vcp_session_t* session) {
  return *static_cast<SessionExtension*>(session->host_data);
}

std::int32_t SessionExtension::get(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                                   const vcp_text_sink_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (!isUsable(session, call, key) || !isSink(out)) return VCP_INVALID_ARGUMENT;
    const CallFrame& frame = frameOf(call);
    const Result<SecretString> value = of(session).cache_.get(scopeOf(call), fromAbi(key), &frame,
                                                              [&] { return frame.isCancelled() || frame.isOverdue(); });
    if (value.ok()) return writeText(of(session).host_, *out, value->reveal());
    const Code code = value.status().code();
    return code == Code::kCancelled && !frame.isCancelled() ? VCP_DEADLINE_EXCEEDED : static_cast<std::int32_t>(code);
  });
}

std::int32_t SessionExtension::put(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                                   vcp_string_t value, std::int64_t ttl_ms) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (!isUsable(session, call, key) || value.size == 0 || !isText(value, kMaxValue) || ttl_ms < 1) {
      return VCP_INVALID_ARGUMENT;
    }
    of(session).cache_.put(scopeOf(call), fromAbi(key), SecretString(std::string(fromAbi(value))), ttl_ms);
    return VCP_OK;
  });
}

std::int32_t SessionExtension::drop(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                                    vcp_string_t value) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (!isUsable(session, call, key) || !isText(value, kMaxValue)) return VCP_INVALID_ARGUMENT;
    of(session).cache_.drop(scopeOf(call), fromAbi(key), fromAbi(value), &frameOf(call));
    return VCP_OK;
  });
}

}  // namespace vcc
