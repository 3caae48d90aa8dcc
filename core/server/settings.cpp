// SPDX-License-Identifier: Apache-2.0
#include "server/settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>

namespace vcc {
namespace {

/// How one key is taken from a list of texts (a scalar is a list of one).
struct Key {
  bool list = false;
  const char* alias = nullptr;  ///< another environment variable, of the published `.env`
  std::function<Status(Settings&, const std::vector<std::string>&)> set;
};

Key text(std::string Settings::*member, const char* alias = nullptr) {
  return {false, alias, [member](Settings& s, const std::vector<std::string>& values) {
            s.*member = values.front();
            return okStatus();
          }};
}

Key path(std::string Settings::*member) {
  return {false, nullptr, [member](Settings& s, const std::vector<std::string>& values) -> Status {
            if (!values.front().empty() && values.front().front() != '/') {
              return invalidArgument("must be an absolute path");
            }
            s.*member = values.front();
            while ((s.*member).size() > 1 && (s.*member).back() == '/') (s.*member).pop_back();
            return okStatus();
          }};
}

Key texts(std::vector<std::string> Settings::*member) {
  return {true, nullptr, [member](Settings& s, const std::vector<std::string>& values) {
            s.*member = values;
            return okStatus();
          }};
}

Status parseNumber(const std::string& value, std::int64_t least, std::int64_t most, std::int64_t& out) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || out < least || out > most) {
    return invalidArgument(fmt::format("must be a number from {} to {}", least, most));
  }
  return okStatus();
}

Key number(std::int64_t Settings::*member, std::int64_t least, std::int64_t most) {
  return {false, nullptr, [=](Settings& s, const std::vector<std::string>& values) {
            return parseNumber(values.front(), least, most, s.*member);
          }};
}

Key limit(std::int64_t Limits::*member) {
  return {false, nullptr, [=](Settings& s, const std::vector<std::string>& values) {
            return parseNumber(values.front(), 1, 1000000, s.limits.*member);
          }};
}

Key http(std::int64_t HttpServerOptions::*member, std::int64_t least, std::int64_t most) {
  return {false, nullptr, [=](Settings& s, const std::vector<std::string>& values) {
            return parseNumber(values.front(), least, most, s.http.*member);
          }};
}

Key httpSeconds(std::int64_t HttpServerOptions::*member) {
  return {false, nullptr, [=](Settings& s, const std::vector<std::string>& values) {
            VCC_RETURN_IF_ERROR(parseNumber(values.front(), 1, 3600, s.http.*member));
            s.http.*member *= 1000;
            return okStatus();
          }};
}

Key httpHead(std::size_t HeadLimits::*member, std::int64_t least, std::int64_t most) {
  return {false, nullptr, [=](Settings& s, const std::vector<std::string>& values) {
            std::int64_t number = 0;
            VCC_RETURN_IF_ERROR(parseNumber(values.front(), least, most, number));
            s.http.head.*member = static_cast<std::size_t>(number);
            return okStatus();
          }};
}

Key seconds(std::int64_t SweepOptions::*member, std::int64_t least, std::int64_t most) {
  return {false, nullptr, [=](Settings& s, const std::vector<std::string>& values) {
            return parseNumber(values.front(), least, most, s.sweep.*member);
          }};
}

Status parseFlag(const std::string& value, bool& out) {
  if (value != "true" && value != "false") return invalidArgument("must be true or false");
  out = value == "true";
  return okStatus();
}

Key flag(bool Settings::*member) {
  return {false, nullptr, [member](Settings& s, const std::vector<std::string>& values) {
            return parseFlag(values.front(), s.*member);
          }};
}

Key level() {
  return {false, nullptr, [](Settings& s, const std::vector<std::string>& values) -> Status {
            static const std::map<std::string, Severity> kLevels{{"debug", Severity::kDebug},
                                                                 {"info", Severity::kInfo},
                                                                 {"warning", Severity::kWarning},
                                                                 {"error", Severity::kError}};
            const auto found = kLevels.find(values.front());
            if (found == kLevels.end()) return invalidArgument("must be debug, info, warning or error");
            s.log_level = found->second;
            return okStatus();
          }};
}

std::map<std::string, Key> makeKeys() {
  return {
      {"data_dir", path(&Settings::data_dir)},
      {"master_key_file", path(&Settings::master_key_file)},
      {"https_address", text(&Settings::https_address)},
      {"https_port", number(&Settings::https_port, 0, 65535)},
      {"vault_address", text(&Settings::vault_address)},
      {"vault_port", number(&Settings::vault_port, 0, 65535)},
      {"fail_port", number(&Settings::fail_port, -1, 65535)},
      {"cert_file", path(&Settings::cert_file)},
      {"key_file", path(&Settings::key_file)},
      {"catalog_file", path(&Settings::catalog_file)},
      {"providers_dir", path(&Settings::providers_dir)},
      {"plugin_dirs", texts(&Settings::plugin_dirs)},
      {"providers", texts(&Settings::providers)},
      {"admin_socket", path(&Settings::admin_socket)},
      {"simulated_hosts", flag(&Settings::simulated_hosts)},
      {"log_file", path(&Settings::log_file)},
      {"log_level", level()},
      {"private_ipmask", text(&Settings::private_ipmask, "VCP_VCC_PRIVATE_IPMASK")},
      {"registry_address", text(&Settings::registry_address, "VCP_OFFICIAL_REGISTRY_ADDRESS")},
      {"base_registry_host", text(&Settings::base_registry_host, "BC_REGISTRY_HOST")},
      {"http_proxy", text(&Settings::http_proxy)},
      {"http_no_proxy", texts(&Settings::http_no_proxy)},
      {"probe_before_accept", flag(&Settings::probe_before_accept)},
      {"ssh_threads", number(&Settings::ssh_threads, 1, 1024)},
      {"quiet_poll_s", number(&Settings::quiet_poll_s, 10, 86400)},
      {"watch_interval_s", number(&Settings::watch_interval_s, 1, 3600)},
      {"serf_rpc", text(&Settings::serf_rpc)},
      {"prometheus_targets", path(&Settings::prometheus_targets)},
      {"events_keep", number(&Settings::events_keep, 100, 100000)},
      {"http.body_bytes", http(&HttpServerOptions::body_bytes, 65536, 1 << 30U)},
      {"http.head_bytes", httpHead(&HeadLimits::head_bytes, 4096, 1 << 20U)},
      {"http.url_bytes", httpHead(&HeadLimits::url_bytes, 512, 1 << 20U)},
      {"http.headers", httpHead(&HeadLimits::headers, 10, 10000)},
      {"http.connections", http(&HttpServerOptions::connections, 10, 1000000)},
      {"http.connections_per_address", http(&HttpServerOptions::connections_per_address, 1, 1000000)},
      {"http.threads", http(&HttpServerOptions::threads, 4, 1000)},
      {"http.head_s", httpSeconds(&HttpServerOptions::head_ms)},
      {"http.body_s", httpSeconds(&HttpServerOptions::body_ms)},
      {"http.answer_s", httpSeconds(&HttpServerOptions::answer_ms)},
      {"http.keep_alive_s", httpSeconds(&HttpServerOptions::keep_alive_ms)},
      {"http.keep_alive_requests", http(&HttpServerOptions::keep_alive_requests, 1, 1000000)},
      {"sweep_interval_s", seconds(&SweepOptions::interval_s, 0, 604800)},
      {"sweep_grace_s", seconds(&SweepOptions::grace_s, 0, 31536000)},
      {"sweep_delete",
       {false, nullptr,
        [](Settings& s, const std::vector<std::string>& values) {
          return parseFlag(values.front(), s.sweep.may_delete);
        }}},
      {"limits.nodes_per_unit", limit(&Limits::nodes_per_unit)},
      {"limits.nodes_per_user", limit(&Limits::nodes_per_user)},
      {"limits.nodes_total", limit(&Limits::nodes_total)},
      {"limits.vcs_per_user", limit(&Limits::vcs_per_user)},
      {"limits.units_per_user", limit(&Limits::units_per_user)},
      {"limits.units_total", limit(&Limits::units_total)},
      {"limits.scopes_per_unit", limit(&Limits::scopes_per_unit)},
      {"limits.scopes_per_user", limit(&Limits::scopes_per_user)},
      {"limits.scopes_total", limit(&Limits::scopes_total)},
  };
}

std::string keyNames(const std::map<std::string, Key>& keys) {
  std::string names;
  for (const auto& [name, key] : keys) names += (names.empty() ? "" : ", ") + name;
  return names;
}

Status setFromNode(Settings& settings, const Key& key, const YAML::Node& node) {
  std::vector<std::string> values;
  if (node.IsSequence() && key.list) {
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) return invalidArgument("must be a list of texts");
      values.push_back(item.Scalar());
    }
  } else if (node.IsScalar() || node.IsNull()) {
    values.push_back(node.IsNull() ? "" : node.Scalar());
  } else {
    return invalidArgument(key.list ? "must be a list of texts" : "must be a single value");
  }
  if (key.list && values.size() == 1 && values.front().empty()) values.clear();
  return key.set(settings, values);
}

/// Flattens `limits: {nodes_total: 5}` to "limits.nodes_total".
Status readMap(Settings& settings, const std::map<std::string, Key>& keys, const YAML::Node& map,
               const std::string& prefix) {
  std::vector<std::string> seen;
  for (const auto& entry : map) {
    const std::string name = prefix + (entry.first.IsScalar() ? entry.first.Scalar() : "?");
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) return invalidArgument(name + ": is there twice");
    seen.push_back(name);
    if (prefix.empty() && (name == "limits" || name == "http") && entry.second.IsMap()) {
      VCC_RETURN_IF_ERROR(readMap(settings, keys, entry.second, name + "."));
      continue;
    }
    const auto key = keys.find(name);
    if (key == keys.end()) return invalidArgument(name + ": there is no such key; the keys are " + keyNames(keys));
    VCC_RETURN_IF_ERROR(setFromNode(settings, key->second, entry.second).prepend(name));
  }
  return okStatus();
}

std::vector<std::string> splitCommas(const std::string& value) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    if (end > begin) out.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string variableName(const std::string& key) {
  std::string name = "VCC_" + key;
  for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Status readEnvironment(Settings& settings, const std::map<std::string, Key>& keys, const Environment& environment) {
  for (const auto& [name, key] : keys) {
    std::string variable = variableName(name);
    std::optional<std::string> value = environment(variable);
    if ((!value || value->empty()) && key.alias != nullptr) {
      variable = key.alias;
      value = environment(variable);
    }
    if (!value || value->empty()) continue;
    VCC_RETURN_IF_ERROR(key.set(settings, key.list ? splitCommas(*value) : std::vector<std::string>{*value})
                            .prepend("environment variable " + variable));
  }
  return okStatus();
}

}  // namespace

std::optional<std::string> processEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

Result<Settings> readSettings(const std::string& file, std::string_view yaml, const Environment& environment) {
  const std::map<std::string, Key> keys = makeKeys();
  Settings settings;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsNull() && !root.IsMap()) return invalidArgument(file + ": must be a map of keys and values");
    if (root.IsMap()) VCC_RETURN_IF_ERROR(readMap(settings, keys, root, "").prepend(file));
  } catch (const YAML::Exception& e) {
    return invalidArgument(fmt::format("{} line {}: it is not YAML: {}", file, e.mark.line + 1, e.msg));
  }
  VCC_RETURN_IF_ERROR(readEnvironment(settings, keys, environment));
  // No key of the file: a file of settings is shown, copied and kept in version control.
  if (std::optional<std::string> key = environment("VCC_MASTER_KEY"))
    settings.master_key = SecretString(std::move(*key));
  return settings;
}

}  // namespace vcc
