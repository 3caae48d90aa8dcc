// SPDX-License-Identifier: Apache-2.0
#include "model/json_tree.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/ParseHandler.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSONString.h>

namespace vcc {
namespace {

void append(const YamlValue& value, std::string& out) {
  switch (value.kind) {
    case YamlValue::Kind::kNull:
      out += "null";
      return;
    case YamlValue::Kind::kScalar:
      out += quoteJson(value.text);
      return;
    case YamlValue::Kind::kList: {
      out += '[';
      std::string_view separator;
      for (const YamlValue& item : value.items) {
        out += separator;
        append(item, out);
        separator = ",";
      }
      out += ']';
      return;
    }
    case YamlValue::Kind::kMap: {
      out += '{';
      std::string_view separator;
      for (const auto& [key, member] : value.members) {
        out += separator;
        out += quoteJson(key) + ':';
        append(member, out);
        separator = ",";
      }
      out += '}';
      return;
    }
  }
}

YamlValue fromVar(const Poco::Dynamic::Var& var) {
  if (var.isEmpty()) return {};
  if (var.type() == typeid(Poco::JSON::Object::Ptr)) {
    YamlValue map = YamlValue::map();
    const auto& object = var.extract<Poco::JSON::Object::Ptr>();
    for (const std::string& key : object->getNames()) map.add(key, fromVar(object->get(key)));
    return map;
  }
  if (var.type() == typeid(Poco::JSON::Array::Ptr)) {
    YamlValue list = YamlValue::list();
    for (const Poco::Dynamic::Var& item : *var.extract<Poco::JSON::Array::Ptr>()) list.items.push_back(fromVar(item));
    return list;
  }
  return YamlValue::scalar(var.convert<std::string>());
}

}  // namespace

std::string toJson(const YamlValue& tree) {
  std::string out;
  append(tree, out);
  return out;
}

std::string quoteJson(std::string_view text) { return Poco::toJSON(std::string(text), Poco::JSON_WRAP_STRINGS); }

Result<YamlValue> treeFromJson(std::string_view json) {
  try {
    constexpr bool kPreserveOrder = true;
    Poco::JSON::Parser parser(new Poco::JSON::ParseHandler(kPreserveOrder));
    parser.setDepth(64);
    return fromVar(parser.parse(std::string(json)));
  } catch (const Poco::Exception&) {
    return invalidArgument("the text is not JSON");
  }
}

}  // namespace vcc
