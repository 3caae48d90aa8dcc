// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "vcp/plugin/cpp/session.h"
#include "vcp/plugin/testing/fake_host.h"

namespace vcp::plugin::testing {

/// The session cache of a FakeHost: values by credentials and catalog entry, expired by its clock. Thread safe, but
/// nobody ever waits: two calls may make the same value. Outlives the driver.
class FakeSession {
 public:
  explicit FakeSession(FakeHost& host) : host_(host) {
    table_.struct_size = sizeof table_;
    table_.host_data = this;
    table_.get = [](const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                    const vcp_text_sink_t* out) -> std::int32_t {
      FakeSession& self = of(session);
      if (call == nullptr || key.size == 0 || key.size > 128) return VCP_INVALID_ARGUMENT;
      const std::lock_guard<std::mutex> lock(self.mutex_);
      const auto found = self.values_.find(name(call, key));
      if (found != self.values_.end() && found->second.expires_mono > self.host_.mono_ms) {
        ++self.hits;
        return out->write(out, borrow(found->second.value));
      }
      ++self.misses;
      return VCP_NOT_FOUND;
    };
    table_.put = [](const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key, vcp_string_t value,
                    std::int64_t ttl_ms) -> std::int32_t {
      FakeSession& self = of(session);
      if (call == nullptr || key.size == 0 || key.size > 128 || value.size == 0 || value.size > 256 * 1024 ||
          ttl_ms < 1) {
        return VCP_INVALID_ARGUMENT;
      }
      const std::lock_guard<std::mutex> lock(self.mutex_);
      self.values_[name(call, key)] = {std::string(view(value)), self.host_.mono_ms + ttl_ms};
      return VCP_OK;
    };
    table_.drop = [](const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key,
                     vcp_string_t value) -> std::int32_t {
      FakeSession& self = of(session);
      if (call == nullptr || key.size == 0 || key.size > 128) return VCP_INVALID_ARGUMENT;
      const std::lock_guard<std::mutex> lock(self.mutex_);
      const auto found = self.values_.find(name(call, key));
      if (found != self.values_.end() && (value.size == 0 || view(value) == found->second.value)) {
        self.values_.erase(found);
      }
      return VCP_OK;
    };
    host.provide(VCP_SESSION_ID, &table_);
  }
  FakeSession(const FakeSession&) = delete;
  FakeSession& operator=(const FakeSession&) = delete;

  int hits = 0;
  int misses = 0;

 private:
  using Name = std::tuple<std::string, std::string, std::string>;
  struct Value {
    std::string value;
    std::int64_t expires_mono = 0;
  };

  static FakeSession& of(const vcp_session_t* session) { return *static_cast<FakeSession*>(session->host_data); }
  static Name name(const vcp_call_t* call, vcp_string_t key) {
    return {std::string(view(call->credentials)), std::string(view(call->catalog_entry)), std::string(view(key))};
  }

  FakeHost& host_;
  vcp_session_t table_{};
  std::mutex mutex_;  // guards values_
  std::map<Name, Value> values_;
};

}  // namespace vcp::plugin::testing
