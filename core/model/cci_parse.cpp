// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/encoding.h"
#include "model/cci.h"
#include "model/container_options.h"
#include "model/json_tree.h"
#include "model/yaml_fields.h"

namespace vcc {
namespace {

constexpr bool kNoneIsUnset = true;
constexpr std::size_t kDescriptionBytes = 4096;
constexpr std::size_t kUserInitCommandBytes = 93U * 1024U;  // spec/sdk-cci 7.6, before base64

// The YAML text in `base64`; `member` is the key of the request body, for messages.
Result<std::string> decode(std::string_view base64, std::string_view member, const CciLimits& limits) {
  if (base64.size() / 4 * 3 > limits.bytes + 3) {
    return invalidArgument(
        fmt::format("{}: the document has more than {} bytes, which is the limit", member, limits.bytes));
  }
  Result<std::string> text = base64Decode(base64);
  if (!text.ok()) return invalidArgument(fmt::format("{}: {}", member, text.status().message()));
  return text;
}

// The map below the root: the document is a list of one map with the one key `root`.
Result<YamlValue> readRoot(std::string_view text, std::string_view member, std::string_view root,
                           const CciLimits& limits) {
  Result<YamlValue> document =
      readYaml(text, YamlLimits{limits.bytes, limits.depth, limits.values, limits.scalar_bytes});
  if (!document.ok()) return document.status().prepend(member);
  YamlValue& list = document.value();
  const bool shaped = list.isList() && list.items.size() == 1 && list.items[0].members.size() == 1 &&
                      list.items[0].members[0].first == root && list.items[0].members[0].second.isMap();
  if (!shaped) {
    return invalidArgument(
        fmt::format("{}: the document must be a list of one map with the one key \"{}\"", member, root));
  }
  return std::move(list.items[0].members[0].second);
}

// The SDK writes the name of a VC without quotes and again, quoted, as the description. When the description, read
// without its quotes, gives what `name` holds, it is the name before YAML changed it: null, [a], 'a', a #1.
Result<std::string> vcName(YamlFields& vc, const YamlValue* name, const std::string& description) {
  if (name == nullptr || name->isNull()) return description;
  const Result<YamlValue> reading = readYaml(description);
  if (reading.ok() && *reading == *name) return description;
  if (!name->isScalar()) return vc.error("name", fmt::format("this must be a text, but it is {}", name->kindName()));
  return name->text;
}

Result<std::string> description(YamlFields& fields) {
  VCC_ASSIGN_OR_RETURN(std::string text, fields.text("description"));
  if (text.size() > kDescriptionBytes) {
    return fields.error("description", fmt::format("this has more than {} bytes", kDescriptionBytes));
  }
  return text;
}

Status checkWord(YamlFields& fields, std::string_view key, std::string_view value) {
  const bool ok = !value.empty() && value.size() <= 64 && std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
  return ok ? okStatus() : fields.error(key, "1 to 64 letters, digits, '_', '-' or '.' are expected");
}

void noteUnread(const YamlFields& fields, UnitCci& cci) {
  constexpr std::size_t kNoted = 32;
  for (const std::string& key : fields.unread()) {
    if (cci.unknown_keys.size() < kNoted) cci.unknown_keys.push_back(fields.pathOf(key));
  }
}

// `num_nodes`, or `num_disks` of a storage unit, which is the only mark of one (spec/sdk-cci 7.3).
Status readCount(YamlFields& unit, const CciLimits& limits, UnitCci& cci) {
  const bool disks = unit.has("num_disks");
  if (disks && unit.has("num_nodes")) return unit.error("num_disks", "a unit has either num_nodes or num_disks");
  cci.kind = disks ? UnitKind::kStorage : UnitKind::kCompute;
  const std::string_view key = disks ? "num_disks" : "num_nodes";
  VCC_ASSIGN_OR_RETURN(const auto count, unit.number(key, 1, 999'999'999));
  cci.count_given = count.has_value();
  cci.count = count.value_or(1);
  if (cci.count > limits.nodes) {
    return resourceExhausted(fmt::format("{}: {} are asked for, at most {} are allowed in a unit", unit.pathOf(key),
                                         cci.count, limits.nodes));
  }
  return okStatus();
}

// What only compute units have.
Status readContainer(YamlFields& unit, UnitCci& cci) {
  VCC_ASSIGN_OR_RETURN(cci.image, unit.text("image"));
  if (cci.image.empty()) return unit.error("image", "the image of the base container is missing");
  if (const Status image = checkImageName(cci.image); !image.ok()) return unit.error("image", image.message());

  const YamlValue none;
  const auto below = [&](std::string_view key) {
    const YamlValue* value = unit.get(key);
    return YamlFields::of(value == nullptr ? none : *value, unit.pathOf(key), kNoneIsUnset);
  };
  VCC_ASSIGN_OR_RETURN(const YamlFields docker_opt, below("docker_opt"));
  VCC_ASSIGN_OR_RETURN(cci.docker_opt, parseDockerOptions(docker_opt));
  VCC_ASSIGN_OR_RETURN(YamlFields params, below("params"));
  VCC_ASSIGN_OR_RETURN(cci.volumes, parseVolumes(params));
  VCC_ASSIGN_OR_RETURN(cci.environment, parseEnvironment(params));
  noteUnread(params, cci);

  VCC_ASSIGN_OR_RETURN(cci.user_init_command, unit.text("user_init_command"));
  const Result<std::string> script = base64Decode(cci.user_init_command);
  if (!script.ok()) return unit.error("user_init_command", "this is not base64");
  if (script->size() > kUserInitCommandBytes) {
    return unit.error("user_init_command", fmt::format("the script has {} bytes, at most {} are allowed",
                                                       script->size(), kUserInitCommandBytes));
  }
  return okStatus();
}

// cloud_params as the driver gets them: the same tree with Python's None as null.
void nullsForNone(YamlValue& value) {
  if (value.isScalar() && value.plain && value.text == "None") value = YamlValue{};
  for (YamlValue& item : value.items) nullsForNone(item);
  for (auto& [key, member] : value.members) nullsForNone(member);
}

Status readAddresses(YamlFields& cloud, const CciLimits& limits, UnitCci& cci) {
  constexpr std::string_view kKey = "ip_address_list";
  VCC_ASSIGN_OR_RETURN(cci.addresses, cloud.texts(kKey));
  if (static_cast<std::int64_t>(cci.addresses.size()) > limits.nodes) {
    return resourceExhausted(fmt::format("{}: {} addresses are given, at most {} nodes are allowed in a unit",
                                         cloud.pathOf(kKey), cci.addresses.size(), limits.nodes));
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < cci.addresses.size(); ++i) {
    const std::string& ip = cci.addresses[i];
    if (!isIpv4(ip)) return cloud.error(kKey, i, fmt::format("\"{}\" is not an IPv4 address", cleanUtf8(ip, 64)));
    if (!seen.insert(ip).second) return cloud.error(kKey, i, fmt::format("{} is in the list twice", ip));
  }
  return okStatus();
}

Status readCloud(YamlFields& unit, const CciLimits& limits, UnitCci& cci) {
  VCC_ASSIGN_OR_RETURN(cci.provider, unit.text("cloud_provider"));
  VCC_RETURN_IF_ERROR(checkWord(unit, "cloud_provider", cci.provider));
  const YamlValue* value = unit.get("cloud_params");
  YamlValue params = value == nullptr ? YamlValue::map() : *value;
  nullsForNone(params);
  VCC_ASSIGN_OR_RETURN(YamlFields cloud, YamlFields::of(params, unit.pathOf("cloud_params"), kNoneIsUnset));
  cci.cloud_params = toJson(params);
  return readAddresses(cloud, limits, cci);
}

}  // namespace

Status settleCount(UnitCci& cci, bool list_counts) {
  if (cci.addresses.empty()) return okStatus();
  const auto listed = static_cast<std::int64_t>(cci.addresses.size());
  if (cci.count_given && !list_counts && cci.count != listed) {
    return invalidArgument(fmt::format(
        "unit.cloud_params.ip_address_list: {} addresses are given for {} nodes; give one for each, or none", listed,
        cci.count));
  }
  cci.count = listed;
  return okStatus();
}

Result<VcCci> parseVcCci(std::string_view base64, const CciLimits& limits) {
  VCC_ASSIGN_OR_RETURN(const std::string text, decode(base64, "cci", limits));
  VCC_ASSIGN_OR_RETURN(const YamlValue root, readRoot(text, "cci", "vc", limits));
  VCC_ASSIGN_OR_RETURN(YamlFields vc, YamlFields::of(root, "vc", kNoneIsUnset));
  VcCci cci;
  VCC_ASSIGN_OR_RETURN(cci.description, description(vc));
  VCC_ASSIGN_OR_RETURN(cci.name, vcName(vc, root.find("name"), cci.description));
  if (const Status valid = checkVcName(cci.name); !valid.ok()) return vc.error("name", valid.message());

  VCC_ASSIGN_OR_RETURN(const std::string type, vc.text("type", "compute"));
  if (type != "compute" && type != "storage") return vc.error("type", "\"compute\" or \"storage\" is expected");
  cci.kind = type == "storage" ? UnitKind::kStorage : UnitKind::kCompute;
  return cci;
}

Result<UnitCci> parseUnitCci(std::string_view base64, const CciLimits& limits) {
  VCC_ASSIGN_OR_RETURN(const std::string yaml, decode(base64, "info", limits));
  VCC_ASSIGN_OR_RETURN(const YamlValue root, readRoot(yaml, "info", "unit", limits));
  VCC_ASSIGN_OR_RETURN(YamlFields unit, YamlFields::of(root, "unit", kNoneIsUnset));
  UnitCci cci;
  VCC_ASSIGN_OR_RETURN(cci.name, unit.text("name"));
  if (unit.get("name") != nullptr) {
    if (const Status valid = checkUnitName(cci.name); !valid.ok()) return unit.error("name", valid.message());
  }
  VCC_ASSIGN_OR_RETURN(cci.description, description(unit));
  VCC_ASSIGN_OR_RETURN(cci.network, unit.text("private_network", cci.network));
  VCC_RETURN_IF_ERROR(checkWord(unit, "private_network", cci.network));
  VCC_RETURN_IF_ERROR(readCount(unit, limits, cci));
  if (cci.kind == UnitKind::kCompute) VCC_RETURN_IF_ERROR(readContainer(unit, cci));
  VCC_RETURN_IF_ERROR(readCloud(unit, limits, cci));
  for (std::string_view known : {"cci_version", "recovery_mode"}) unit.get(known);
  noteUnread(unit, cci);
  return cci;
}

}  // namespace vcc
