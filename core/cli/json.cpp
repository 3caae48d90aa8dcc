// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>

namespace vcc::cli {
namespace {

Poco::Dynamic::Var member(const Poco::Dynamic::Var& value, const std::string& key) {
  if (value.type() != typeid(Poco::JSON::Object::Ptr)) return {};
  return value.extract<Poco::JSON::Object::Ptr>()->get(key);
}

}  // namespace

Json Json::parse(const std::string& text) {
  Poco::JSON::Parser parser;
  return Json(parser.parse(text));
}

std::string Json::text(const std::string& key) const {
  const Poco::Dynamic::Var value = member(value_, key);
  return value.isString() ? value.extract<std::string>() : std::string();
}

std::int64_t Json::number(const std::string& key) const {
  const Poco::Dynamic::Var value = member(value_, key);
  return !value.isEmpty() && value.isInteger() ? value.convert<Poco::Int64>() : 0;
}

bool Json::flag(const std::string& key) const {
  const Poco::Dynamic::Var value = member(value_, key);
  return value.isBoolean() && value.extract<bool>();
}

Json Json::at(const std::string& key) const { return Json(member(value_, key)); }

std::vector<Json> Json::items(const std::string& key) const {
  std::vector<Json> out;
  const Poco::Dynamic::Var value = member(value_, key);
  if (value.type() != typeid(Poco::JSON::Array::Ptr)) return out;
  for (const Poco::Dynamic::Var& item : *value.extract<Poco::JSON::Array::Ptr>()) out.push_back(Json(item));
  return out;
}

std::vector<std::string> Json::texts(const std::string& key) const {
  std::vector<std::string> out;
  for (const Json& item : items(key)) {
    if (item.value_.isString()) out.push_back(item.value_.extract<std::string>());
  }
  return out;
}

std::string Json::pretty() const {
  std::ostringstream out;
  Poco::JSON::Stringifier::stringify(value_, out, 2);
  return out.str();
}

std::string Json::line() const {
  std::ostringstream out;
  Poco::JSON::Stringifier::stringify(value_, out);
  return out.str();
}

std::string jsonObject(const std::vector<JsonField>& fields) {
  Poco::JSON::Object object;
  for (const auto& [key, value] : fields) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      object.set(key, *text);
    } else {
      object.set(key, std::get<std::int64_t>(value));
    }
  }
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

}  // namespace vcc::cli
