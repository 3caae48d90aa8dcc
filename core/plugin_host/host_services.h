// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "plugin_host/driver.h"
#include "plugin_host/http_service.h"
#include "vcp/plugin/abi.h"

namespace vcc {

/// What the services are made of. Outlives every driver.
struct HostEnvironment {
  const Clock& clock;
  Random& random;
  Logger& log;
};

class CryptoExtension;
class HttpExtension;
class JsonExtension;
class SessionExtension;

/// The host's table for one plugin or driver instance. Its functions are thread safe, never throw, and check what they
/// are given.
class HostServices {
 public:
  /// `name` marks the plugin's log lines.
  HostServices(const HostEnvironment& environment, std::string name);
  ~HostServices();
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  /// Lends HTTP from now on. Before the table is given away.
  void lendHttp(std::unique_ptr<HttpService> service);

  const vcp_host_t* table() const { return &table_; }
  const HostEnvironment& environment() const { return environment_; }
  const std::string& name() const { return name_; }

  /// What was lent to a call goes back. `frame` is the CallFrame.
  void endCall(const void* frame) const noexcept;

  /// Says in the log that the plugin broke the contract.
  void misbehaved(const std::string& what) const noexcept;

 private:
  static const HostServices& of(const vcp_host_t* host);
  static void log(const vcp_host_t* host, std::int32_t severity, vcp_string_t event, vcp_string_t message,
                  const vcp_log_field_t* fields, std::uint64_t count) noexcept;
  static std::int32_t pause(const vcp_host_t* host, const vcp_call_t* call, std::int64_t ms) noexcept;
  static const void* extension(const vcp_host_t* host, vcp_string_t id) noexcept;
  static std::int32_t randomBytes(const vcp_host_t* host, std::uint8_t* out, std::uint64_t size) noexcept;

  const HostEnvironment environment_;
  const std::string name_;
  const std::unique_ptr<CryptoExtension> crypto_;
  const std::unique_ptr<JsonExtension> json_;
  const std::unique_ptr<SessionExtension> session_;
  std::unique_ptr<HttpExtension> http_;
  vcp_host_t table_{};
};

/// A CallContext as the plugin sees it. Lives on the stack of the call, like the context itself.
class CallFrame {
 public:
  CallFrame(const HostServices& host, const CallContext& context);
  ~CallFrame() { host_.endCall(this); }
  CallFrame(const CallFrame&) = delete;
  CallFrame& operator=(const CallFrame&) = delete;

  const vcp_call_t* raw() const { return &raw_; }
  const HostServices& host() const { return host_; }
  const SecretString& credentials() const { return context_.credentials; }
  bool isCancelled() const { return context_.cancelled != nullptr && context_.cancelled->load(); }
  bool isOverdue() const { return host_.environment().clock.monoMs() >= raw_.deadline_mono_ms; }

 private:
  const HostServices& host_;
  const CallContext& context_;
  vcp_call_t raw_{};
};

/// Borrows `text`.
vcp_string_t toAbi(std::string_view text);
/// A borrowed text of a plugin; empty for a null pointer.
std::string_view fromAbi(const vcp_string_t& text);
/// A plugin's error as a Status; bad codes, outcomes and bytes are mended. `code` is the function's return value, which
/// counts more than the struct. `mutation`: an open outcome is unknown.
Status fromAbi(std::int32_t code, const vcp_error_t& error, bool mutation);
vcp_error_t emptyError();

/// Waits at most `ms` on the caller's thread, real time, in slices; `stop` is asked after each. False when it stopped.
bool waitUnless(std::int64_t ms, const std::function<bool()>& stop);

}  // namespace vcc
