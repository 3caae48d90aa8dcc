// SPDX-License-Identifier: Apache-2.0
#include "engine/admission.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "store/schema.h"

namespace vcc {

namespace {

bool inRange(std::uint32_t address, std::string_view cidr) {
  const auto range = parseCidr(cidr);
  return range.ok() && range->contains(address);
}

Status forbiddenKind(const AdmissionContext& context, std::uint32_t number, const std::string& where,
                     const std::string& address) {
  struct Kind {
    std::string_view range;
    std::string_view what;
  };
  static constexpr std::array kKinds{Kind{"0.0.0.0/8", "not a host"}, Kind{"169.254.0.0/16", "link-local"},
                                     Kind{"224.0.0.0/3", "multicast or reserved"}};
  for (const Kind& kind : kKinds) {
    if (inRange(number, kind.range)) return invalidArgument(fmt::format("{}: {} is {}", where, address, kind.what));
  }
  if (!context.evaluation && inRange(number, "127.0.0.0/8")) {
    return invalidArgument(fmt::format("{}: {} is a loopback address", where, address));
  }
  const auto& own = context.own_addresses;
  if (std::find(own.begin(), own.end(), address) != own.end()) {
    return invalidArgument(fmt::format("{}: {} is this controller itself", where, address));
  }
  return okStatus();
}

Status allowedHost(const AdmissionContext& context, std::uint32_t number, const std::string& where,
                   const std::string& address) {
  VCC_RETURN_IF_ERROR(forbiddenKind(context, number, where, address));
  if (context.entry.allowed_hosts.empty()) return okStatus();
  for (const std::string& allowed : context.entry.allowed_hosts) {
    if (allowed == address || inRange(number, allowed)) return okStatus();
  }
  return invalidArgument(
      fmt::format("{}: {} is not among `allowed_hosts` of catalog entry {}/{}; choose another server "
                  "or ask the administrator to add it",
                  where, address, context.entry.provider, context.entry.name));
}

bool isPathUnder(std::string_view path, std::string_view folder) {
  if (folder.empty() || path.find("/../") != std::string_view::npos || path.ends_with("/..")) return false;
  while (folder.size() > 1 && folder.back() == '/') folder.remove_suffix(1);
  return path == folder || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

}  // namespace

Status admitAddresses(const AdmissionContext& context, const std::vector<std::string>& addresses) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string& address = addresses[i];
    const std::string where = fmt::format("ip_address_list[{}]", i);
    if (!isIpv4(address)) return invalidArgument(where + " is not an IPv4 address");
    if (!seen.insert(address).second) return invalidArgument(fmt::format("{}: {} is listed twice", where, address));
    const std::uint32_t number = ipv4ToNumber(address);
    if (context.driver.existence == Existence::kAsserted) {
      VCC_RETURN_IF_ERROR(allowedHost(context, number, where, address));
    }
    const auto& network = context.entry.private_network;
    if (network && !(number >= network->firstHost() && number <= network->lastHost())) {
      return invalidArgument(fmt::format("{}: {} is outside {}/{} (`private_network_ipmask` of catalog entry {}/{})",
                                         where, address, ipv4FromNumber(network->base), network->prefix,
                                         context.entry.provider, context.entry.name));
    }
  }
  return okStatus();
}

Status admitVolumes(const AdmissionContext& context, const std::vector<std::string>& volumes) {
  const bool ours = context.driver.existence == Existence::kObserved;
  if (context.entry.allow_host_mounts.value_or(ours)) return okStatus();
  // What the published templates mount (choices.md, "catalog keys of every provider").
  static constexpr std::array<std::string_view, 4> kPublished{"/sys/fs/cgroup", "/lib/modules", "/dev",
                                                              "/var/lib/docker"};
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const std::string& volume = volumes[i];
    const std::size_t colon = volume.find(':');
    if (colon == std::string::npos || volume.front() != '/') continue;  // an anonymous or named volume binds no folder
    const std::string_view source = std::string_view(volume).substr(0, colon);
    const bool published = std::find(kPublished.begin(), kPublished.end(), source) != kPublished.end();
    if (!published && !isPathUnder(source, context.entry.host_mount_prefix)) {
      return invalidArgument(
          fmt::format("params.v[{}]: folder {} of an existing server may not be mounted; allowed are "
                      "{}{}; the administrator may set `host_mount_prefix` or `allow_host_mounts` in "
                      "catalog entry {}/{}",
                      i, source, fmt::join(kPublished, ", "),
                      context.entry.host_mount_prefix.empty() ? std::string()
                                                              : " and folders under " + context.entry.host_mount_prefix,
                      context.entry.provider, context.entry.name));
    }
  }
  return okStatus();
}

std::string addressSpace(const DriverInfo& driver, const std::string& network) {
  return driver.existence == Existence::kAsserted ? "*" : network;
}

Status reserveAddress(Tx& tx, const Address& address) {
  const Address* taken = tx.addresses().find(Schema<Address>::key(address));
  if (taken && taken->node_id != address.node_id) {
    return alreadyExists(fmt::format(
        "address {} is already used by another node; choose another address, or delete that node first", address.ip));
  }
  return tx.addresses().put(address);
}

}  // namespace vcc
