// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace vcc {

/// What stands behind an IP address, as far as numbers tell.
enum class AddressClass : std::uint8_t {
  kPublic,
  kPrivate,   ///< RFC 1918, shared (RFC 6598), IPv6 unique local
  kLoopback,  ///< this machine
  kForbidden  ///< link-local, metadata services of clouds, unspecified, multicast, reserved, not an address
};

/// `address`: IPv4 or IPv6 text without prefix length. IPv4 inside IPv6 (mapped, NAT64) counts as the IPv4 address.
AddressClass classify(const std::string& address);

}  // namespace vcc
