// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/RegularExpression.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "api/vcp/openapi.h"
#include "api/vcp/vcp_api.h"

namespace vcc::test {

/// Holds answers against the OpenAPI document of a routing table, in what its schemas use of JSON Schema. As in
/// tests/support/contract.py an object whose keys are listed has no others, although clients ignore them.
class Contract {
  using Object = Poco::JSON::Object;
  using Var = Poco::Dynamic::Var;

 public:
  explicit Contract(const std::vector<Route>& routes)
      : document_(parse(openApiDocument(routes)).extract<Object::Ptr>()), router_(kVcpPrefix, routes) {}

  /// What is wrong with an answer; empty = nothing.
  std::string complaint(const std::string& method, const std::string& target, int status,
                        const std::string& body) const {
    if (method == "HEAD" || method == "OPTIONS") return {};
    const std::string said = fmt::format("{} {} -> {} {}", method, target.substr(0, 200), status, body.substr(0, 500));
    try {
      const auto operation = operationOf(method, target);
      if (!operation && status < 400) return said + ": the document knows nothing of this request";
      std::string wrong = "the document has no such status for it";
      if (!operation) {
        wrong = check(parse(body), resolved("#/components/schemas/Error"));
      } else if (const auto answer = operation->getObject("responses")->getObject(std::to_string(status))) {
        wrong = check(parse(body), schemaOf(answer));
      }
      return wrong.empty() ? "" : said + ": " + wrong;
    } catch (const Poco::Exception& e) {
      return said + ": " + e.displayText();
    }
  }

 private:
  static Var parse(const std::string& text) {
    Poco::JSON::Parser parser;
    return parser.parse(text);
  }

  Object::Ptr resolved(const std::string& reference) const {
    Object::Ptr at = document_;
    for (std::size_t begin = 2; begin < reference.size();) {
      const std::size_t end = std::min(reference.find('/', begin), reference.size());
      at = at->getObject(reference.substr(begin, end - begin));
      begin = end + 1;
    }
    return resolved(at);
  }
  Object::Ptr resolved(const Object::Ptr& part) const {
    return part->has("$ref") ? resolved(part->getValue<std::string>("$ref")) : part;
  }

  Object::Ptr operationOf(const std::string& method, const std::string& target) const {
    const Result<Router::Match> match = router_.match(method, target);
    if (!match.ok() || match->route == nullptr) return nullptr;
    std::string lower = match->route->method;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return document_->getObject("paths")->getObject("/occtr" + match->route->pattern)->getObject(lower);
  }

  Object::Ptr schemaOf(const Object::Ptr& answer) const {
    return resolved(resolved(answer)->getObject("content")->getObject("application/json")->getObject("schema"));
  }

  static bool isOfType(const Var& value, const std::string& type) {
    if (type == "object") return value.type() == typeid(Object::Ptr);
    if (type == "array") return value.type() == typeid(Poco::JSON::Array::Ptr);
    if (type == "boolean") return value.isBoolean();
    if (type == "integer") return value.isInteger() && !value.isBoolean();
    return value.isString();
  }

  std::string check(const Var& value, const Object::Ptr& unresolved) const {
    const Object::Ptr schema = resolved(unresolved);
    const std::string type = schema->optValue<std::string>("type", "");
    if (!type.empty() && !isOfType(value, type)) return "a value is no " + type;
    if (const auto words = schema->getArray("enum")) {
      if (std::find(words->begin(), words->end(), value) == words->end()) return value.toString() + " is no such word";
    }
    if (schema->has("minimum") && value.convert<std::int64_t>() < schema->getValue<std::int64_t>("minimum")) {
      return value.toString() + " is too small";
    }
    if (schema->has("pattern")) {
      const Poco::RegularExpression pattern(schema->getValue<std::string>("pattern"));
      Poco::RegularExpression::Match match;
      if (pattern.match(value.toString(), match) == 0) return "\"" + value.toString() + "\" is not in its form";
    }
    if (const auto choices = schema->getArray("oneOf")) {
      const auto fits = std::count_if(choices->begin(), choices->end(), [&](const Var& choice) {
        return check(value, choice.extract<Object::Ptr>()).empty();
      });
      if (fits != 1) return fmt::format("a value fits {} of the forms that it may have", fits);
    }
    if (value.type() == typeid(Object::Ptr)) return checkObject(value.extract<Object::Ptr>(), schema);
    if (value.type() == typeid(Poco::JSON::Array::Ptr) && schema->has("items")) {
      for (const Var& item : *value.extract<Poco::JSON::Array::Ptr>()) {
        if (std::string wrong = check(item, schema->getObject("items")); !wrong.empty()) return wrong;
      }
    }
    return {};
  }

  std::string checkObject(const Object::Ptr& object, const Object::Ptr& schema) const {
    if (const auto names = schema->getArray("required")) {
      for (const Var& name : *names) {
        if (!object->has(name.toString())) return name.toString() + " is missing";
      }
    }
    if (schema->has("not") && checkObject(object, schema->getObject("not")).empty())
      return "a key that must not be there";
    if (schema->has("maxProperties") && object->size() > schema->getValue<std::size_t>("maxProperties")) {
      return "there is more in it than may be";
    }
    const Object::Ptr properties = schema->getObject("properties");
    const Object::Ptr others = schema->getObject("additionalProperties");
    if (!properties && !others) return {};
    for (const std::string& name : object->getNames()) {
      const Object::Ptr known = properties && properties->has(name) ? properties->getObject(name) : others;
      if (!known) return name + " is not described";
      if (std::string wrong = check(object->get(name), known); !wrong.empty()) return name + ": " + wrong;
    }
    return {};
  }

  const Object::Ptr document_;
  Router router_;
};

/// That of the REST API, once there is a routing table to make it from. Asked for by all tests of a process.
inline std::unique_ptr<const Contract>& restContract() {
  static std::unique_ptr<const Contract> contract;
  return contract;
}

/// Fails the test when the answer to a request of the REST API is not as described.
inline void holdToContract(const std::string& method, const std::string& target, int status, const std::string& body) {
  if (!restContract() || !target.starts_with(kVcpPrefix)) return;
  const std::string wrong = restContract()->complaint(method, target, status, body);
  CHECK_MESSAGE(wrong.empty(), wrong);
}

}  // namespace vcc::test
