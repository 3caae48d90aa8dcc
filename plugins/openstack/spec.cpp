// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <vector>

#include "fields.h"

namespace openstack {
namespace {

using vcp::plugin::integerOf;
using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::textOf;

constexpr std::string_view kParams = "/cloud_params";
constexpr std::size_t kMaxUserTags = 100;  // Nova allows 128 on a server; ours and room for more
constexpr std::size_t kMaxAddresses = 1000;
constexpr std::size_t kMaxVolumes = 25;
constexpr std::size_t kMaxName = 255;

std::string paramAt(const std::string& key) { return std::string(kParams) + "/" + key; }

/// One line of text; empty when it is not given.
std::string lineOf(const Json& params, const std::string& key) {
  std::string text = textOf(params, key, kParams).value_or("");
  if (!isLine(text) || text.size() > kMaxName) {
    throw invalid(paramAt(key), "must be one line of at most 255 bytes");
  }
  return text;
}

std::int64_t sizeOf(const Json& params, const std::string& key) {
  return lineOf(params, key).empty() ? 0 : *integerOf(params, key, kParams, 1, kLargestVolumeGib);
}

/// Nova takes these names and no others (a JSON Schema of its API).
bool isTagName(const std::string& text) {
  return !text.empty() && text.size() <= kMaxName && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_' || c == ':' || c == '.' || c == ' ');
  });
}

Tags parseTags(const Json& params) {
  const std::string list = paramAt("tags");
  Tags tags;
  const auto found = params.find("tags");
  if (found == params.end() || found->is_null()) return tags;
  if (!found->is_object()) throw invalid(list, "must be a map of names to values");
  if (found->size() > kMaxUserTags) throw invalid(list, "has too many entries (limit 100)");
  for (const auto& [key, raw] : found->items()) {
    const std::string value = textOf(*found, key, list).value_or("");
    if (!isTagName(key)) throw invalid(list + "/" + key, "a name has 1 to 255 letters, digits, spaces and -_:.");
    if (value.size() > kMaxName) throw invalid(list + "/" + key, "a value has at most 255 bytes");
    if (key.compare(0, 4, kTagPrefix) == 0) {
      throw invalid(list + "/" + key, "names that begin with vcp: are reserved");
    }
    tags[key] = value;
  }
  return tags;
}

std::vector<std::string> listOf(const Json& params, const std::string& key, std::size_t most) {
  const std::string where = paramAt(key);
  const auto found = params.find(key);
  if (found == params.end() || found->is_null()) return {};
  if (!found->is_array()) throw invalid(where, "must be a list");
  if (found->size() > most) throw invalid(where, "has too many entries (limit " + std::to_string(most) + ")");
  std::vector<std::string> all;
  for (const Json& one : *found) {
    if (!one.is_string()) throw invalid(where + "/" + std::to_string(all.size()), "must be a text");
    all.push_back(one.get<std::string>());
  }
  return all;
}

bool given(const Json& params, const char* key) { return !textOf(params, key, kParams).value_or("").empty(); }

/// The published clients of some sites say `user`.
const char* userKey(const Json& params) { return given(params, "user_name") ? "user_name" : "user"; }

bool wantsApplication(const Json& params, const Site& site) {
  if (site.auth != AuthType::kEither) return site.auth == AuthType::kApplicationCredential;
  return given(params, "application_credential_id");
}

void parseRoot(const Json& params, const Site& site, MachineSpec& spec) {
  const std::int64_t size = sizeOf(params, "volume_size");
  const std::string type = lineOf(params, "volume_type");
  spec.boots_from_volume =
      site.boot == BootFrom::kVolume || (site.boot == BootFrom::kAuto && (size > 0 || !type.empty()));
  if (!spec.boots_from_volume) return;
  spec.volume_size_gib = size > 0 ? size : site.volume_size_gib;
  spec.volume_type = type.empty() ? site.volume_type : type;
  if (spec.volume_size_gib == 0) throw invalid(paramAt("volume_size"), "is missing; give the size in GiB");
}

}  // namespace

MachineSpec parseMachine(const Json& params, const Site& site) {
  MachineSpec spec;
  spec.flavor = lineOf(params, "flavor_name");
  if (spec.flavor.empty() || (site.leased && spec.flavor == "default")) spec.flavor = site.default_flavor;
  if (spec.flavor.empty()) throw invalid(paramAt("flavor_name"), "is missing; name a flavor of the cloud");
  spec.image = lineOf(params, "cloud_image");
  if (spec.image.empty() || spec.image == "default") spec.image = site.default_image;
  if (spec.image.empty()) {
    throw invalid(paramAt("cloud_image"),
                  "this site has no default image; name one, or ask the administrator to set default_image");
  }
  parseRoot(params, site, spec);
  spec.reservation = lineOf(params, "reservation");
  if (!spec.reservation.empty() && !isUuid(spec.reservation)) {
    throw invalid(paramAt("reservation"), "must be the id of a reservation (a UUID)");
  }
  spec.tags = parseTags(params);
  return spec;
}

DiskSpec parseDisk(const Json& params) {
  DiskSpec spec;
  spec.size_gib = sizeOf(params, "size");
  if (spec.size_gib == 0) throw invalid(paramAt("size"), "is missing; give the size in GiB");
  spec.type = lineOf(params, "type");
  spec.image = lineOf(params, "cloud_image");
  if (spec.image == "default") spec.image.clear();
  spec.tags = parseTags(params);
  return spec;
}

Credentials parseCredentials(std::string_view credentials, const Site& site) {
  const Json json = vcp::plugin::parseObject(credentials, "credentials");
  constexpr std::string_view kBase = "/credentials";
  Credentials out;
  out.is_application = wantsApplication(json, site);
  const char* user = out.is_application ? "application_credential_id" : userKey(json);
  const char* secret = out.is_application ? "application_credential_secret" : "password";
  out.user = textOf(json, user, kBase).value_or("");
  out.secret = textOf(json, secret, kBase).value_or("");
  if (out.user.empty() || out.secret.empty()) {
    throw vcp::plugin::Error(vcp::plugin::Code::kUnauthenticated, vcp::plugin::Outcome::kNotApplied,
                             std::string("credentials: ") + user + " or " + secret + " is empty");
  }
  return out;
}

void checkSecrets(const Json& params, const Site& site) {
  const bool application = wantsApplication(params, site);
  if (!application && site.project_name.empty() && site.project_id.empty()) {
    throw invalid("/catalog_entry/tenant_name",
                  "is missing; the administrator must set it in the VPN catalog for user_name and password");
  }
  const auto need = [&](const char* key) {
    if (!given(params, key)) throw invalid(paramAt(key), "is missing; give it, or a vault:// reference");
  };
  if (application) {
    need("application_credential_id");
    need("application_credential_secret");
    return;
  }
  if (!given(params, "user")) need("user_name");
  need("password");
}

void checkAddresses(const Json& params) {
  std::set<std::string> seen;
  std::size_t at = 0;
  for (const std::string& address : listOf(params, "ip_address_list", kMaxAddresses)) {
    const std::string where = paramAt("ip_address_list") + "/" + std::to_string(at++);
    in_addr raw{};
    const bool plain = address.find('\0') == std::string::npos && inet_pton(AF_INET, address.c_str(), &raw) == 1;
    if (!plain) throw invalid(where, "must be an IPv4 address");
    if (!seen.insert(address).second) throw invalid(where, "is named twice");
  }
}

void checkVolumes(const Json& params) {
  std::size_t at = 0;
  for (const std::string& volume : listOf(params, "volume_id", kMaxVolumes)) {
    const std::string where = paramAt("volume_id") + "/" + std::to_string(at++);
    if (!isUuid(volume) && volume.compare(0, 4, "vcp:") != 0) {
      throw invalid(where, "must be a volume (a UUID) or a disk of a storage unit (vcp:...)");
    }
  }
}

}  // namespace openstack
