// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "vcp/plugin/ext/json.h"

namespace vcc {

class HostServices;

/// "vcp.host.json/1": turns borrowed memory into checked values and back. Thread safe.
class JsonExtension {
 public:
  /// `host` is borrowed and only used for reports of misbehaviour.
  explicit JsonExtension(const HostServices& host);
  JsonExtension(const JsonExtension&) = delete;
  JsonExtension& operator=(const JsonExtension&) = delete;

  const vcp_json_t* table() const { return &table_; }

 private:
  static const HostServices& hostOf(const vcp_json_t* json);
  static std::int32_t get(const vcp_json_t* json, vcp_string_t document, vcp_string_t pointer, std::int32_t* type,
                          const vcp_text_sink_t* out) noexcept;
  static std::int32_t each(const vcp_json_t* json, vcp_string_t document, vcp_string_t pointer,
                           const vcp_json_visitor_t* visitor) noexcept;
  static std::int32_t quote(const vcp_json_t* json, vcp_string_t text, const vcp_text_sink_t* out) noexcept;

  const HostServices& host_;
  vcp_json_t table_{};
};

}  // namespace vcc
