// SPDX-License-Identifier: Apache-2.0
#include "site.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "fields.h"
#include "server_body.h"

namespace openstack {
namespace {

using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::parseObject;

constexpr std::string_view kOwnPrefix = "openstack_";
constexpr std::size_t kMaxGroups = 16;
constexpr std::size_t kMaxPem = 262'144;

// Those that a catalog may have without a prefix; core knows the same.
constexpr std::array<std::string_view, 10> kPlainKeys{
    "auth_url",    "endpoint_overrides", "region",       "tenant_name",    "domain_id",
    "domain_name", "network_uuid",       "network_name", "security_group", "interface"};
constexpr std::array<std::string_view, 21> kMoreKeys{
    "auth_type",    "identity_api_version", "tenant_id",     "project_domain_id",  "project_domain_name",
    "subnet_uuid",  "user_domain_id",       "default_image", "default_flavor",     "user_domain_name",
    "boot_from",    "volume_size",          "volume_type",   "availability_zone",  "volume_availability_zone",
    "config_drive", "scheduler_hints",      "server_body",   "user_data_template", "ca_file",
    "ca_pem"};
constexpr std::string_view kSizeKey = "machine_size";
constexpr std::string_view kPrefixKey = "catalog_prefix";

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool isSiteKey(std::string_view key) { return among(kPlainKeys, key) || among(kMoreKeys, key) || key == kSizeKey; }

bool startsWith(std::string_view text, std::string_view word) {
  return !word.empty() && text.substr(0, word.size()) == word;
}

bool isLocalHost(const std::string& host) {
  in_addr raw{};
  return host == "localhost" || host == "[::1]" ||
         (host.compare(0, 4, "127.") == 0 && inet_pton(AF_INET, host.c_str(), &raw) == 1);
}

/// "https://host[:port][/path]", its slash at the end taken off. Where the host's HTTP may really go is said by
/// `origins` and `origins_from` of providers.d; this refuses what can never be meant, before a user waits for it.
std::string urlAt(const std::string& pointer, std::string url, bool evaluation) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  const bool tls = startsWith(url, "https://");
  const std::size_t start = tls ? 8 : 7;
  const bool plain = std::all_of(url.begin(), url.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view(".-_:/[]~%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if ((!tls && !startsWith(url, "http://")) || !plain || url.size() <= start || url.size() > 500) {
    throw invalid(pointer, "must be https://host[:port][/path]");
  }
  const std::string place = url.substr(start, url.find('/', start) - start);
  const std::size_t port = place.rfind(':');
  const std::string host = place.substr(0, place.find(']', port == std::string::npos ? 0 : port) == std::string::npos
                                               ? std::min(port, place.size())
                                               : place.size());
  if (host.empty()) throw invalid(pointer, "must be https://host[:port][/path]");
  if (!evaluation && (!tls || isLocalHost(host))) {
    throw invalid(pointer, "plain http and this machine's own addresses work in evaluation only; use https");
  }
  return url;
}

/// The keys of a site, each from the first place that has it: the entry with the instance's prefix, with "openstack_",
/// plain, and the options of the instance.
class Keys {
 public:
  Keys(const Json& entry, const Settings& settings) : entry_(entry), settings_(settings) {}

  struct Place {
    const Json* value = nullptr;  ///< null: nowhere
    std::string pointer;
  };
  Place find(const std::string& key) const {
    std::vector<std::string> spellings;
    if (!settings_.prefix.empty()) spellings.push_back(settings_.prefix + key);
    spellings.push_back(std::string(kOwnPrefix) + key);
    if (among(kPlainKeys, key)) spellings.push_back(key);
    for (const std::string& spelling : spellings) {
      const auto found = entry_.find(spelling);
      if (found != entry_.end() && !found->is_null()) return {&*found, "/catalog_entry/" + spelling};
    }
    const auto option = settings_.options.find(key);
    if (option != settings_.options.end() && !option->is_null()) return {&*option, "/options/" + key};
    return {nullptr, "/catalog_entry/" + spellings.back()};
  }

  std::string text(const std::string& key, std::size_t longest = 255) const {
    const Place place = find(key);
    if (place.value == nullptr) return {};
    if (place.value->is_structured()) throw invalid(place.pointer, "must be a single value");
    std::string value = place.value->is_string() ? place.value->get<std::string>() : place.value->dump();
    if (value.size() > longest) throw invalid(place.pointer, "has more than " + std::to_string(longest) + " bytes");
    return value;
  }
  std::string line(const std::string& key) const {
    std::string value = text(key);
    if (!isLine(value)) throw invalid(find(key).pointer, "must be one line of text");
    return value;
  }
  std::string uuid(const std::string& key) const {
    std::string value = text(key);
    if (!value.empty() && !isUuid(value)) throw invalid(find(key).pointer, "must be an id (a UUID)");
    return value;
  }
  std::vector<std::string> lines(const std::string& key, std::size_t most) const {
    const Place place = find(key);
    if (place.value == nullptr) return {};
    if (!place.value->is_array()) {
      const std::string one = line(key);
      return one.empty() ? std::vector<std::string>{} : std::vector<std::string>{one};
    }
    if (place.value->size() > most) throw invalid(place.pointer, "has too many entries");
    std::vector<std::string> all;
    for (const Json& item : *place.value) {
      if (!item.is_string() || item.get_ref<const std::string&>().empty() || !isLine(item.get<std::string>())) {
        throw invalid(place.pointer + "/" + std::to_string(all.size()), "must be one line of text");
      }
      all.push_back(item.get<std::string>());
    }
    return all;
  }
  Json map(const std::string& key) const {
    const Place place = find(key);
    if (place.value == nullptr) return Json::object();
    if (!place.value->is_object()) throw invalid(place.pointer, "must be a map");
    checkBounds(*place.value, place.pointer);
    return *place.value;
  }
  std::string word(const std::string& key, const std::string& usual, std::initializer_list<const char*> allowed) const {
    std::string value = text(key);
    if (value.empty()) return usual;
    std::string all;
    for (const char* one : allowed) {
      if (value == one) return value;
      all += (all.empty() ? "" : ", ") + std::string(one);
    }
    throw invalid(find(key).pointer, "must be one of " + all);
  }

 private:
  const Json& entry_;
  const Settings& settings_;
};

constexpr char kAdministrator[] = "is missing; the administrator must set it in the VPN catalog";

/// What begins with a prefix of ours and is no key of ours is misspelt.
void checkSpelling(const Json& entry, const Settings& settings) {
  for (const auto& [key, value] : entry.items()) {
    for (const std::string_view prefix : {std::string_view(settings.prefix), kOwnPrefix}) {
      if (startsWith(key, prefix) && !isSiteKey(std::string_view(key).substr(prefix.size()))) {
        throw invalid("/catalog_entry/" + key, "is not known; correct its spelling or remove it");
      }
    }
  }
}

std::string authUrl(const Keys& keys, bool evaluation) {
  const Keys::Place place = keys.find("auth_url");
  std::string url = keys.text("auth_url", 500);
  if (url.empty()) throw invalid(place.pointer, kAdministrator);
  url = urlAt(place.pointer, url, evaluation);
  const std::string last = url.substr(url.rfind('/') + 1);
  if (startsWith(last, "v2")) throw invalid(place.pointer, "must be Keystone of version 3");
  keys.word("identity_api_version", "3", {"3", "v3"});
  return last == "v3" ? url : url + "/v3";
}

void readIdentity(const Keys& keys, Site& site) {
  const std::string type =
      keys.word("auth_type", "", {"v3password", "password", "v3applicationcredential", "application_credential"});
  if (!type.empty()) {
    site.auth = type.find("application") == std::string::npos ? AuthType::kPassword : AuthType::kApplicationCredential;
  }
  site.region = keys.line("region");
  std::string interface =
      keys.word("interface", "public", {"public", "internal", "admin", "publicURL", "internalURL", "adminURL"});
  site.interface = interface.substr(0, interface.find("URL"));
  const Domain both{keys.line("domain_id"), keys.line("domain_name")};
  const auto domain = [&](const std::string& whose) {
    Domain own{keys.line(whose + "_domain_id"), keys.line(whose + "_domain_name")};
    if (own.id.empty() && own.name.empty()) own = both;
    if (own.id.empty() && own.name.empty()) own.id = "default";
    return own;
  };
  site.user_domain = domain("user");
  site.project_domain = domain("project");
  site.project_name = keys.line("tenant_name");
  site.project_id = keys.line("tenant_id");
  // An application credential belongs to a project.
  if (site.auth == AuthType::kPassword && site.project_name.empty() && site.project_id.empty()) {
    throw invalid(keys.find("tenant_name").pointer, kAdministrator);
  }
}

void readNetwork(const Keys& keys, Site& site) {
  site.network_id = keys.uuid("network_uuid");
  site.network_name = keys.line("network_name");
  if (site.network_id.empty() && site.network_name.empty()) {
    throw invalid(keys.find("network_uuid").pointer,
                  "is missing, and so is network_name; the administrator must set one of them in the VPN catalog");
  }
  site.subnet_id = keys.uuid("subnet_uuid");
  site.security_groups = keys.lines("security_group", kMaxGroups);
}

void readMachines(const Keys& keys, Site& site) {
  site.leased = keys.word(std::string(kSizeKey), "flavor", {"flavor", "lease"}) == "lease";
  site.default_image = keys.line("default_image");
  site.default_flavor = keys.line("default_flavor");
  if (site.leased && site.default_flavor.empty()) site.default_flavor = "baremetal";
  const std::string boot = keys.word("boot_from", "auto", {"auto", "image", "volume"});
  site.boot = boot == "auto" ? BootFrom::kAuto : boot == "image" ? BootFrom::kImage : BootFrom::kVolume;
  const Keys::Place size = keys.find("volume_size");
  if (size.value != nullptr) {
    site.volume_size_gib = numberAt(size.pointer, keys.text("volume_size"), 1, kLargestVolumeGib);
  }
  site.volume_type = keys.line("volume_type");
  site.zone = keys.line("availability_zone");
  site.volume_zone = keys.line("volume_availability_zone");
  const std::string drive = keys.word("config_drive", "", {"true", "false", "yes", "no"});
  if (!drive.empty()) site.config_drive = drive == "true" || drive == "yes";
  site.hints = keys.map("scheduler_hints");
  site.server_body = keys.map("server_body");
  checkServerBody(site.server_body, keys.find("server_body").pointer);
  site.user_data_template = keys.text("user_data_template", kMaxTemplate);
  checkTemplate(site.user_data_template, keys.find("user_data_template").pointer);
}

void readEndpoints(const Keys& keys, bool evaluation, Site& site) {
  const Keys::Place place = keys.find("endpoint_overrides");
  const Json overrides = keys.map("endpoint_overrides");
  for (const auto& [service, url] : overrides.items()) {
    const std::string pointer = place.pointer + "/" + service;
    if (service != "compute" && service != "network" && service != "image" && service != "volume") {
      throw invalid(pointer, "is not one of compute, network, image, volume");
    }
    if (!url.is_string()) throw invalid(pointer, "must be https://host[:port][/path]");
    site.endpoints[service] = urlAt(pointer, url.get<std::string>(), evaluation);
  }
  site.ca_file = keys.text("ca_file", 1000);
  if (!site.ca_file.empty() && (site.ca_file[0] != '/' || !isLine(site.ca_file))) {
    throw invalid(keys.find("ca_file").pointer, "must be an absolute path");
  }
  site.ca_pem = keys.text("ca_pem", kMaxPem);
  if (!site.ca_pem.empty() && site.ca_pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    throw invalid(keys.find("ca_pem").pointer, "must be certificates in PEM");
  }
  if (!site.ca_pem.empty() && !site.ca_file.empty()) {
    throw invalid(keys.find("ca_pem").pointer, "and ca_file cannot both be given");
  }
}

std::string defaultPrefix(std::string instance) {
  std::replace(instance.begin(), instance.end(), '-', '_');
  return instance.empty() ? instance : instance + "_";
}

}  // namespace

bool isUuid(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = text[i] == '-' && text.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
    if (hyphen) continue;
    if (std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
    digits += text[i];
  }
  return digits.size() == 32 && (text.size() == 32 || text.size() == 36);
}

Settings parseSettings(std::string_view config) {
  const Json json = parseObject(config, "config");
  Settings settings;
  settings.instance = json.value("instance", "openstack");
  settings.evaluation = json.value("evaluation", false);
  const auto options = json.find("options");
  settings.options = options != json.end() && options->is_object() ? *options : Json::object();
  for (const auto& [key, value] : settings.options.items()) {
    if (!isSiteKey(key) && key != kPrefixKey) {
      throw invalid("/options/" + key, "is not known; correct its spelling or remove it");
    }
  }
  const auto prefix = vcp::plugin::textOf(settings.options, std::string(kPrefixKey), "/options");
  settings.prefix = prefix.value_or(defaultPrefix(settings.instance));
  return settings;
}

Site parseSite(std::string_view catalog_entry, const Settings& settings) {
  const Json entry = parseObject(catalog_entry, "catalog entry");
  checkSpelling(entry, settings);
  const Keys keys(entry, settings);
  Site site;
  site.auth_url = authUrl(keys, settings.evaluation);
  readIdentity(keys, site);
  readNetwork(keys, site);
  readMachines(keys, site);
  readEndpoints(keys, settings.evaluation, site);
  return site;
}

}  // namespace openstack
