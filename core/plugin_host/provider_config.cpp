// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/provider_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

#include "plugin_host/origin_policy.h"
#include "plugin_host/plugin_json.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxName = 64;

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
      VCC_RETURN_IF_ERROR(key(pair.first.Scalar(), pair.second));
    }
    return okStatus();
  }

 private:
  Status bad(const std::string& key, const std::string& what) const {
    return invalidArgument(file_ + (key.empty() ? "" : ": key '" + key.substr(0, kMaxName) + "'") + " " + what);
  }

  Status key(const std::string& name, const YAML::Node& value) {
    if (name == "name") return word(name, value, "_-", &out_.name);
    if (name == "plugin") return text(name, value, &out_.plugin);
    if (name == "providers") return providers(value);
    if (name == "enabled") return boolean(name, value, &out_.enabled);
    if (name == "critical") return okStatus();
    if (name == "log_calls") return boolean(name, value, &out_.log_calls);
    if (name == "concurrency") return concurrency(value);
    if (name == "sha256") return sha256(value);
    if (name == "origins") return origins(value);
    if (name == "record_http") return dataFile(name, value, &out_.record_http);
    if (name == "replay_http") return dataFile(name, value, &out_.replay_http);
    if (name == "options") return options(value);
    return bad(
        name,
        "is unknown; there are name, plugin, providers, enabled, critical, concurrency, sha256, log_calls, origins, "
        "record_http, replay_http, options");
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

  Status providers(const YAML::Node& value) {
    if (!value.IsSequence() || value.size() == 0 || value.size() > 32) {
      return bad("providers", "must be a list of 1 to 32 cloud_provider names");
    }
    for (const auto& entry : value) {
      std::string provider;
      VCC_RETURN_IF_ERROR(word("providers", entry, "_", &provider));
      out_.providers.push_back(provider);
    }
    return okStatus();
  }

  Status concurrency(const YAML::Node& value) {
    std::string digits;
    VCC_RETURN_IF_ERROR(text("concurrency", value, &digits));
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, out_.concurrency);
    if (parsed.ec != std::errc() || parsed.ptr != end || out_.concurrency < 1 || out_.concurrency > 1024) {
      out_.concurrency = 0;
      return bad("concurrency", "must be a whole number from 1 to 1024");
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
    for (const auto& entry : value) {
      std::string origin;
      VCC_RETURN_IF_ERROR(text("origins", entry, &origin));
      if (const Status good = checkOriginPattern(origin); !good.ok()) return bad("origins", good.message());
      out_.origins.push_back(origin);
    }
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
    out_.options = *std::move(json);
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
  return status;
}

}  // namespace vcc
