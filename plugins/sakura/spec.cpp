// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

namespace sakura {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::integerOf;
using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::Outcome;
using vcp::plugin::textOf;

constexpr char kParams[] = "/cloud_params";
constexpr char kEntry[] = "/catalog_entry";
constexpr std::size_t kIdSize = 12;
constexpr std::size_t kMaxAddresses = 1000;
constexpr std::array<std::string_view, 6> kZones{"is1a", "is1b", "is1c", "tk1a", "tk1b", "tk1v"};
constexpr std::array<std::int64_t, 6> kDiskSizes{20, 40, 100, 250, 500, 1000};

std::string at(const char* base, const std::string& key) { return std::string(base) + "/" + key; }

std::string required(const Json& object, const std::string& key, const char* base, const std::string& remedy) {
  std::string text = textOf(object, key, base).value_or("");
  if (text.empty()) throw invalid(at(base, key), "is missing; " + remedy);
  return text;
}

bool isIpv4(const std::string& text) {
  in_addr raw{};
  return text.find('\0') == std::string::npos && inet_pton(AF_INET, text.c_str(), &raw) == 1;
}

std::int64_t requiredNumber(const Json& params, const std::string& key, std::int64_t most) {
  const std::optional<std::int64_t> number = integerOf(params, key, kParams, 1, most);
  if (!number) throw invalid(at(kParams, key), "is missing; give a number");
  return *number;
}

int prefixLength(const Json& entry) {
  const std::string mask = required(entry, "private_network_ipmask", kEntry, "set it in the VPN catalog");
  const std::size_t slash = mask.find('/');
  int length = 0;
  const char* const end = mask.data() + mask.size();
  const bool parsed = slash != std::string::npos && std::from_chars(mask.data() + slash + 1, end, length).ptr == end &&
                      length > 0 && length <= 30;
  if (!parsed || !isIpv4(mask.substr(0, slash))) {
    throw invalid(at(kEntry, "private_network_ipmask"), "must be a network such as 192.168.1.0/24");
  }
  return length;
}

std::string endpointOf(const Json& entry, const std::string& zone, bool evaluation) {
  std::string usual = "https://secure.sakura.ad.jp/cloud/zone/" + zone + "/api/cloud/1.1";
  std::string endpoint = textOf(entry, "sakura_endpoint_url", kEntry).value_or("");
  if (endpoint.empty()) return usual;
  const bool clear = endpoint.compare(0, 7, "http://") == 0 && evaluation;
  if ((endpoint.compare(0, 8, "https://") != 0 && !clear) || endpoint.back() == '/') {
    throw invalid(at(kEntry, "sakura_endpoint_url"),
                  "must be https://HOST/PATH without a slash at its end; http:// only in an evaluation data folder");
  }
  return endpoint;
}

}  // namespace

bool isId(std::string_view text) {
  return text.size() == kIdSize && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Entry parseEntry(std::string_view catalog_entry, bool evaluation) {
  const Json json = vcp::plugin::parseObject(catalog_entry, "catalog entry");
  const std::string administrator = "the administrator must set it in the VPN catalog";
  Entry entry;
  entry.zone = required(json, "sakura_zone", kEntry, administrator);
  if (std::find(kZones.begin(), kZones.end(), entry.zone) == kZones.end()) {
    throw invalid(at(kEntry, "sakura_zone"), "must be is1a, is1b, is1c, tk1a, tk1b or tk1v");
  }
  entry.endpoint = endpointOf(json, entry.zone, evaluation);
  entry.switch_id = required(json, "sakura_local_switch_id", kEntry, administrator);
  if (!isId(entry.switch_id)) throw invalid(at(kEntry, "sakura_local_switch_id"), "must be an id of 12 digits");
  entry.gateway = textOf(json, "sakura_private_subnet_gateway_ip", kEntry).value_or("");
  if (!entry.gateway.empty() && !isIpv4(entry.gateway)) {
    throw invalid(at(kEntry, "sakura_private_subnet_gateway_ip"), "must be an IPv4 address");
  }
  entry.prefix_len = prefixLength(json);
  entry.default_image = textOf(json, "sakura_default_image", kEntry).value_or("");
  return entry;
}

MachineSpec parseMachine(const Json& params) {
  MachineSpec spec;
  spec.cores = requiredNumber(params, "core", 1000);
  spec.memory_gb = requiredNumber(params, "memory", 10'000);
  spec.disk_gb = requiredNumber(params, "sakuracloud_disk_size", 12'288);
  if (std::find(kDiskSizes.begin(), kDiskSizes.end(), spec.disk_gb) == kDiskSizes.end()) {
    throw invalid(at(kParams, "sakuracloud_disk_size"), "must be 20, 40, 100, 250, 500 or 1000 (GB)");
  }
  const std::string plan = textOf(params, "sakuracloud_disk_plan", kParams).value_or("ssd");
  if (plan != "ssd" && plan != "hdd") throw invalid(at(kParams, "sakuracloud_disk_plan"), "must be ssd or hdd");
  spec.disk_plan = plan == "ssd" ? "4" : "2";
  spec.image = textOf(params, "cloud_image", kParams).value_or("default");
  if (spec.image.empty()) spec.image = "default";
  if (spec.image.size() > 128) throw invalid(at(kParams, "cloud_image"), "has more than 128 bytes");
  return spec;
}

void checkSecrets(const Json& params) {
  required(params, "token", kParams, "give it, or a vault:// reference");
  required(params, "secret", kParams, "give it, or a vault:// reference");
}

void checkAddresses(const Json& params) {
  const std::string list = at(kParams, "ip_address_list");
  const auto found = params.find("ip_address_list");
  if (found == params.end() || found->is_null()) return;
  if (!found->is_array()) throw invalid(list, "must be a list");
  if (found->size() > kMaxAddresses) throw invalid(list, "has too many entries (limit 1000)");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const Json& address = (*found)[i];
    const std::string where = list + "/" + std::to_string(i);
    if (!address.is_string() || !isIpv4(address.get_ref<const std::string&>())) {
      throw invalid(where, "must be an IPv4 address");
    }
    if (!seen.insert(address.get<std::string>()).second) throw invalid(where, "is named twice");
  }
}

Credentials parseCredentials(std::string_view credentials) {
  const Json json = vcp::plugin::parseObject(credentials, "credentials");
  Credentials out{textOf(json, "token", "/credentials").value_or(""),
                  textOf(json, "secret", "/credentials").value_or("")};
  if (out.token.empty() || out.secret.empty()) {
    throw Error(Code::kUnauthenticated, Outcome::kNotApplied, "credentials: token or secret is empty");
  }
  if (out.token.find(':') != std::string::npos) {  // would end it in the header
    throw Error(Code::kUnauthenticated, Outcome::kNotApplied, "credentials: token must not have a colon");
  }
  return out;
}

}  // namespace sakura
