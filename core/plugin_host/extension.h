// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <new>
#include <string_view>

#include "base/status.h"
#include "plugin_host/host_services.h"
#include "vcp/plugin/abi.h"

/// What the extensions share: checks of what a plugin gives, and what goes back to it.
namespace vcc {

/// Has a pointer if it has a size, and at most `limit` bytes?
bool isText(const vcp_string_t& text, std::uint64_t limit);
/// Can it be written to?
bool isSink(const vcp_text_sink_t* sink);
/// Gives `text` to the plugin's sink in one piece; VCP_OK or what the sink answered. A sink that throws is reported.
std::int32_t writeText(const HostServices& host, const vcp_text_sink_t& sink, std::string_view text) noexcept;
/// Copies a failure; does nothing when `out` is null or too short.
void fillError(vcp_error_t* out, const Status& status);

/// The barrier of functions that answer with a code alone.
template <class Function>
std::int32_t guardedCode(Function&& function) noexcept {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return VCP_RESOURCE_EXHAUSTED;
  } catch (...) {
    return VCP_INTERNAL;
  }
}

}  // namespace vcc
