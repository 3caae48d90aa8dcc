// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/openapi.h"

#include <algorithm>
#include <array>
#include <map>

#include "api/error_map.h"
#include "api/json_writer.h"
#include "base/version.h"

namespace vcc {
namespace {

/// What a routing table does not say of a route. Schemas by name; no request = no body is looked at.
struct Description {
  std::string_view method;
  std::string_view pattern;
  std::string_view summary;
  std::string_view request;
  std::string_view answer;
};

constexpr std::array kDescriptions{
    Description{"GET", "", "Do the controller and this token work?", "", "Empty"},
    Description{"GET", "/", "Does the controller take changes?", "", "Health"},
    Description{"GET", "/health", "Does the controller take changes?", "", "Health"},
    Description{"GET", "/openapi.json", "This document.", "", "Document"},
    Description{"GET", "/accounts/authority", "Whose token this is, and what it may do.", "", "Authority"},
    Description{"GET", "/publickey", "The key to let in on existing servers.", "", "PublicKey"},
    Description{"GET", "/version", "Versions of the controller and its drivers.", "", "Version"},
    Description{"GET", "/vpn_catalog", "The networks that units can be put into.", "", "VpnCatalog"},
    Description{"GET", "/vcs", "The UnitGroups of the caller, with everything in them.", "", "Vcs"},
    Description{"POST", "/vcs", "Make a UnitGroup.", "VcBody", "NewVc"},
    Description{"POST", "/vcs/fail", "Tell of nodes that seem to have failed, so that they are looked at.", "FailBody",
                "Empty"},
    Description{"GET", "/vcs/{vcid}", "A UnitGroup.", "", "Vc"},
    Description{"POST", "/vcs/{vcid}", "Add a unit and begin to make its nodes or disks.", "UnitBody", "Empty"},
    Description{"PUT", "/vcs/{vcid}", "Rename a UnitGroup.", "VcBody", "Empty"},
    Description{"PATCH", "/vcs/{vcid}", "Give a UnitGroup to another user.", "OwnerBody", "Empty"},
    Description{"DELETE", "/vcs/{vcid}", "Delete a UnitGroup.", "ForceBody", "Empty"},
    Description{"GET", "/vcs/{vcid}/{unit}", "A unit.", "", "Unit"},
    Description{"PUT", "/vcs/{vcid}/{unit}", "Add nodes or disks.", "AddBody", "Empty"},
    Description{"DELETE", "/vcs/{vcid}/{unit}", "Delete a unit.", "ForceBody", "Empty"},
    Description{"GET", "/vcs/{vcid}/{unit}/{node_id}", "A node or disk.", "", "NodeOrDisk"},
    Description{"DELETE", "/vcs/{vcid}/{unit}/{node_id}", "Delete a node or disk.", "Empty", "Empty"},
};

const Description* descriptionOf(const Route& route) {
  const auto* const found = std::find_if(kDescriptions.begin(), kDescriptions.end(), [&](const Description& d) {
    return d.method == route.method && d.pattern == route.pattern;
  });
  return found == kDescriptions.end() ? nullptr : &*found;
}

std::string named(std::string_view method, std::string_view pattern) {
  return std::string(method) + " " + std::string(pattern);
}

std::string reference(std::string_view part, std::string_view name) {
  return R"({"$ref":"#/components/)" + std::string(part) + "/" + std::string(name) + "\"}";
}

std::vector<std::string> parametersOf(const std::string& pattern) {
  std::vector<std::string> names;
  for (std::size_t begin = pattern.find('{'); begin != std::string::npos; begin = pattern.find('{', begin + 1)) {
    names.push_back(pattern.substr(begin + 1, pattern.find('}', begin) - begin - 1));
  }
  return names;
}

void writeJsonContent(JsonWriter& json, std::string_view schema) {
  json.key("content").beginObject().key("application/json").beginObject();
  json.key("schema").raw(reference("schemas", schema)).endObject().endObject();
}

/// Ways to refuse that have a status of their own, with the exceptions that it stands for.
std::map<int, std::string> refusals() {
  std::map<int, std::string> names;
  for (const ErrorRow& row : errorRows()) {
    std::string& text = names[row.http_status];
    if (!text.empty()) text += ", ";
    text += row.exception;
  }
  return names;
}

void writeOperation(JsonWriter& json, const Route& route) {
  const Description* words = descriptionOf(route);
  std::string lower = route.method;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  json.key(lower).beginObject();
  json.key("summary").string(words == nullptr ? named(route.method, route.pattern) : words->summary);
  json.key("security").beginArray();
  if (route.needs_token) json.raw(R"({"token":[]})");
  json.endArray();
  json.key("parameters").beginArray();
  for (const std::string& name : parametersOf(route.pattern)) json.raw(reference("parameters", name));
  if (route.needs_token) json.raw(reference("parameters", "privileged"));
  json.endArray();
  if (words != nullptr && !words->request.empty()) {
    json.key("requestBody").beginObject();
    writeJsonContent(json, words->request);
    json.endObject();
  }
  json.key("responses").beginObject();
  json.key(route.mutating ? "202" : "200").beginObject();
  json.key("description").string(route.mutating ? "accepted; the change shows in the next read" : "as asked");
  writeJsonContent(json, words == nullptr ? "Document" : words->answer);
  json.endObject();
  for (const auto& [status, exceptions] : refusals()) {
    json.key(std::to_string(status)).raw(reference("responses", "refused_" + std::to_string(status)));
  }
  json.endObject().endObject();
}

void writePaths(JsonWriter& json, const std::vector<Route>& routes) {
  std::map<std::string, std::vector<const Route*>> by_path;
  for (const Route& route : routes) by_path[route.pattern].push_back(&route);
  json.beginObject();
  for (const auto& [pattern, methods] : by_path) {
    json.key("/occtr" + pattern).beginObject();
    for (const Route* route : methods) writeOperation(json, *route);
    json.endObject();
  }
  json.endObject();
}

void writePathParameter(JsonWriter& json, std::string_view name, std::string_view pattern) {
  json.key(name).beginObject().key("name").string(name).key("in").string("path").key("required").boolean(true);
  json.key("schema").beginObject().key("type").string("string").key("pattern").string(pattern).endObject().endObject();
}

void writeComponents(JsonWriter& json) {
  json.beginObject();
  json.key("securitySchemes").raw(R"({"token":{"type":"apiKey","in":"header","name":"x-vcc-access-token"}})");
  json.key("parameters").beginObject();
  writePathParameter(json, "vcid", R"(^\w+$)");
  writePathParameter(json, "unit", R"(^[a-zA-Z0-9_\-]+$)");
  writePathParameter(json, "node_id", R"(^\w+$)");
  json.key("privileged").raw(R"({"name":"x-vcc-privileged","in":"header","schema":{"type":"string"},
    "description":"\"true\" in any case: a user of the role super sees and changes the UnitGroups of all users"})");
  json.endObject();
  json.key("responses").beginObject();
  for (const auto& [status, exceptions] : refusals()) {
    json.key("refused_" + std::to_string(status)).beginObject().key("description").string(exceptions);
    writeJsonContent(json, "Error");
    json.endObject();
  }
  json.endObject();
  json.key("schemas").raw(openApiSchemas());
  json.endObject();
}

}  // namespace

std::string openApiDocument(const std::vector<Route>& routes) {
  JsonWriter json;
  json.beginObject();
  json.key("openapi").string("3.0.3");
  json.key("info").beginObject().key("title").string("VC Controller").key("version").string(kVersion);
  json.key("license").raw(R"({"name":"Apache-2.0","url":"https://www.apache.org/licenses/LICENSE-2.0"})").endObject();
  json.key("servers").raw(R"([{"url":"/vcp/v1"}])");
  json.key("paths");
  writePaths(json, routes);
  json.key("components");
  writeComponents(json);
  json.endObject();
  return json.take();
}

std::vector<std::string> undescribedRoutes(const std::vector<Route>& routes) {
  std::vector<std::string> missing;
  for (const Route& route : routes) {
    if (descriptionOf(route) == nullptr) missing.push_back(named(route.method, route.pattern));
  }
  return missing;
}

std::vector<std::string> unroutedDescriptions(const std::vector<Route>& routes) {
  std::vector<std::string> stale;
  for (const Description& words : kDescriptions) {
    const bool routed = std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
      return words.method == route.method && words.pattern == route.pattern;
    });
    if (!routed) stale.push_back(named(words.method, words.pattern));
  }
  return stale;
}

}  // namespace vcc
