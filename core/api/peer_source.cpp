// SPDX-License-Identifier: Apache-2.0
#include "api/peer_source.h"

#include <arpa/inet.h>

#include <array>

namespace vcc {

std::string sourceOf(std::string_view peer) {
  std::string text(peer.substr(0, peer.find('%')));  // without the zone of a link-local address
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  const std::string_view whole(bytes.data(), bytes.size());
  return std::string(whole.starts_with(kMapped) ? whole.substr(kMapped.size()) : whole.substr(0, 8));
}

}  // namespace vcc
