// SPDX-License-Identifier: Apache-2.0
#include "catalog/entry_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/encoding.h"
#include "model/json_tree.h"
#include "model/yaml_fields.h"

namespace vcc {
namespace {

constexpr std::int64_t kDaySeconds = 86400;

// Keys of the general OpenStack driver (spec/sdk-cci 12, spec/operations 9.3). A site may give such a cloud any name.
constexpr std::array<std::string_view, 10> kOpenStackKeys{
    "auth_url",    "endpoint_overrides", "region",       "tenant_name",    "domain_id",
    "domain_name", "network_uuid",       "network_name", "security_group", "interface"};

// Providers that are certainly no OpenStack: there the keys above are mistakes.
constexpr std::array<std::string_view, 10> kOtherClouds{"aws",        "aws_spot", "azure",   "gcp",    "mock",
                                                        "onpremises", "oracle",   "proxmox", "sakura", "vmware"};

// Further prefixes of a provider's keys, besides its own name.
struct Prefix {
  std::string_view provider;
  std::string_view prefix;
};
constexpr std::array<Prefix, 2> kMorePrefixes{{{"aws_spot", "aws_"}, {"proxmox", "pm_"}}};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool belongsToProvider(std::string provider, std::string_view key) {
  std::ranges::replace(provider, '-', '_');
  if (key.starts_with(provider + '_')) return true;
  for (const Prefix& more : kMorePrefixes) {
    if (more.provider == provider && key.starts_with(more.prefix)) return true;
  }
  return !contains(kOtherClouds, provider) && (contains(kOpenStackKeys, key) || key.starts_with("openstack_"));
}

Status correctSpelling(const YamlFields& fields, YamlValue& entry) {
  constexpr std::string_view kWrong = "aws_vcp_";
  for (auto& [key, value] : entry.members) {
    if (!key.starts_with(kWrong)) continue;
    const std::string right = "aws_vpc_" + key.substr(kWrong.size());
    if (entry.find(right) != nullptr) return fields.error(key, fmt::format("this is also given as {}", right));
    key = right;
  }
  return okStatus();
}

bool isHost(const std::string& text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':';
  });
}

// A list of texts, or one text, each of which `valid` accepts.
template <typename Valid>
Result<std::vector<std::string>> checkedTexts(YamlFields& fields, std::string_view key, Valid valid,
                                              std::string_view expected) {
  VCC_ASSIGN_OR_RETURN(std::vector<std::string> values, fields.textOrTexts(key));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!valid(values[i])) {
      return fields.error(key, i, fmt::format("\"{}\" is not {}", cleanUtf8(values[i], 64), expected));
    }
  }
  return values;
}

Status readAddresses(YamlFields& fields, CatalogEntry& entry) {
  VCC_ASSIGN_OR_RETURN(const std::string range, fields.text("private_network_ipmask"));
  if (!range.empty()) {
    const Result<Cidr> cidr = parseCidr(range);
    if (!cidr.ok()) return fields.error("private_network_ipmask", cidr.status().message());
    entry.private_network = *cidr;
  }
  VCC_ASSIGN_OR_RETURN(entry.ntp_servers, checkedTexts(fields, "ntp_servers", isHost, "a host name or an address"));
  VCC_ASSIGN_OR_RETURN(entry.dns_servers,
                       checkedTexts(fields, "cloud_instance_dns_servers", isHost, "the address of a name server"));
  const auto is_range = [](const std::string& text) { return isIpv4(text) || parseCidr(text).ok(); };
  VCC_ASSIGN_OR_RETURN(entry.allowed_hosts, checkedTexts(fields, "allowed_hosts", is_range,
                                                         "an IPv4 address or a range such as 192.168.1.0/24"));
  return okStatus();
}

Status readPorts(YamlFields& fields, CatalogEntry& entry) {
  VCC_ASSIGN_OR_RETURN(const auto ssh_port, fields.number("ssh_port", 1, 65535));
  entry.ssh_port = static_cast<int>(ssh_port.value_or(entry.ssh_port));
  // `None` too: this file is no Python, but its authors know it.
  const YamlValue* ready = fields.get("ready_port");
  if (ready != nullptr && (ready->text == "none" || ready->text == "None")) {
    entry.ready_port = 0;
    return okStatus();
  }
  VCC_ASSIGN_OR_RETURN(const auto ready_port, fields.number("ready_port", 1, 65535));
  entry.ready_port = static_cast<int>(ready_port.value_or(entry.ready_port));
  return okStatus();
}

Status readTimes(YamlFields& fields, CatalogEntry& entry) {
  VCC_ASSIGN_OR_RETURN(const auto boot, fields.number("boot_deadline_s", 1, kDaySeconds));
  entry.boot_deadline_s = boot.value_or(entry.boot_deadline_s);
  VCC_ASSIGN_OR_RETURN(const auto release, fields.number("release_timeout_s", 1, kDaySeconds));
  entry.release_timeout_s = release.value_or(entry.release_timeout_s);
  return okStatus();
}

Status readMounts(YamlFields& fields, CatalogEntry& entry) {
  VCC_ASSIGN_OR_RETURN(const std::string allowed, fields.text("allow_host_mounts"));
  if (allowed == "yes" || allowed == "true") {
    entry.allow_host_mounts = true;
  } else if (allowed == "no" || allowed == "false") {
    entry.allow_host_mounts = false;
  } else if (!allowed.empty()) {
    return fields.error("allow_host_mounts", "yes or no is expected");
  }
  VCC_ASSIGN_OR_RETURN(entry.host_mount_prefix, fields.text("host_mount_prefix"));
  if (!entry.host_mount_prefix.empty() && !parseVolume(entry.host_mount_prefix).ok()) {
    return fields.error("host_mount_prefix", "an absolute path below / without \"..\" is expected");
  }
  return okStatus();
}

}  // namespace

Result<CatalogEntry> readEntry(const std::string& provider, const std::string& name, YamlValue& entry) {
  if (entry.isNull()) entry = YamlValue::map();
  VCC_ASSIGN_OR_RETURN(YamlFields fields, YamlFields::of(entry, provider + '.' + name, false));
  VCC_RETURN_IF_ERROR(correctSpelling(fields, entry));
  CatalogEntry result;
  result.provider = provider;
  result.name = name;
  VCC_RETURN_IF_ERROR(readAddresses(fields, result));
  VCC_RETURN_IF_ERROR(readPorts(fields, result));
  VCC_RETURN_IF_ERROR(readTimes(fields, result));
  VCC_RETURN_IF_ERROR(readMounts(fields, result));
  for (const std::string& key : fields.unread()) {
    if (!belongsToProvider(provider, key)) {
      return fields.error(key, "this key is not known here; correct its spelling or remove it");
    }
  }
  result.json = toJson(entry);
  return result;
}

bool isSecretKey(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto holds = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
  return holds("access_key") || holds("password") || holds("secret") || holds("private_key");
}

}  // namespace vcc
