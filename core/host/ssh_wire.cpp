// SPDX-License-Identifier: Apache-2.0
#include "host/ssh_wire.h"

#include "base/encoding.h"

namespace vcc::ssh_wire {

std::string uint32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string string(std::string_view bytes) { return uint32(static_cast<std::uint32_t>(bytes.size())).append(bytes); }

std::optional<std::uint32_t> takeUint32(std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
  rest.remove_prefix(4);
  return value;
}

std::optional<std::string_view> takeString(std::string_view& rest) {
  std::string_view after = rest;
  auto size = takeUint32(after);
  if (!size || *size > after.size()) return std::nullopt;
  auto bytes = after.substr(0, *size);
  rest = after.substr(*size);
  return bytes;
}

std::string keyLine(std::string_view blob) {
  std::string_view rest = blob;
  auto type = takeString(rest);
  if (!type || type->empty() || type->size() > 64) return "";
  for (char c : *type) {
    if (c <= ' ' || c > '~') return "";
  }
  return std::string(*type).append(" ").append(base64Encode(blob));
}

}  // namespace vcc::ssh_wire
