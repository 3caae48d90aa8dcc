// SPDX-License-Identifier: Apache-2.0
#include "case_file.h"

#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

using plugin::Json;

constexpr std::size_t kMaxBytes = 1U << 20U;
/// Shorter values are names and numbers as a rule, and would be found everywhere.
constexpr std::size_t kLeastSecret = 8;

[[noreturn]] void bad(const std::string& member, const std::string& why) {
  throw std::runtime_error("case file: member '" + member + "' " + why);
}

std::string objectOf(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return "{}";
  if (!it->is_object()) bad(key, "must be an object");
  return it->dump();
}

std::string textOf(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return "";
  if (!it->is_string()) bad(key, "must be a text");
  return it->get<std::string>();
}

std::vector<std::string> textsOf(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return texts;
  if (!it->is_array()) bad(key, "must be a list of texts");
  for (const Json& text : *it) {
    if (!text.is_string()) bad(key, "must be a list of texts");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

void readNumber(const Json& json, const char* key, std::int64_t least, std::int64_t most, std::int64_t* out) {
  const auto it = json.find(key);
  if (it == json.end()) return;
  if (!it->is_number_integer() || it->get<std::int64_t>() < least || it->get<std::int64_t>() > most) {
    bad(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  *out = it->get<std::int64_t>();
}

Grant grantOf(const Json& json, const char* key, const std::vector<std::string>& public_keys) {
  Grant grant;
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return grant;
  if (!it->is_object()) bad(key, "must be an object");
  grant.credentials = it->dump();
  for (const auto& [name, value] : it->items()) {
    bool is_public = false;
    for (const std::string& other : public_keys) is_public = is_public || name == other;
    if (!is_public && value.is_string() && value.get_ref<const std::string&>().size() >= kLeastSecret) {
      grant.secrets.push_back(value.get<std::string>());
    }
  }
  return grant;
}

void refuseUnknown(const Json& json) {
  static const std::set<std::string> kKnown{"provider",
                                            "catalog_entry",
                                            "cloud_params",
                                            "disk_params",
                                            "options",
                                            "cloud_options",
                                            "credentials",
                                            "second_credentials",
                                            "public_credentials",
                                            "bad_credentials",
                                            "bad_specs",
                                            "addresses",
                                            "bad_address",
                                            "driver_states",
                                            "origins",
                                            "timings",
                                            "batch",
                                            "comment"};
  for (const auto& [key, value] : json.items()) {
    if (kKnown.count(key) == 0) bad(key, "is unknown; the members are listed in conformance.md");
  }
}

}  // namespace

Case readCase(const std::string& path, const std::vector<std::string>& overrides) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("case file " + path + ": cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.size() > kMaxBytes) throw std::runtime_error("case file " + path + ": is larger than 1 MiB");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw std::runtime_error("case file " + path + ": is not a JSON object");
  refuseUnknown(json);

  Case out;
  out.provider = textOf(json, "provider");
  out.catalog_entry = objectOf(json, "catalog_entry");
  out.cloud_params = objectOf(json, "cloud_params");
  if (json.contains("disk_params")) out.disk_params = objectOf(json, "disk_params");
  out.cloud_options = objectOf(json, "cloud_options");
  Json options = Json::parse(objectOf(json, "options"));
  for (const std::string& setting : overrides) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) throw std::runtime_error("--option " + setting + ": must be KEY=VALUE");
    options[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  out.options = options.dump();
  const std::vector<std::string> public_keys = textsOf(json, "public_credentials");
  out.first = grantOf(json, "credentials", public_keys);
  if (out.first.credentials.empty()) out.first.credentials = "{}";
  out.second = grantOf(json, "second_credentials", public_keys);
  if (json.contains("bad_credentials")) out.bad_credentials = objectOf(json, "bad_credentials");
  if (const auto specs = json.find("bad_specs"); specs != json.end()) {
    if (!specs->is_array()) bad("bad_specs", "must be a list of objects");
    for (const Json& spec : *specs) {
      if (!spec.is_object() || !spec.contains("pointer")) bad("bad_specs", "must be a list of objects with 'pointer'");
      out.bad_specs.push_back({spec.contains("cloud_params") ? objectOf(spec, "cloud_params") : out.cloud_params,
                               spec.contains("catalog_entry") ? objectOf(spec, "catalog_entry") : out.catalog_entry,
                               textOf(spec, "pointer")});
    }
  }
  out.addresses = textsOf(json, "addresses");
  out.bad_address = textOf(json, "bad_address");
  out.driver_states = textsOf(json, "driver_states");
  out.origins = textsOf(json, "origins");
  const Json timings = Json::parse(objectOf(json, "timings"));
  constexpr std::int64_t kDayMs = 86'400'000;
  readNumber(timings, "check_ms", 100, 4 * 3'600'000, &out.check_ms);
  readNumber(timings, "create_ms", 0, kDayMs, &out.create_ms);
  readNumber(timings, "boot_ms", 0, kDayMs, &out.boot_ms);
  readNumber(timings, "destroy_ms", 0, kDayMs, &out.destroy_ms);
  auto batch = static_cast<std::int64_t>(out.batch);
  readNumber(json, "batch", 2, 1000, &batch);
  out.batch = static_cast<std::size_t>(batch);
  return out;
}

std::vector<const Grant*> grantsOf(const Case& of) {
  std::vector<const Grant*> grants{&of.first};
  if (!of.second.credentials.empty()) grants.push_back(&of.second);
  return grants;
}

}  // namespace vcp::check
