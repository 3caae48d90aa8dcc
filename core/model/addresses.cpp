// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "base/encoding.h"
#include "model/cci.h"

namespace vcc {
namespace {

// A decimal number without sign or leading zeros, at most `most`.
std::optional<std::uint32_t> decimal(std::string_view text, std::uint32_t most) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint32_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value <= most ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> address(std::string_view text) {
  std::uint32_t number = 0;
  for (int octet = 0; octet < 4; ++octet) {
    const std::size_t dot = octet < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto value = decimal(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    number = (number << 8U) | *value;
    text.remove_prefix(octet < 3 ? dot + 1 : dot);
  }
  return number;
}

std::uint32_t maskOf(int prefix) { return prefix == 0 ? 0 : ~std::uint32_t{0} << static_cast<unsigned>(32 - prefix); }

}  // namespace

bool isIpv4(std::string_view text) { return address(text).has_value(); }

std::uint32_t ipv4ToNumber(std::string_view text) { return address(text).value_or(0); }

std::string ipv4FromNumber(std::uint32_t number) {
  return fmt::format("{}.{}.{}.{}", number >> 24U, (number >> 16U) & 255U, (number >> 8U) & 255U, number & 255U);
}

bool Cidr::contains(std::uint32_t address_number) const { return ((address_number ^ base) & maskOf(prefix)) == 0; }

std::uint32_t Cidr::firstHost() const { return prefix <= 30 ? base + 1 : base; }

std::uint32_t Cidr::lastHost() const {
  const std::uint32_t last = base | ~maskOf(prefix);
  return prefix <= 30 ? last - 1 : last;
}

Result<Cidr> parseCidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = address(text.substr(0, slash));
  const auto prefix = slash == std::string_view::npos ? std::nullopt : decimal(text.substr(slash + 1), 32);
  if (!base || !prefix) {
    return invalidArgument(fmt::format("\"{}\" is not an IPv4 range such as 192.168.1.0/24", cleanUtf8(text, 64)));
  }
  const int bits = static_cast<int>(*prefix);
  return Cidr{*base & maskOf(bits), bits};
}

}  // namespace vcc
