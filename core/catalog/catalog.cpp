// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "catalog/entry_keys.h"
#include "model/json_tree.h"
#include "model/yaml_reader.h"

namespace vcc {
namespace {

constexpr YamlLimits kLimits{.bytes = 1U << 20U, .depth = 8, .values = 50000, .scalar_bytes = 65536};
constexpr std::string_view kVersionKey = "cci_version";
// A provider without entries of its own uses those of the other.
constexpr std::string_view kSpot = "aws_spot";
constexpr std::string_view kSpotFallback = "aws";

bool isName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

void maskSecrets(YamlValue& value) {
  for (auto& [key, member] : value.members) {
    if (isSecretKey(key)) {
      member = YamlValue::scalar("********");
    } else {
      maskSecrets(member);
    }
  }
  for (YamlValue& item : value.items) maskSecrets(item);
}

using Entries = std::map<std::string, CatalogEntry>;

Result<Entries> readProvider(const std::string& provider, YamlValue& networks) {
  if (!isName(provider)) {
    return invalidArgument(
        fmt::format("{} is not a provider name: 1 to 64 letters, digits, '_', '-' or '.'", quoteKey(provider)));
  }
  if (networks.isNull()) networks = YamlValue::map();
  if (!networks.isMap()) {
    return invalidArgument(fmt::format("{}: this must be a map of entries such as \"default\", but it is {}", provider,
                                       networks.kindName()));
  }
  Entries entries;
  for (auto& [name, value] : networks.members) {
    if (!isName(name)) {
      return invalidArgument(fmt::format("{}: {} is not an entry name: 1 to 64 letters, digits, '_', '-' or '.'",
                                         provider, quoteKey(name)));
    }
    VCC_ASSIGN_OR_RETURN(CatalogEntry entry, readEntry(provider, name, value));
    entries.emplace(name, std::move(entry));
  }
  return entries;
}

}  // namespace

Result<Catalog> Catalog::parse(std::string_view yaml) {
  Result<YamlValue> document = readYaml(yaml, kLimits);
  if (!document.ok()) return document.status().prepend("VPN catalog");
  YamlValue& tree = document.value();
  Catalog catalog;
  if (tree.isNull()) return catalog;
  if (!tree.isMap()) {
    return invalidArgument(
        fmt::format("VPN catalog: a map of providers is expected at the top, but this is {}", tree.kindName()));
  }
  YamlValue wire = YamlValue::map();
  wire.add(kVersionKey, YamlValue::scalar("1.0"));
  for (auto& [provider, networks] : tree.members) {
    if (provider == kVersionKey) {
      if (!networks.isScalar()) return invalidArgument("VPN catalog: cci_version: a text such as '1.0' is expected");
      wire.members.front().second = networks;
      continue;
    }
    Result<Entries> entries = readProvider(provider, networks);
    if (!entries.ok()) return entries.status().prepend("VPN catalog");
    catalog.entries_[provider] = std::move(entries).value();
    wire.add(provider, networks);
  }
  maskSecrets(wire);
  catalog.wire_json_ = toJson(wire);
  return catalog;
}

Result<Catalog> Catalog::load(FileSystem& files, const std::string& path, Logger& log) {
  if (!files.exists(path)) {
    log.warn("CATALOG_MISSING", "the VPN catalog does not exist; only existing servers can be used", {{"path", path}});
    return Catalog();
  }
  VCC_ASSIGN_OR_RETURN(const std::string text, files.read(path, kLimits.bytes));
  Result<Catalog> catalog = parse(text);
  if (!catalog.ok()) return catalog.status().prepend(path);
  return catalog;
}

Result<CatalogEntry> Catalog::entry(std::string_view provider, std::string_view name) const {
  const auto find = [&](std::string_view section) -> const CatalogEntry* {
    const auto networks = entries_.find(section);
    if (networks == entries_.end()) return nullptr;
    const auto found = networks->second.find(std::string(name));
    return found == networks->second.end() ? nullptr : &found->second;
  };
  const CatalogEntry* found = find(provider);
  if (found == nullptr && provider == kSpot) found = find(kSpotFallback);
  if (found != nullptr) {
    CatalogEntry entry = *found;
    entry.provider = provider;
    return entry;
  }
  // Only where the administrator wrote nothing: an entry that narrows `allowed_hosts` must not be passed by another
  // name.
  const auto networks = entries_.find(provider);
  if (provider == "onpremises" && (networks == entries_.end() || networks->second.empty())) {
    CatalogEntry entry;
    entry.provider = provider;
    entry.name = name;
    return entry;
  }
  return invalidArgument(fmt::format(
      "private_network: the VPN catalog has no entry {} for the provider {}; ask the administrator to add it to "
      "vpn_catalog.yml, or use an existing entry",
      quoteKey(name), quoteKey(provider)));
}

std::vector<const CatalogEntry*> Catalog::entriesOf(std::string_view provider) const {
  std::vector<const CatalogEntry*> found;
  const auto add = [&](std::string_view section) {
    const auto networks = entries_.find(section);
    if (networks == entries_.end()) return;
    for (const auto& [name, entry] : networks->second) found.push_back(&entry);
  };
  add(provider);
  if (provider == kSpot) add(kSpotFallback);
  return found;
}

std::vector<std::string> Catalog::providers() const {
  std::vector<std::string> names;
  for (const auto& [provider, networks] : entries_) names.push_back(provider);
  return names;
}

}  // namespace vcc
