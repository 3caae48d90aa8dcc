// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/extension.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/encoding.h"

namespace vcc {
namespace {

template <std::size_t N>
void copyText(char (&out)[N], const std::string& text) {
  const std::string cut = cleanUtf8(text, N - 1);
  const std::size_t size = std::min(cut.size(), N - 1);
  std::memcpy(out, cut.data(), size);
  out[size] = '\0';
}

}  // namespace

bool isText(const vcp_string_t& text, std::uint64_t limit) {
  return text.size <= limit && (text.data != nullptr || text.size == 0);
}

bool isSink(const vcp_text_sink_t* sink) {
  return sink != nullptr && VCP_HAS(vcp_text_sink_t, sink, write) && sink->write != nullptr;
}

std::int32_t writeText(const HostServices& host, const vcp_text_sink_t& sink, std::string_view text) noexcept {
  try {
    return sink.write(&sink, toAbi(text));
  } catch (...) {
    host.misbehaved("its text sink threw an exception");
    return VCP_INTERNAL;
  }
}

void fillError(vcp_error_t* out, const Status& status) {
  if (out == nullptr || !VCP_HAS(vcp_error_t, out, message)) return;
  out->code = static_cast<std::int32_t>(status.code());
  out->outcome = static_cast<std::int32_t>(status.outcome());
  out->retry_after_ms = status.retryAfterMs();
  copyText(out->message, status.message());
}

}  // namespace vcc
