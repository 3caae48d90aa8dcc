// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/plugin_json.h"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

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

}  // namespace

Result<std::string> yamlToJson(const YAML::Node& node) {
  VCC_ASSIGN_OR_RETURN(const Poco::Dynamic::Var value, convert(node, 0));
  return toText(*value.extract<Poco::JSON::Object::Ptr>());
}

std::string mergeObjects(const std::string& base, const std::string& over) {
  Poco::JSON::Object::Ptr merged = parseObject(base);
  const Poco::JSON::Object::Ptr added = parseObject(over);
  for (const std::string& name : added->getNames()) merged->set(name, added->get(name));
  return toText(*merged);
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
      if (!property->optValue("x-vcp-disks", false)) continue;
      if (keys.clear.empty() || keys.clear.back() != name) {
        return invalidArgument("the schema's property '" + name + "' is marked x-vcp-secret and x-vcp-disks");
      }
      keys.disks.push_back(name);
    }
    return keys;
  } catch (const Poco::Exception& e) {
    return invalidArgument("the schema is not a JSON object: " + e.displayText());
  }
}

}  // namespace vcc
