// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/address_class.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace vcc {
namespace {

struct Range4 {
  std::uint32_t base;
  unsigned bits;
  AddressClass what;
};

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24U | b << 16U | c << 8U | d;
}

// The first match counts.
constexpr std::array<Range4, 12> kRanges4 = {{
    {ip(0, 0, 0, 0), 8, AddressClass::kForbidden},
    {ip(100, 100, 100, 200), 32, AddressClass::kForbidden},  // metadata of Alibaba
    {ip(168, 63, 129, 16), 32, AddressClass::kForbidden},    // platform service of Azure
    {ip(169, 254, 0, 0), 16, AddressClass::kForbidden},
    {ip(192, 0, 0, 192), 32, AddressClass::kForbidden},  // metadata of Oracle
    {ip(224, 0, 0, 0), 3, AddressClass::kForbidden},
    {ip(127, 0, 0, 0), 8, AddressClass::kLoopback},
    {ip(10, 0, 0, 0), 8, AddressClass::kPrivate},
    {ip(100, 64, 0, 0), 10, AddressClass::kPrivate},
    {ip(172, 16, 0, 0), 12, AddressClass::kPrivate},
    {ip(192, 168, 0, 0), 16, AddressClass::kPrivate},
    {ip(198, 18, 0, 0), 15, AddressClass::kPrivate},
}};

AddressClass classify4(std::uint32_t address) {
  for (const Range4& range : kRanges4) {
    if (((address ^ range.base) >> (32U - range.bits)) == 0) return range.what;
  }
  return AddressClass::kPublic;
}

}  // namespace

AddressClass classify(const std::string& address) {
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return classify4(ntohl(four.s_addr));
  std::array<std::uint8_t, 16> six{};
  if (inet_pton(AF_INET6, address.c_str(), six.data()) != 1) return AddressClass::kForbidden;

  const auto beginsWith = [&](std::initializer_list<std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), six.begin());
  };
  std::uint32_t tail = 0;
  std::memcpy(&tail, six.data() + 12, sizeof tail);
  if (beginsWith({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}) ||
      beginsWith({0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return classify4(ntohl(tail));
  }
  if (beginsWith({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})) return AddressClass::kLoopback;
  if (six[0] == 0 || six[0] == 0xFF || (six[0] == 0xFE && six[1] >= 0x80)) return AddressClass::kForbidden;
  if (beginsWith({0xFD, 0, 0x0E, 0xC2})) return AddressClass::kForbidden;  // metadata of AWS: fd00:ec2::/32
  if ((six[0] & 0xFEU) == 0xFC) return AddressClass::kPrivate;
  return AddressClass::kPublic;
}

}  // namespace vcc
