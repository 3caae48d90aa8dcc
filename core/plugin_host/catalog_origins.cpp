// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/catalog_origins.h"

#include <algorithm>

#include "model/json_tree.h"
#include "plugin_host/http_url.h"

namespace vcc {
namespace {

/// The texts of a value: itself, or one level below.
std::vector<std::string> textsOf(const YamlValue& value) {
  std::vector<std::string> texts;
  const auto add = [&](const YamlValue& one) {
    if (one.isScalar()) texts.push_back(one.text);
  };
  add(value);
  for (const YamlValue& item : value.items) add(item);
  for (const auto& [key, member] : value.members) add(member);
  return texts;
}

/// "https://host:*" of a URL.
Result<std::string> anyPort(const std::string& text) {
  VCC_ASSIGN_OR_RETURN(const HttpUrl url, parseHttpUrl(text));
  const std::string host = url.host.find(':') == url.host.npos ? url.host : "[" + url.host + "]";
  return (url.tls ? "https://" : "http://") + host + ":*";
}

}  // namespace

std::vector<std::string> allowedOrigins(const ProviderConfig& config, const std::vector<std::string>& providers,
                                        const Catalog& catalog, Logger& log) {
  std::vector<std::string> origins = config.origins;
  const auto take = [&](const CatalogEntry& entry, const std::string& key, const std::string& text) {
    const Result<std::string> origin = anyPort(text);
    if (!origin.ok()) {
      log.warn("CATALOG_ORIGIN_BAD", origin.status().message(),
               {{"driver", config.name}, {"entry", entry.provider + "." + entry.name}, {"key", key}});
    } else if (std::find(origins.begin(), origins.end(), *origin) == origins.end()) {
      origins.push_back(*origin);
    }
  };
  for (const std::string& provider : providers) {
    for (const CatalogEntry* entry : catalog.entriesOf(provider)) {
      const Result<YamlValue> tree = treeFromJson(entry->json);
      for (const std::string& key : config.origins_from) {
        const YamlValue* value = tree.ok() ? tree->find(key) : nullptr;
        if (value == nullptr) continue;
        for (const std::string& text : textsOf(*value)) take(*entry, key, text);
      }
    }
  }
  return origins;
}

}  // namespace vcc
