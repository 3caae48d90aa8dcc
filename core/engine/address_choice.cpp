// SPDX-License-Identifier: Apache-2.0
#include "engine/address_choice.h"

#include <fmt/format.h>

#include "engine/lifecycle.h"
#include "model/json_tree.h"
#include "store/schema.h"

namespace vcc {

namespace {

/// Every IPv4 address in the texts of the tree, with or without a prefix length.
void collectAddresses(const YamlValue& value, std::set<std::uint32_t>& out) {
  std::string_view text = value.text;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(", ");
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    word = word.substr(0, word.find('/'));
    if (isIpv4(word)) out.insert(ipv4ToNumber(word));
  }
  for (const auto& [key, member] : value.members) collectAddresses(member, out);
  for (const YamlValue& item : value.items) collectAddresses(item, out);
}

}  // namespace

Result<AddressPool> AddressPool::of(const CatalogEntry& entry, const std::vector<std::string>& own_addresses) {
  AddressPool pool;
  pool.label_ = fmt::format("catalog entry {}/{}", entry.provider, entry.name);
  if (!entry.private_network) {
    return invalidArgument(
        fmt::format("private_network: {} has no `private_network_ipmask`, from which addresses would be chosen; ask "
                    "the administrator to add it",
                    pool.label_));
  }
  pool.range_ = *entry.private_network;
  pool.next_ = pool.range_.firstHost();
  VCC_ASSIGN_OR_RETURN(const YamlValue tree, treeFromJson(entry.json));
  collectAddresses(tree, pool.excluded_);
  for (const std::string& own : own_addresses) {
    if (isIpv4(own)) pool.excluded_.insert(ipv4ToNumber(own));
  }
  std::erase_if(pool.excluded_, [&](std::uint32_t address) {
    return address < pool.range_.firstHost() || address > pool.range_.lastHost();
  });
  return pool;
}

std::int64_t AddressPool::size() const {
  return std::int64_t{range_.lastHost()} - range_.firstHost() + 1 - static_cast<std::int64_t>(excluded_.size());
}

Result<std::string> AddressPool::take(Tx& tx, Address taker) {
  for (; next_ >= range_.firstHost() && next_ <= range_.lastHost(); ++next_) {
    if (excluded_.contains(next_)) continue;
    taker.ip = ipv4FromNumber(next_);
    if (tx.addresses().find(Schema<Address>::key(taker))) continue;
    VCC_RETURN_IF_ERROR(tx.addresses().put(taker));
    return taker.ip;
  }
  return exhausted(Code::kResourceExhausted);
}

Status AddressPool::checkRoom(Tx& tx, const std::string& instance, const std::string& network,
                              std::int64_t adding) const {
  std::int64_t nodes = 0;
  tx.units().scan([&](const Unit& unit) {
    if (unit.instance == instance && unit.network == network) {
      nodes += static_cast<std::int64_t>(nodesOf(tx, unit.unit_id).size());
    }
    return true;
  });
  return nodes + adding <= size() ? okStatus() : exhausted(Code::kFailedPrecondition);
}

Status AddressPool::exhausted(Code code) const {
  return Status(code, fmt::format("no address of {}/{} (`private_network_ipmask` of {}) is free for another machine; "
                                  "delete nodes, or ask the administrator for a larger range",
                                  ipv4FromNumber(range_.base), range_.prefix, label_));
}

}  // namespace vcc
