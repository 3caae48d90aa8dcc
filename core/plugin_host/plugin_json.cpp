// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/plugin_json.h"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/ParseHandler.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>
#include <Poco/JSONString.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr int kMaxDepth = 8;

Result<Poco::Dynamic::Var> convert(const YAML::Node& node, int depth) {
  using Poco::Dynamic::Var;
  if (depth > kMaxDepth) return invalidArgument("is nested too deeply");
  if (node.IsScalar()) return Var(node.Scalar());
  if (node.IsSequence()) {
    Poco::JSON::Array::Ptr list = new Poco::JSON::Array;
    for (const auto& entry : node) {
      VCC_ASSIGN_OR_RETURN(const Var value, convert(entry, depth + 1));
      list->add(value);
    }
    return Var(list);
  }
  if (node.IsMap()) {
    Poco::JSON::Object::Ptr map = new Poco::JSON::Object;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) return invalidArgument("has a key that is not a word");
      VCC_ASSIGN_OR_RETURN(const Var value, convert(pair.second, depth + 1));
      map->set(pair.first.Scalar(), value);
    }
    return Var(map);
  }
  return Var();
}

std::string toText(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

Poco::JSON::Object::Ptr parseObject(const std::string& text) {
  Poco::JSON::Parser parser;
  parser.setDepth(32);
  return parser.parse(text).extract<Poco::JSON::Object::Ptr>();
}

using Poco::Dynamic::Var;

/// The parser takes arrays and objects only, so the document becomes the one element of an array.
Result<Var> parseDocument(std::string_view document) {
  if (document.size() > kMaxJsonBytes) return invalidArgument("the document is longer than 8 MiB");
  if (!isUtf8(document)) return invalidArgument("the document is not UTF-8");
  Poco::JSON::Parser parser(new Poco::JSON::ParseHandler(true));  // keeps the order of names
  parser.setDepth(kMaxJsonDepth + 1);
  try {
    const auto list = parser.parse("[" + std::string(document) + "]").extract<Poco::JSON::Array::Ptr>();
    if (list->size() != 1) return invalidArgument("the document is not one JSON value");
    return list->get(0);
  } catch (const Poco::Exception&) {  // its text may show parts of the document
    return invalidArgument("the document is not JSON, or nested too deeply");
  }
}

/// One step of a pointer, its escapes undone.
Result<std::string> pointerToken(std::string_view escaped) {
  std::string token;
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

Result<Var> child(const Var& parent, const std::string& token) {
  const Status nowhere = notFound("the pointer leads nowhere");
  if (parent.type() == typeid(Poco::JSON::Object::Ptr)) {
    const auto& object = *parent.extract<Poco::JSON::Object::Ptr>();
    if (!object.has(token)) return nowhere;
    return object.get(token);
  }
  if (parent.type() == typeid(Poco::JSON::Array::Ptr)) {
    const auto& list = *parent.extract<Poco::JSON::Array::Ptr>();
    unsigned index = 0;
    const char* end = token.data() + token.size();
    const auto read = std::from_chars(token.data(), end, index);
    const bool plain = read.ec == std::errc() && read.ptr == end && (token.size() == 1 || token[0] != '0');
    if (!plain || index >= list.size()) return nowhere;
    return list.get(index);
  }
  return nowhere;
}

Result<Var> locate(std::string_view document, std::string_view pointer) {
  if (!pointer.empty() && pointer[0] != '/') return invalidArgument("the pointer does not begin with '/'");
  VCC_ASSIGN_OR_RETURN(Var at, parseDocument(document));
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    VCC_ASSIGN_OR_RETURN(const std::string token, pointerToken(pointer.substr(0, end)));
    VCC_ASSIGN_OR_RETURN(at, child(at, token));
    pointer.remove_prefix(end);
  }
  return at;
}

JsonValue valueOf(const Var& value) {
  if (value.isEmpty()) return {JsonType::kNull, "null"};
  if (value.isString()) return {JsonType::kString, value.extract<std::string>()};
  if (value.isBoolean()) return {JsonType::kBoolean, value.convert<bool>() ? "true" : "false"};
  std::ostringstream out;
  Poco::JSON::Stringifier::condense(value, out);
  if (value.isNumeric()) return {JsonType::kNumber, out.str()};
  const bool list = value.type() == typeid(Poco::JSON::Array::Ptr);
  return {list ? JsonType::kArray : JsonType::kObject, out.str()};
}

}  // namespace

Result<std::string> yamlToJson(const YAML::Node& node) {
  VCC_ASSIGN_OR_RETURN(const Poco::Dynamic::Var value, convert(node, 0));
  return toText(*value.extract<Poco::JSON::Object::Ptr>());
}

std::string openConfigJson(const std::string& instance, bool evaluation, const std::string& data_dir,
                           const std::string& options_json) {
  Poco::JSON::Object config;
  config.set("instance", instance);
  config.set("evaluation", evaluation);
  config.set("data_dir", data_dir);
  config.set("options", parseObject(options_json));
  return toText(config);
}

Result<SchemaKeys> schemaKeys(const std::string& schema_json) {
  try {
    const Poco::JSON::Object::Ptr properties = parseObject(schema_json)->getObject("properties");
    if (properties.isNull()) return invalidArgument("the schema has no object 'properties'");
    SchemaKeys keys;
    for (const std::string& name : properties->getNames()) {
      const Poco::JSON::Object::Ptr property = properties->getObject(name);
      if (property.isNull()) return invalidArgument("the schema's property '" + name + "' is not an object");
      (property->optValue("x-vcp-secret", false) ? keys.secret : keys.clear).push_back(name);
    }
    return keys;
  } catch (const Poco::Exception& e) {
    return invalidArgument("the schema is not a JSON object: " + e.displayText());
  }
}

Result<JsonValue> jsonAt(std::string_view document, std::string_view pointer) {
  VCC_ASSIGN_OR_RETURN(const Var found, locate(document, pointer));
  return valueOf(found);
}

Status jsonEach(std::string_view document, std::string_view pointer,
                const std::function<bool(std::string_view name, const JsonValue& value)>& visit) {
  VCC_ASSIGN_OR_RETURN(const Var found, locate(document, pointer));
  if (found.type() == typeid(Poco::JSON::Array::Ptr)) {
    for (const Var& value : *found.extract<Poco::JSON::Array::Ptr>()) {
      if (!visit("", valueOf(value))) break;
    }
    return okStatus();
  }
  if (found.type() == typeid(Poco::JSON::Object::Ptr)) {
    const auto& object = *found.extract<Poco::JSON::Object::Ptr>();
    for (const std::string& name : object.getNames()) {
      if (!visit(name, valueOf(object.get(name)))) break;
    }
    return okStatus();
  }
  return invalidArgument("the value at the pointer has no members");
}

Result<std::string> jsonQuote(std::string_view text) {
  if (text.size() > kMaxJsonBytes) return invalidArgument("the text is longer than 8 MiB");
  if (!isUtf8(text)) return invalidArgument("the text is not UTF-8");
  return Poco::toJSON(std::string(text), Poco::JSON_WRAP_STRINGS);
}

}  // namespace vcc
