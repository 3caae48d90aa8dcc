// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/json_document.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/wiping_allocator.h"

namespace vcc {
namespace {

using Text = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;
template <typename T>
using Wiped = WipingAllocator<T>;
using Json =
    nlohmann::basic_json<nlohmann::ordered_map, std::vector, Text, bool, std::int64_t, std::uint64_t, double, Wiped>;

/// Counted before parsing: what is built from a shallow text can be walked by recursion.
bool isTooDeep(std::string_view document) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const char c = document[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    } else {
      in_string = c == '"';
    }
  }
  return false;
}

Result<Json> parseDocument(std::string_view document) {
  if (document.size() > kMaxJsonBytes) return invalidArgument("the document is longer than 8 MiB");
  if (isTooDeep(document)) return invalidArgument("the document is nested more than 64 deep");
  Json value = Json::parse(document, nullptr, false);
  if (value.is_discarded()) return invalidArgument("the document is not JSON");
  return value;
}

/// One step of a pointer, its escapes undone.
Result<Text> pointerToken(std::string_view escaped) {
  Text token;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '~') {
      token += escaped[i];
      continue;
    }
    const char code = ++i < escaped.size() ? escaped[i] : '\0';
    if (code != '0' && code != '1') return invalidArgument("the pointer has a '~' without 0 or 1");
    token += code == '0' ? '~' : '/';
  }
  return token;
}

/// Null when there is none.
const Json* child(const Json& parent, const Text& token) {
  if (parent.is_object()) {
    const auto found = parent.find(token);
    return found == parent.end() ? nullptr : &*found;
  }
  if (!parent.is_array()) return nullptr;
  std::size_t index = 0;
  const char* end = token.data() + token.size();
  const auto read = std::from_chars(token.data(), end, index);
  const bool plain = read.ec == std::errc() && read.ptr == end && (token.size() == 1 || token[0] != '0');
  return plain && index < parent.size() ? &parent[index] : nullptr;
}

/// The value in `document` that the pointer leads to.
Result<const Json*> locate(const Json& document, std::string_view pointer) {
  if (!pointer.empty() && pointer[0] != '/') return invalidArgument("the pointer does not begin with '/'");
  const Json* at = &document;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    VCC_ASSIGN_OR_RETURN(const Text token, pointerToken(pointer.substr(0, end)));
    at = child(*at, token);
    if (at == nullptr) return notFound("the pointer leads nowhere");
    pointer.remove_prefix(end);
  }
  return at;
}

JsonType typeOf(const Json& value) {
  if (value.is_null()) return JsonType::kNull;
  if (value.is_boolean()) return JsonType::kBoolean;
  if (value.is_number()) return JsonType::kNumber;
  if (value.is_string()) return JsonType::kString;
  return value.is_array() ? JsonType::kArray : JsonType::kObject;
}

JsonValue valueOf(const Json& value) {
  const Text text = value.is_string() ? value.get<Text>() : value.dump();
  return {typeOf(value), SecretString(std::string(text))};
}

}  // namespace

Result<JsonValue> jsonAt(std::string_view document, std::string_view pointer) {
  VCC_ASSIGN_OR_RETURN(const Json whole, parseDocument(document));
  VCC_ASSIGN_OR_RETURN(const Json* found, locate(whole, pointer));
  return valueOf(*found);
}

Status jsonEach(std::string_view document, std::string_view pointer,
                const std::function<bool(std::string_view name, const JsonValue& value)>& visit) {
  VCC_ASSIGN_OR_RETURN(const Json whole, parseDocument(document));
  VCC_ASSIGN_OR_RETURN(const Json* found, locate(whole, pointer));
  if (!found->is_structured()) return invalidArgument("the value at the pointer has no members");
  for (auto member = found->begin(); member != found->end(); ++member) {
    if (!visit(found->is_object() ? std::string_view(member.key()) : std::string_view(), valueOf(*member))) break;
  }
  return okStatus();
}

Result<SecretString> jsonQuote(std::string_view text) {
  if (text.size() > kMaxJsonBytes) return invalidArgument("the text is longer than 8 MiB");
  if (!isUtf8(text)) return invalidArgument("the text is not UTF-8");
  return SecretString(std::string(Json(Text(text)).dump()));
}

}  // namespace vcc
