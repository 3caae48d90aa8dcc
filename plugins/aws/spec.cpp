// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

namespace ec2 {
namespace {

using vcp::plugin::integerOf;
using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::textOf;

constexpr std::string_view kParams = "/cloud_params";
constexpr std::string_view kEntry = "/catalog_entry";
constexpr std::size_t kMaxUserTags = 40;  // EC2 allows 50 on an object; ours and room for more
constexpr std::size_t kMaxAddresses = 1000;
constexpr std::size_t kMaxVolumes = 11;  // /dev/sdf to /dev/sdp
constexpr std::int64_t kLargestVolumeGib = 65536;
constexpr std::int64_t kProvisionedIops = 100;  // the least that io1 and io2 take: nobody pays for what he did not ask

std::string at(std::string_view base, std::string_view key) { return std::string(base) + "/" + std::string(key); }

template <class Allowed>
bool isWord(const std::string& text, std::size_t longest, Allowed&& allowed) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [&](unsigned char c) { return allowed(c); });
}

bool isNameOf(const std::string& text) {
  return isWord(text, 64, [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-'; });
}

/// "subnet-0123abcd"
bool isId(const std::string& text, std::string_view prefix) {
  return text.size() > prefix.size() && text.compare(0, prefix.size(), prefix) == 0 &&
         isWord(text.substr(prefix.size()), 32, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

bool isIpv4(const std::string& text) {
  in_addr raw{};
  return text.find('\0') == std::string::npos && inet_pton(AF_INET, text.c_str(), &raw) == 1;
}

/// A text that is given and is not empty.
std::optional<std::string> given(const Json& object, const std::string& key, std::string_view base) {
  std::optional<std::string> text = textOf(object, key, base);
  return text && text->empty() ? std::nullopt : text;
}

/// A list of texts, or one text; nothing when absent.
std::vector<std::string> textsOf(const Json& object, const std::string& key, std::string_view base) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_array()) {
    const auto one = given(object, key, base);
    return one ? std::vector<std::string>{*one} : std::vector<std::string>{};
  }
  std::vector<std::string> all;
  for (std::size_t i = 0; i < found->size(); ++i) {
    if (!(*found)[i].is_string()) throw invalid(at(base, key) + "/" + std::to_string(i), "must be a text");
    all.push_back((*found)[i].get<std::string>());
  }
  return all;
}

std::string required(const Json& object, const std::string& key, std::string_view base, const char* remedy) {
  if (auto text = given(object, key, base)) return *text;
  throw invalid(at(base, key), std::string("is missing; ") + remedy);
}

bool isLoopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || (isIpv4(host) && host.compare(0, 4, "127.") == 0);
}

/// "https://host[:port]" without a slash at its end. Where the host's HTTP may really go is the administrator's
/// (`origins` and `origins_from` of providers.d); this refuses what can never be meant, before a user waits for it.
std::string endpointOf(const Json& entry, const std::string& region, bool evaluation) {
  constexpr char kKey[] = "aws_endpoint_url";
  std::string url = given(entry, kKey, kEntry).value_or("");
  if (url.empty()) return "https://ec2." + region + ".amazonaws.com" + (region.compare(0, 3, "cn-") == 0 ? ".cn" : "");
  if (url.back() == '/') url.pop_back();
  const bool tls = url.compare(0, 8, "https://") == 0;
  if (!tls && url.compare(0, 7, "http://") != 0) throw invalid(at(kEntry, kKey), "must be https://host[:port]");
  const std::string place = url.substr(tls ? 8 : 7);
  const bool plain = isWord(place, 300, [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
  if (!plain) throw invalid(at(kEntry, kKey), "must be https://host[:port], in lower case, with no path");
  const std::size_t port = place.rfind(':');
  const bool has_port = port != std::string::npos && place.find(']', port) == std::string::npos;
  const std::string host = has_port ? place.substr(0, port) : place;
  if (!evaluation && (!tls || isLoopback(host))) {
    throw invalid(at(kEntry, kKey), "plain http and this machine's own addresses work in evaluation only; use https");
  }
  // As the Host header has it: a port only when it is not the scheme's own.
  if (has_port && place.substr(port) == (tls ? ":443" : ":80")) return (tls ? "https://" : "http://") + host;
  return url;
}

VolumeSpec parseVolume(const Json& params, const std::string& size_key, const std::string& type_key, bool boots) {
  VolumeSpec volume;
  if (given(params, size_key, kParams)) {
    volume.size_gib = *integerOf(params, size_key, kParams, 1, kLargestVolumeGib);
  }
  volume.type = given(params, type_key, kParams).value_or("");
  static const std::set<std::string> kTypes{"", "standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"};
  if (kTypes.count(volume.type) == 0) {
    throw invalid(at(kParams, type_key), "must be one of gp3, gp2, io2, io1, st1, sc1, standard");
  }
  if (boots && (volume.type == "st1" || volume.type == "sc1")) {
    throw invalid(at(kParams, type_key),
                  "no machine can start from " + volume.type + "; use gp3, gp2, io1 or standard");
  }
  if (volume.type == "io1" || volume.type == "io2") volume.iops = kProvisionedIops;
  return volume;
}

Tags parseTags(const Json& params) {
  constexpr std::string_view kList = "/cloud_params/tags";
  Tags tags;
  const auto found = params.find("tags");
  if (found == params.end() || found->is_null()) return tags;
  if (!found->is_object()) throw invalid(kList, "must be a map of names to values");
  if (found->size() > kMaxUserTags) throw invalid(kList, "has too many entries (limit 40)");
  for (const auto& [key, raw] : found->items()) {
    const std::string value = textOf(*found, key, kList).value_or("");
    const std::string where = at(kList, key);
    if (key.empty() || key.size() > 127) throw invalid(where, "a tag's name has 1 to 127 bytes");
    if (value.size() > 255) throw invalid(where, "a tag's value has at most 255 bytes");
    if (key.compare(0, 4, "aws:") == 0 || key.compare(0, 4, kTagPrefix) == 0) {
      throw invalid(where, "names that begin with aws: or vcp: are reserved");
    }
    tags[key] = value;
  }
  return tags;
}

void parseSpot(const Json& params, MachineSpec& spec) {
  const std::string type = given(params, "spot_type", kParams).value_or("one-time");
  if (type != "one-time" && type != "persistent") {
    throw invalid(at(kParams, "spot_type"), "must be one-time or persistent");
  }
  spec.persistent = type == "persistent";
  spec.max_price = given(params, "spot_price", kParams).value_or("");
  const bool number = isWord(spec.max_price, 16, [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; }) &&
                      std::count(spec.max_price.begin(), spec.max_price.end(), '.') <= 1 && spec.max_price != "." &&
                      spec.max_price.find_first_not_of("0.") != std::string::npos;
  if (!spec.max_price.empty() && !number) {
    throw invalid(at(kParams, "spot_price"), "must be a price in USD an hour, such as \"0.15\", or empty");
  }
  const std::string duration = given(params, "block_duration_minutes", kParams).value_or("0");
  if (duration != "0") {
    throw invalid(at(kParams, "block_duration_minutes"),
                  "must be 0: AWS has had no spot machines of a fixed duration since 2022");
  }
}

std::string parseImage(const Json& params) {
  std::string image = given(params, "cloud_image", kParams).value_or("default");
  const bool plain = isWord(image, 128, [](unsigned char c) { return c >= 0x20 && c < 0x7F && c != '*' && c != '?'; });
  if (!plain) throw invalid(at(kParams, "cloud_image"), "must be default, an id, or a name of at most 128 characters");
  return image;
}

}  // namespace

Entry parseEntry(std::string_view catalog_entry, bool evaluation) {
  const Json json = vcp::plugin::parseObject(catalog_entry, "catalog entry");
  constexpr char kAdministrator[] = "the administrator must set it in the VPN catalog";
  Entry entry;
  entry.region = required(json, "aws_region", kEntry, kAdministrator);
  if (!isNameOf(entry.region)) throw invalid(at(kEntry, "aws_region"), "must be a region such as ap-northeast-1");
  entry.subnet = required(json, "aws_vpc_subnet_id", kEntry, kAdministrator);
  if (!isId(entry.subnet, "subnet-"))
    throw invalid(at(kEntry, "aws_vpc_subnet_id"), "must be an id such as subnet-0a1b");
  entry.security_groups = textsOf(json, "aws_vpc_security_group_id", kEntry);
  if (entry.security_groups.empty()) {
    throw invalid(at(kEntry, "aws_vpc_security_group_id"), std::string("is missing; ") + kAdministrator);
  }
  for (const std::string& group : entry.security_groups) {
    if (!isId(group, "sg-")) throw invalid(at(kEntry, "aws_vpc_security_group_id"), "must be an id such as sg-0a1b");
  }
  entry.zone = given(json, "aws_availability_zone", kEntry).value_or("");
  if (!entry.zone.empty() && !isNameOf(entry.zone)) {
    throw invalid(at(kEntry, "aws_availability_zone"), "must be a zone such as ap-northeast-1a");
  }
  entry.endpoint = endpointOf(json, entry.region, evaluation);
  entry.default_image = given(json, "aws_default_image", kEntry).value_or("");
  entry.image_owners = textsOf(json, "aws_image_owners", kEntry);
  for (const std::string& owner : entry.image_owners) {
    if (!isNameOf(owner)) {
      throw invalid(at(kEntry, "aws_image_owners"), "must name accounts (12 digits), self, amazon or aws-marketplace");
    }
  }
  return entry;
}

MachineSpec parseMachine(const Json& params, Market market) {
  MachineSpec spec;
  spec.instance_type = required(params, "instance_type", kParams, "name one, such as m5.large");
  const bool plain = isWord(spec.instance_type, 32, [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '.' || c == '-';
  });
  if (!plain || spec.instance_type.find('.') == std::string::npos) {
    throw invalid(at(kParams, "instance_type"), "must be an instance type such as m5.large");
  }
  spec.root = parseVolume(params, "volume_size", "volume_type", true);
  spec.image = parseImage(params);
  spec.tags = parseTags(params);
  if (market == Market::kSpot) parseSpot(params, spec);
  return spec;
}

DiskSpec parseDisk(const Json& params) {
  DiskSpec spec;
  spec.volume = parseVolume(params, "size", "type", false);
  const std::string image = parseImage(params);
  if (image != "default") spec.snapshot = image;
  if (spec.snapshot.empty() && spec.volume.size_gib == 0) {
    throw invalid(at(kParams, "size"), "is missing; give the size in GiB");
  }
  spec.tags = parseTags(params);
  return spec;
}

Credentials parseCredentials(std::string_view credentials) {
  const Json json = vcp::plugin::parseObject(credentials, "credentials");
  constexpr std::string_view kBase = "/credentials";
  Credentials out{textOf(json, "access_key", kBase).value_or(""), textOf(json, "secret_key", kBase).value_or(""),
                  textOf(json, "session_token", kBase).value_or("")};
  // They become header values, where a line end would begin another header.
  for (const std::string* text : {&out.access_key, &out.secret_key, &out.session_token}) {
    const bool plain = std::all_of(text->begin(), text->end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
    if (!plain) {
      throw vcp::plugin::Error(vcp::plugin::Code::kUnauthenticated, vcp::plugin::Outcome::kNotApplied,
                               "credentials: access_key, secret_key and session_token must be printable, without white "
                               "space; store them again without a line end");
    }
  }
  if (out.access_key.empty() || out.secret_key.empty()) {
    throw vcp::plugin::Error(vcp::plugin::Code::kUnauthenticated, vcp::plugin::Outcome::kNotApplied,
                             "credentials: access_key or secret_key is empty");
  }
  return out;
}

void checkSecrets(const Json& params) {
  required(params, "access_key", kParams, "give it, or a vault:// reference");
  required(params, "secret_key", kParams, "give it, or a vault:// reference");
  textOf(params, "session_token", kParams);
}

void checkAddresses(const Json& params) {
  const std::string list = at(kParams, "ip_address_list");
  const auto found = params.find("ip_address_list");
  if (found != params.end() && !found->is_null() && !found->is_array()) throw invalid(list, "must be a list");
  const std::vector<std::string> addresses = textsOf(params, "ip_address_list", kParams);
  if (addresses.size() > kMaxAddresses) throw invalid(list, "has too many entries (limit 1000)");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string where = list + "/" + std::to_string(i);
    if (!isIpv4(addresses[i])) throw invalid(where, "must be an IPv4 address");
    if (!seen.insert(addresses[i]).second) throw invalid(where, "is named twice");
  }
}

void checkVolumes(const Json& params) {
  const std::string list = at(kParams, "volume_id");
  const auto found = params.find("volume_id");
  if (found != params.end() && !found->is_null() && !found->is_array()) throw invalid(list, "must be a list");
  const std::vector<std::string> volumes = textsOf(params, "volume_id", kParams);
  if (volumes.size() > kMaxVolumes) throw invalid(list, "has too many entries (limit 11)");
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (!isId(volumes[i], "vol-") && volumes[i].compare(0, 4, "vcp:") != 0) {
      throw invalid(list + "/" + std::to_string(i), "must be a volume (vol-...) or a disk of a storage unit (vcp:...)");
    }
  }
}

}  // namespace ec2
