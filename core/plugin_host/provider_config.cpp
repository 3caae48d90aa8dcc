// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/provider_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "plugin_host/origin_policy.h"
#include "plugin_host/plugin_json.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::array<std::string_view, 6> kWholeFile{"name", "plugin", "providers", "aliases", "critical", "sha256"};

bool isWord(std::string_view text, std::string_view more) {
  if (text.empty() || text.size() > kMaxName) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
  });
}

/// Reads the keys of one file; every failure names file and key.
class Reader {
 public:
  Reader(std::string_view file, ProviderConfig* out) : file_(file), out_(*out) {}

  Status read(const YAML::Node& root) {
    if (!root.IsMap()) return bad("", "is not a map of keys");
    // `critical` first: it must count even when another key is wrong.
    if (root["critical"]) VCC_RETURN_IF_ERROR(boolean("critical", root["critical"], &out_.critical));
    for (const auto& pair : root) {
      if (!pair.first.IsScalar()) return bad("", "has a key that is not a word");
      if (pair.first.Scalar() != "aliases") VCC_RETURN_IF_ERROR(key(pair.first.Scalar(), pair.second));
    }
    return root["aliases"] ? aliases(root) : okStatus();  // last: they begin as copies of the rest
  }

 private:
  Status bad(const std::string& key, const std::string& what) const {
    return invalidArgument(file_ + (key.empty() ? "" : ": key '" + key.substr(0, kMaxName) + "'") + " " + what);
  }

  Status key(const std::string& name, const YAML::Node& value) {
    if (name == "name") return word(name, value, "_-", &out_.name);
    if (name == "plugin") return text(name, value, &out_.plugin);
    if (name == "providers") return words(name, value, 32, "_", &out_.providers);
    if (name == "enabled") return boolean(name, value, &out_.enabled);
    if (name == "critical") return okStatus();
    if (name == "log_calls") return boolean(name, value, &out_.log_calls);
    if (name == "concurrency") return number<std::uint32_t>(name, value, 1024, &out_.concurrency);
    if (name == "sha256") return sha256(value);
    if (name == "origins") return origins(value);
    if (name == "origins_from") return words(name, value, 16, "_", &out_.origins_from);
    if (name == "rate") return rate(value);
    if (name == "record_http") return dataFile(name, value, &out_.record_http);
    if (name == "replay_http") return dataFile(name, value, &out_.replay_http);
    if (name == "options") return options(value);
    return bad(
        name,
        "is unknown; there are name, plugin, providers, aliases, enabled, critical, concurrency, sha256, log_calls, "
        "origins, origins_from, rate, record_http, replay_http, options");
  }

  Status text(const std::string& name, const YAML::Node& value, std::string* out) const {
    if (!value.IsScalar() || value.Scalar().empty()) return bad(name, "must be a single value");
    *out = value.Scalar();
    return okStatus();
  }

  Status word(const std::string& name, const YAML::Node& value, std::string_view more, std::string* out) const {
    std::string read;
    VCC_RETURN_IF_ERROR(text(name, value, &read));
    if (!isWord(read, more)) return bad(name, "must be 1 to 64 letters, digits or any of " + std::string(more));
    *out = read;
    return okStatus();
  }

  Status boolean(const std::string& name, const YAML::Node& value, bool* out) const {
    if (!value.IsScalar() || (value.Scalar() != "true" && value.Scalar() != "false")) {
      return bad(name, "must be true or false");
    }
    *out = value.Scalar() == "true";
    return okStatus();
  }

  Status words(const std::string& name, const YAML::Node& value, std::size_t limit, std::string_view more,
               std::vector<std::string>* out) const {
    if (!value.IsSequence() || value.size() == 0 || value.size() > limit) {
      return bad(name, "must be a list of 1 to " + std::to_string(limit) + " names");
    }
    std::vector<std::string> read;
    for (const auto& entry : value) VCC_RETURN_IF_ERROR(word(name, entry, more, &read.emplace_back()));
    *out = std::move(read);
    return okStatus();
  }

  template <class Number>
  Status number(const std::string& name, const YAML::Node& value, Number limit, Number* out) const {
    std::string digits;
    VCC_RETURN_IF_ERROR(text(name, value, &digits));
    const char* end = digits.data() + digits.size();
    Number read = 0;
    const auto parsed = std::from_chars(digits.data(), end, read);
    if (parsed.ec != std::errc() || parsed.ptr != end || read < 1 || read > limit) {
      return bad(name, "must be a whole number from 1 to " + std::to_string(limit));
    }
    *out = read;
    return okStatus();
  }

  Status rate(const YAML::Node& value) {
    if (!value.IsMap()) return bad("rate", "must be a map of per_second, burst and concurrency");
    for (const auto& pair : value) {
      const std::string name = pair.first.IsScalar() ? "rate." + pair.first.Scalar() : "rate";
      if (name == "rate.per_second") {
        VCC_RETURN_IF_ERROR(number<std::int64_t>(name, pair.second, 1000, &out_.rate.per_second));
      } else if (name == "rate.burst") {
        VCC_RETURN_IF_ERROR(number<std::int64_t>(name, pair.second, 10000, &out_.rate.burst));
      } else if (name == "rate.concurrency") {
        VCC_RETURN_IF_ERROR(number<int>(name, pair.second, 1024, &out_.rate.concurrency));
      } else {
        return bad(name, "is unknown; there are rate.per_second, rate.burst, rate.concurrency");
      }
    }
    return okStatus();
  }

  Status aliases(const YAML::Node& root) {
    for (const char* name : {"name", "providers"}) {
      if (root[name]) return bad(name, "cannot stand beside 'aliases', whose names say it");
    }
    const YAML::Node table = root["aliases"];
    if (!table.IsMap() || table.size() == 0 || table.size() > 32) {
      return bad("aliases", "must be a map of 1 to 32 cloud_provider names");
    }
    std::vector<ProviderConfig> made;
    for (const auto& pair : table) {
      ProviderConfig alias = out_;
      VCC_RETURN_IF_ERROR(word("aliases", pair.first, "_", &alias.name));
      if (std::any_of(made.begin(), made.end(), [&](const ProviderConfig& m) { return m.name == alias.name; })) {
        return bad("aliases", "names " + alias.name + " twice");
      }
      alias.providers = {alias.name};
      VCC_RETURN_IF_ERROR(Reader(file_ + ": alias " + alias.name, &alias).overrides(pair.second));
      made.push_back(std::move(alias));
    }
    out_.aliases = std::move(made);
    return okStatus();
  }

  Status overrides(const YAML::Node& value) {
    if (value.IsNull()) return okStatus();
    if (!value.IsMap()) return bad("", "is not a map of keys");
    for (const auto& pair : value) {
      const std::string name = pair.first.IsScalar() ? pair.first.Scalar() : "";
      if (std::find(kWholeFile.begin(), kWholeFile.end(), name) != kWholeFile.end()) {
        return bad(name, "can be set for the whole file only");
      }
      VCC_RETURN_IF_ERROR(key(name, pair.second));
    }
    return okStatus();
  }

  Status sha256(const YAML::Node& value) {
    std::string digits;
    VCC_RETURN_IF_ERROR(text("sha256", value, &digits));
    const bool hex = std::all_of(digits.begin(), digits.end(),
                                 [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (digits.size() != 64 || !hex) return bad("sha256", "must be 64 lower-case hex digits, as sha256sum prints them");
    out_.sha256 = digits;
    return okStatus();
  }

  Status origins(const YAML::Node& value) {
    if (!value.IsSequence() || value.size() > 64) return bad("origins", "must be a list of at most 64 origins");
    std::vector<std::string> read;
    for (const auto& entry : value) {
      std::string origin;
      VCC_RETURN_IF_ERROR(text("origins", entry, &origin));
      if (const Status good = checkOriginPattern(origin); !good.ok()) return bad("origins", good.message());
      read.push_back(origin);
    }
    out_.origins = std::move(read);
    return okStatus();
  }

  /// A file that stays in the data folder, and is none of the controller's own. Recording what is replayed would only
  /// copy it.
  Status dataFile(const std::string& name, const YAML::Node& value, std::string* out) const {
    VCC_RETURN_IF_ERROR(word(name, value, "_-.", out));
    if (out->front() == '.' || !out->ends_with(".jsonl")) {
      return bad(name, "must be the name of a file in the data folder that ends in .jsonl");
    }
    if (!out_.record_http.empty() && !out_.replay_http.empty()) return bad(name, "excludes the other one of the two");
    return okStatus();
  }

  Status options(const YAML::Node& value) {
    if (!value.IsMap()) return bad("options", "must be a map");
    Result<std::string> json = yamlToJson(value);
    if (!json.ok()) return bad("options", json.status().message());
    out_.options = mergeObjects(out_.options, *json);
    return okStatus();
  }

  const std::string file_;
  ProviderConfig& out_;
};

}  // namespace

Status parseProviderConfig(std::string_view file, const std::string& text, ProviderConfig* out) {
  const std::string stem(file.substr(0, file.rfind('.')));
  out->name = stem;
  Status status;
  try {
    const YAML::Node root = YAML::Load(text);
    status = Reader(file, out).read(root);
  } catch (const YAML::Exception& e) {
    status = invalidArgument(std::string(file) + " is not YAML: " + e.what());
  }
  if (out->plugin.empty()) out->plugin = out->name + ".so";
  for (ProviderConfig& alias : out->aliases) alias.plugin = out->plugin;
  return status;
}

}  // namespace vcc
