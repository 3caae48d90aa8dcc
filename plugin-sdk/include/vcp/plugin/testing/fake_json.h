// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/ext/json.h"
#include "vcp/plugin/testing/fake_host.h"

namespace vcp::plugin::testing {

/// JSON of a FakeHost, for tests of drivers in plain C. Thread safe. Outlives the driver.
class FakeJson {
 public:
  explicit FakeJson(FakeHost& host) {
    table_.struct_size = sizeof table_;
    table_.get = [](const vcp_json_t*, vcp_string_t document, vcp_string_t pointer, std::int32_t* type,
                    const vcp_text_sink_t* out) -> std::int32_t {
      return located(document, pointer, [&](const Value& value) {
        if (type != nullptr) *type = typeOf(value);
        return out->write(out, borrow(textOfValue(value)));
      });
    };
    table_.each = [](const vcp_json_t*, vcp_string_t document, vcp_string_t pointer,
                     const vcp_json_visitor_t* visitor) -> std::int32_t {
      return located(document, pointer, [&](const Value& value) -> std::int32_t {
        if (!value.is_structured()) return VCP_INVALID_ARGUMENT;
        for (const auto& member : value.items()) {
          const std::string key = value.is_object() ? member.key() : std::string();
          const std::string text = textOfValue(member.value());
          const std::int32_t code = visitor->member(visitor, borrow(key), typeOf(member.value()), borrow(text));
          if (code != VCP_OK) return code;
        }
        return VCP_OK;
      });
    };
    table_.quote = [](const vcp_json_t*, vcp_string_t text, const vcp_text_sink_t* out) -> std::int32_t {
      try {
        return out->write(out, borrow(Value(std::string(view(text))).dump()));
      } catch (const Value::exception&) {
        return VCP_INVALID_ARGUMENT;  // not UTF-8
      }
    };
    host.provide(VCP_JSON_ID, &table_);
  }
  FakeJson(const FakeJson&) = delete;
  FakeJson& operator=(const FakeJson&) = delete;

 private:
  using Value = nlohmann::ordered_json;

  template <class Use>
  static std::int32_t located(vcp_string_t document, vcp_string_t pointer, Use&& use) {
    try {
      const Value whole = Value::parse(view(document), nullptr, false);
      if (whole.is_discarded()) return VCP_INVALID_ARGUMENT;
      const Value::json_pointer where{std::string(view(pointer))};
      return whole.contains(where) ? use(whole.at(where)) : VCP_NOT_FOUND;
    } catch (const Value::exception&) {
      return VCP_INVALID_ARGUMENT;  // not a pointer
    }
  }

  static std::string textOfValue(const Value& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  static std::int32_t typeOf(const Value& value) {
    if (value.is_null()) return VCP_JSON_NULL;
    if (value.is_boolean()) return VCP_JSON_BOOLEAN;
    if (value.is_number()) return VCP_JSON_NUMBER;
    if (value.is_string()) return VCP_JSON_STRING;
    return value.is_array() ? VCP_JSON_ARRAY : VCP_JSON_OBJECT;
  }

  vcp_json_t table_{};
};

}  // namespace vcp::plugin::testing
