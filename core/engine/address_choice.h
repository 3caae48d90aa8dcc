// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "store/store.h"

/// Addresses for machines of clouds that give none (VCP_CAP_NEEDS_ADDRESS). A chosen address is reserved like a fixed
/// one; it is free again when its machine is gone.
namespace vcc {

/// The addresses of a catalog entry that may be chosen: the hosts of its `private_network_ipmask` but this controller's
/// own and those that the entry itself names (gateways, name servers).
class AddressPool {
 public:
  /// kInvalidArgument when the entry has no range.
  static Result<AddressPool> of(const CatalogEntry& entry, const std::vector<std::string>& own_addresses);

  std::int64_t size() const;

  /// The first address from the last one chosen here upwards that nobody has reserved, now reserved by `taker`, whose
  /// `ip` it fills in. kResourceExhausted when there is none.
  Result<std::string> take(Tx& tx, Address taker);

  /// kFailedPrecondition (409) when `adding` more nodes on (instance, network) cannot all have an address.
  Status checkRoom(Tx& tx, const std::string& instance, const std::string& network, std::int64_t adding) const;

 private:
  Status exhausted(Code code) const;

  Cidr range_;
  std::set<std::uint32_t> excluded_;  // hosts of the range
  std::string label_;                 // for messages
  std::uint32_t next_ = 0;
};

}  // namespace vcc
