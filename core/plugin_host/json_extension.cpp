// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/json_extension.h"

#include "plugin_host/extension.h"
#include "plugin_host/json_document.h"

namespace vcc {
namespace {

constexpr std::uint64_t kMaxPointer = std::uint64_t{64} << 10U;

bool isAsked(const vcp_string_t& document, const vcp_string_t& pointer) {
  return isText(document, kMaxJsonBytes) && isText(pointer, kMaxPointer);
}

std::int32_t codeOf(const Status& status) { return static_cast<std::int32_t>(status.code()); }

}  // namespace

JsonExtension::JsonExtension(const HostServices& host) : host_(host) {
  table_.struct_size = sizeof table_;
  table_.host_data = this;
  table_.get = &get;
  table_.each = &each;
  table_.quote = &quote;
}

const HostServices& JsonExtension::hostOf(const vcp_json_t* json) {
  return static_cast<const JsonExtension*>(json->host_data)->host_;
}

std::int32_t JsonExtension::get(const vcp_json_t* json, vcp_string_t document, vcp_string_t pointer, std::int32_t* type,
                                const vcp_text_sink_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (json == nullptr || !isAsked(document, pointer) || !isSink(out)) return VCP_INVALID_ARGUMENT;
    const Result<JsonValue> value = jsonAt(fromAbi(document), fromAbi(pointer));
    if (!value.ok()) return codeOf(value.status());
    if (type != nullptr) *type = static_cast<std::int32_t>(value->type);
    return writeText(hostOf(json), *out, value->text.reveal());
  });
}

std::int32_t JsonExtension::each(const vcp_json_t* json, vcp_string_t document, vcp_string_t pointer,
                                 const vcp_json_visitor_t* visitor) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (json == nullptr || !isAsked(document, pointer) || visitor == nullptr ||
        !VCP_HAS(vcp_json_visitor_t, visitor, member) || visitor->member == nullptr) {
      return VCP_INVALID_ARGUMENT;
    }
    std::int32_t answer = VCP_OK;
    const Status status = jsonEach(fromAbi(document), fromAbi(pointer), [&](auto name, const JsonValue& value) {
      try {
        answer =
            visitor->member(visitor, toAbi(name), static_cast<std::int32_t>(value.type), toAbi(value.text.reveal()));
      } catch (...) {
        hostOf(json).misbehaved("its json visitor threw an exception");
        answer = VCP_INTERNAL;
      }
      return answer == VCP_OK;
    });
    return status.ok() ? answer : codeOf(status);
  });
}

std::int32_t JsonExtension::quote(const vcp_json_t* json, vcp_string_t text, const vcp_text_sink_t* out) noexcept {
  return guardedCode([&]() -> std::int32_t {
    if (json == nullptr || !isText(text, kMaxJsonBytes) || !isSink(out)) return VCP_INVALID_ARGUMENT;
    const Result<SecretString> quoted = jsonQuote(fromAbi(text));
    return quoted.ok() ? writeText(hostOf(json), *out, quoted->reveal()) : codeOf(quoted.status());
  });
}

}  // namespace vcc
