// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/descriptor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "plugin_host/host_services.h"
#include "vcp/plugin/ext/disk.h"
#include "vcp/plugin/ext/draft/spot.h"

namespace vcc {
namespace {

constexpr std::uint32_t kMaxConcurrency = 1024;
constexpr std::uint32_t kMaxItems = 1000;
constexpr std::int64_t kMaxDelayMs = 366LL * 86'400'000;
/// What VCP_DISK_ID was called before its promotion. Asked for in this release still, and in the next no more.
constexpr char kDraftDiskId[] = "draft.vcp.disk/1";

/// 1 to `limit` characters of [a-z0-9] and `more`.
bool isWord(std::string_view text, std::size_t limit, std::string_view more) {
  return !text.empty() && text.size() <= limit && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
  });
}

bool isShortText(std::string_view text, std::size_t limit) {
  return !text.empty() && text.size() <= limit && isUtf8(text);
}

bool isOptionalText(std::string_view text, std::size_t limit) { return text.empty() || isShortText(text, limit); }

/// What is wrong with the descriptor; null when nothing.
const char* fault(const vcp_plugin_info_t& info) {
  if (!isWord(fromAbi(info.id), 128, "._-")) return "id must be reverse DNS in lower case";
  if (!isWord(fromAbi(info.provider), 32, "_")) return "provider must be 1 to 32 of a-z, 0-9, _";
  if (!isShortText(fromAbi(info.display_name), 128)) return "display_name is missing, too long or not UTF-8";
  if (!isShortText(fromAbi(info.version), 64)) return "version is missing, too long or not UTF-8";
  if (!isOptionalText(fromAbi(info.vendor), 128)) return "vendor is too long or not UTF-8";
  if (!isOptionalText(fromAbi(info.license), 128)) return "license is too long or not UTF-8";
  if (!isOptionalText(fromAbi(info.sdk_version), 64)) return "sdk_version is too long or not UTF-8";
  if (info.idempotency < VCP_IDEMPOTENCY_TOKEN || info.idempotency > VCP_IDEMPOTENCY_LOOKUP)
    return "idempotency is not declared";
  if (info.existence < VCP_EXISTENCE_OBSERVED || info.existence > VCP_EXISTENCE_ASSERTED)
    return "existence is not declared";
  if (info.attach_needs < VCP_ATTACH_UNSPECIFIED || info.attach_needs > VCP_ATTACH_OFF)
    return "attach_needs is out of range";
  if (info.concurrency > kMaxConcurrency) return "concurrency is above 1024";
  if (info.max_batch > kMaxItems || info.max_observe > kMaxItems) return "max_batch or max_observe is above 1000";
  if (info.token_ttl_ms < 0 || info.token_ttl_ms > kMaxDelayMs) return "token_ttl_ms is out of range";
  if (info.idempotency == VCP_IDEMPOTENCY_TOKEN && info.token_ttl_ms == 0) return "token_ttl_ms is needed with tokens";
  if (info.lookup_lag_ms < 0 || info.lookup_lag_ms > kMaxDelayMs) return "lookup_lag_ms is out of range";
  if (info.settle_ms < 0 || info.settle_ms > kMaxDelayMs) return "settle_ms is out of range";
  return nullptr;
}

/// What an extension's table lacks; empty when it is whole.
std::string lackOf(const vcp_disk_ops_t& ops) {
  if (!VCP_HAS(vcp_disk_ops_t, &ops, observe)) return "the end of its table";
  const std::array<std::pair<const char*, bool>, 6> functions{{
      {"validate", ops.validate != nullptr},
      {"create", ops.create != nullptr},
      {"destroy", ops.destroy != nullptr},
      {"attach", ops.attach != nullptr},
      {"detach", ops.detach != nullptr},
      {"observe", ops.observe != nullptr},
  }};
  for (const auto& [name, there] : functions) {
    if (!there) return std::string("function '") + name + "'";
  }
  return "";
}

std::string lackOf(const vcp_spot_ops_t& ops) {
  if (!VCP_HAS(vcp_spot_ops_t, &ops, notices)) return "the end of its table";
  return ops.notices == nullptr ? "function 'notices'" : "";
}

/// Null when the plugin does not offer it.
template <class Table>
const Table* offered(const vcp_plugin_entry_t& entry, std::string_view id) {
  return static_cast<const Table*>(entry.get_extension({id.data(), id.size()}));
}

}  // namespace

Result<DriverInfo> readDescriptor(const std::string& path, const vcp_plugin_entry_t& entry, Refusals& refusals) {
  const vcp_plugin_info_t& info = *entry.info;
  if (!VCP_HAS(vcp_plugin_info_t, &info, settle_ms)) {
    return refusals.error(
        "PLUGIN_TABLE_SHORT",
        failedPrecondition("plugin " + path + ": its descriptor is too short; rebuild it with the SDK"));
  }
  if (const char* what = fault(info)) {
    return refusals.error("PLUGIN_DESCRIPTOR_BAD", failedPrecondition("plugin " + path + ": bad descriptor: " + what));
  }
  DriverInfo out;
  out.id = fromAbi(info.id);
  out.provider = fromAbi(info.provider);
  out.display_name = fromAbi(info.display_name);
  out.version = fromAbi(info.version);
  out.abi = std::to_string(entry.abi_major) + "." + std::to_string(entry.abi_minor);
  out.idempotency = static_cast<Idempotency>(info.idempotency - VCP_IDEMPOTENCY_TOKEN);
  out.existence = static_cast<Existence>(info.existence - VCP_EXISTENCE_OBSERVED);
  out.attach_needs = static_cast<AttachNeeds>(info.attach_needs);
  out.token_ttl_ms = info.token_ttl_ms;
  out.lookup_lag_ms = info.lookup_lag_ms;
  if (info.settle_ms > 0) out.settle_ms = info.settle_ms;
  out.max_batch = std::max(info.max_batch, 1U);
  out.max_observe = std::max(info.max_observe, 1U);
  out.concurrency = std::max(info.concurrency, 1U);
  out.can_power = (info.capabilities & VCP_CAP_POWER) != 0;
  out.can_list = (info.capabilities & VCP_CAP_LIST) != 0;
  out.needs_address = (info.capabilities & VCP_CAP_NEEDS_ADDRESS) != 0;
  out.simulated_hosts = (info.capabilities & VCP_CAP_SIMULATED_HOSTS) != 0;
  return out;
}

Status checkOps(const std::string& path, const vcp_driver_ops_t* ops, const DriverInfo& info, Refusals& refusals) {
  if (ops == nullptr || !VCP_HAS(vcp_driver_ops_t, ops, power)) {
    return refusals.error(
        "PLUGIN_TABLE_SHORT",
        failedPrecondition("plugin " + path + ": its driver table is too short; rebuild it with the SDK"));
  }
  const std::array<std::pair<const char*, bool>, 9> functions{{
      {"close", ops->close != nullptr},
      {"describe", ops->describe != nullptr},
      {"validate", ops->validate != nullptr},
      {"probe", ops->probe != nullptr},
      {"create", ops->create != nullptr},
      {"observe", ops->observe != nullptr},
      {"destroy", ops->destroy != nullptr},
      {"list", ops->list != nullptr || !info.can_list},
      {"power", ops->power != nullptr || !info.can_power},
  }};
  for (const auto& [name, there] : functions) {
    if (there) continue;
    return refusals.error("PLUGIN_REQUIRED_MISSING",
                          failedPrecondition("plugin " + path + ": its driver table has no function '" + name +
                                             "', which is required or declared as a capability"));
  }
  return okStatus();
}

Result<DriverExtensions> readExtensions(const std::string& path, const vcp_plugin_entry_t& entry, Refusals& refusals) {
  DriverExtensions out;
  if (entry.get_extension == nullptr) return out;
  const auto half = [&](const char* id, const std::string& lack) {
    return refusals.error("PLUGIN_EXTENSION_HALF",
                          failedPrecondition("plugin " + path + ": it offers the extension " + id + " without " + lack +
                                             "; complete it, or do not offer it"));
  };
  try {
    for (const char* id : {VCP_DISK_ID, kDraftDiskId}) {
      const auto* disk = offered<vcp_disk_ops_t>(entry, id);
      if (disk == nullptr) continue;
      if (const std::string lack = lackOf(*disk); !lack.empty()) return half(id, lack);
      if (entry.info->attach_needs == VCP_ATTACH_UNSPECIFIED) return half(id, "attach_needs in its descriptor");
      out.ids.emplace_back(id);
      out.disks = disk;
      break;
    }
    if (const auto* spot = offered<vcp_spot_ops_t>(entry, VCP_SPOT_ID)) {
      if (const std::string lack = lackOf(*spot); !lack.empty()) return half(VCP_SPOT_ID, lack);
      out.ids.emplace_back(VCP_SPOT_ID);
    }
  } catch (...) {
    return refusals.error("PLUGIN_EXTENSION_HALF",
                          internalError("plugin " + path + ": its get_extension threw an exception"));
  }
  return out;
}

}  // namespace vcc
