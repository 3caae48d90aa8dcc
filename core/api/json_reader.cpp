// SPDX-License-Identifier: Apache-2.0
#include "api/json_reader.h"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxDepth = 16;

Status wrong(const std::string& key, std::string_view what) {
  return invalidArgument("body of the request: \"" + key + "\" " + std::string(what));
}

Result<std::string> plainText(const std::string& key, const Poco::Dynamic::Var& value) {
  if (!value.isString()) return wrong(key, "must be a string");
  auto text = value.extract<std::string>();
  // \u escapes can smuggle in NUL and lone surrogates although the body itself was clean.
  if (text.find('\0') != std::string::npos) return wrong(key, "holds a NUL character");
  if (!isUtf8(text)) return wrong(key, "is not well-formed Unicode");
  return text;
}

/// The parser stops after the first value, so what follows is checked here: only brackets outside strings count.
bool endsAfterObject(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return text.find_first_not_of(" \t\r\n", i + 1) == std::string_view::npos;
    }
  }
  return false;
}

}  // namespace

struct JsonBody::Impl {
  Poco::JSON::Object::Ptr object;
};

Result<JsonBody> JsonBody::parse(const std::string& text) {
  auto impl = std::make_shared<Impl>();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) {
    impl->object = new Poco::JSON::Object;
    return JsonBody(std::move(impl));
  }
  if (!isUtf8(text)) return invalidArgument("body of the request: it is not UTF-8");
  if (text[first] != '{') return invalidArgument("body of the request: it must be a JSON object");
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(kMaxDepth);
    const Poco::Dynamic::Var root = parser.parse(text);
    if (root.type() != typeid(Poco::JSON::Object::Ptr) || !endsAfterObject(text)) {
      return invalidArgument("body of the request: it must be one JSON object");
    }
    impl->object = root.extract<Poco::JSON::Object::Ptr>();
  } catch (const std::exception&) {
    // The parser's text may quote the body, which may hold secrets.
    return invalidArgument("body of the request: it is not JSON, or is nested deeper than " +
                           std::to_string(kMaxDepth) + " levels");
  }
  return JsonBody(std::move(impl));
}

bool JsonBody::has(const std::string& key) const { return impl_->object->has(key); }

Result<std::string> JsonBody::text(const std::string& key, const std::string& fallback) const {
  if (!has(key)) return fallback;
  return plainText(key, impl_->object->get(key));
}

Result<std::int64_t> JsonBody::integer(const std::string& key, std::int64_t fallback) const {
  if (!has(key)) return fallback;
  const Poco::Dynamic::Var value = impl_->object->get(key);
  if (value.isEmpty() || value.isBoolean() || !value.isInteger()) return wrong(key, "must be a whole number");
  try {
    return static_cast<std::int64_t>(value.convert<Poco::Int64>());
  } catch (const std::exception&) {
    return wrong(key, "is too large a number");
  }
}

Result<bool> JsonBody::flag(const std::string& key, bool fallback) const {
  if (!has(key)) return fallback;
  const Poco::Dynamic::Var value = impl_->object->get(key);
  if (value.isBoolean()) return value.extract<bool>();
  if (value.isString()) {
    const auto& text = value.extract<std::string>();
    if (text == "true" || text == "True") return true;
    if (text == "false" || text == "False") return false;
  }
  return wrong(key, "must be \"true\" or \"false\"");
}

Result<std::vector<std::string>> JsonBody::texts(const std::string& key, std::size_t limit) const {
  return list(key, limit, Items::kTexts);
}

Result<std::vector<std::string>> JsonBody::words(const std::string& key, std::size_t limit) const {
  return list(key, limit, Items::kTextsOrNumbers);
}

Result<std::vector<std::string>> JsonBody::list(const std::string& key, std::size_t limit, Items items) const {
  std::vector<std::string> out;
  if (!has(key)) return out;
  const Poco::Dynamic::Var value = impl_->object->get(key);
  if (value.type() != typeid(Poco::JSON::Array::Ptr))
    return wrong(key, items == Items::kTexts ? "must be a list of strings" : "must be a list of strings or numbers");
  const auto& array = *value.extract<Poco::JSON::Array::Ptr>();
  if (array.size() > limit) return wrong(key, "has more than " + std::to_string(limit) + " entries");
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Poco::Dynamic::Var entry = array.get(static_cast<unsigned>(i));
    if (items == Items::kTextsOrNumbers && entry.isInteger() && !entry.isBoolean()) {
      out.push_back(entry.convert<std::string>());
      continue;
    }
    VCC_ASSIGN_OR_RETURN(std::string item, plainText(key + "[" + std::to_string(i) + "]", entry));
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace vcc
