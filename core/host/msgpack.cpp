// SPDX-License-Identifier: Apache-2.0
#include "host/msgpack.h"

#include <algorithm>

namespace vcc {

namespace {

// First bytes, https://github.com/msgpack/msgpack/blob/master/spec.md
constexpr std::uint8_t kFixMap = 0x80;
constexpr std::uint8_t kFixArray = 0x90;
constexpr std::uint8_t kFixText = 0xa0;
constexpr std::uint8_t kBin8 = 0xc4;
constexpr std::uint8_t kBin32 = 0xc6;
constexpr std::uint8_t kUint8 = 0xcc;
constexpr std::uint8_t kUint64 = 0xcf;
constexpr std::uint8_t kText8 = 0xd9;
constexpr std::uint8_t kText16 = 0xda;
constexpr std::uint8_t kText32 = 0xdb;
constexpr std::uint8_t kArray16 = 0xdc;
constexpr std::uint8_t kArray32 = 0xdd;
constexpr std::uint8_t kMap16 = 0xde;
constexpr std::uint8_t kMap32 = 0xdf;

bool isFixInt(std::uint8_t byte) { return byte < kFixMap; }
bool isMap(std::uint8_t byte) { return (byte & 0xf0U) == kFixMap || byte == kMap16 || byte == kMap32; }
bool isArray(std::uint8_t byte) { return (byte & 0xf0U) == kFixArray || byte == kArray16 || byte == kArray32; }
bool isText(std::uint8_t byte) {
  return (byte & 0xe0U) == kFixText || (byte >= kText8 && byte <= kText32) || (byte >= kBin8 && byte <= kBin32);
}
bool isExtension(std::uint8_t byte) { return (byte >= 0xc7 && byte <= 0xc9) || (byte >= 0xd4 && byte <= 0xd8); }

/// How many bytes of length, count or number follow the first one.
std::size_t valueBytes(std::uint8_t byte) {
  switch (byte) {
    case 0xc4:  // bin 8, 16, 32
    case 0xc7:  // ext 8, 16, 32
    case 0xcc:  // uint 8, 16, 32, 64
    case 0xd0:  // int 8, 16, 32, 64
    case 0xd9:  // str 8, 16, 32
      return 1;
    case 0xc5:
    case 0xc8:
    case 0xcd:
    case 0xd1:
    case 0xda:
    case 0xdc:  // array 16, 32
    case 0xde:  // map 16, 32
      return 2;
    case 0xc6:
    case 0xc9:
    case 0xca:  // float 32, 64
    case 0xce:
    case 0xd2:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    default:
      return 0;
  }
}

/// What the first byte holds itself.
std::uint64_t inlineValue(std::uint8_t byte) {
  if (isFixInt(byte)) return byte;
  if (byte < kFixText) return byte & 0x0fU;
  if ((byte & 0xe0U) == kFixText) return byte & 0x1fU;
  if (byte >= 0xd4 && byte <= 0xd8) return std::uint64_t{1} << (byte - 0xd4U);  // fixext
  return 0;
}

}  // namespace

std::nullopt_t MsgpackReader::fail() {
  bad_ = true;
  return std::nullopt;
}

std::optional<std::uint64_t> MsgpackReader::bigEndian(std::size_t bytes) {
  if (bytes_.size() - at_ < bytes) {
    short_ = true;
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes_[at_ + i]);
  at_ += bytes;
  return value;
}

std::optional<MsgpackReader::Head> MsgpackReader::head() {
  if (failed()) return std::nullopt;
  const auto first = bigEndian(1);
  if (!first) return std::nullopt;
  Head head{static_cast<std::uint8_t>(*first), inlineValue(static_cast<std::uint8_t>(*first))};
  if (head.byte == 0xc1) return fail();  // never used
  if (const std::size_t more = valueBytes(head.byte); more > 0) {
    const auto value = bigEndian(more);
    if (!value) return std::nullopt;
    head.value = *value;
  }
  return head;
}

std::optional<std::uint32_t> MsgpackReader::mapSize() {
  const auto found = head();
  if (!found) return std::nullopt;
  if (!isMap(found->byte)) return fail();
  return static_cast<std::uint32_t>(found->value);
}

std::optional<std::uint32_t> MsgpackReader::arraySize() {
  const auto found = head();
  if (!found) return std::nullopt;
  if (!isArray(found->byte)) return fail();
  return static_cast<std::uint32_t>(found->value);
}

std::optional<std::string_view> MsgpackReader::text() {
  const auto found = head();
  if (!found) return std::nullopt;
  if (!isText(found->byte)) return fail();
  if (bytes_.size() - at_ < found->value) {
    short_ = true;
    return std::nullopt;
  }
  const std::string_view text = bytes_.substr(at_, found->value);
  at_ += found->value;
  return text;
}

std::optional<std::uint64_t> MsgpackReader::number() {
  const auto found = head();
  if (!found) return std::nullopt;
  if (!isFixInt(found->byte) && (found->byte < kUint8 || found->byte > kUint64)) return fail();
  return found->value;
}

bool MsgpackReader::skip() {
  // Each value that is still to come takes a byte at least, so that this ends with the buffer.
  for (std::uint64_t pending = 1; pending > 0; --pending) {
    const auto found = head();
    if (!found) return false;
    if (isMap(found->byte)) {
      pending += 2 * found->value;
    } else if (isArray(found->byte)) {
      pending += found->value;
    } else if (isText(found->byte) || isExtension(found->byte)) {
      const std::uint64_t length = found->value + (isExtension(found->byte) ? 1 : 0);
      if (bytes_.size() - at_ < length) {
        short_ = true;
        return false;
      }
      at_ += length;
    }
  }
  return true;
}

void packMap(std::string& out, std::uint8_t pairs) { out += static_cast<char>(kFixMap | (pairs & 0x0fU)); }

void packText(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out += static_cast<char>(kFixText | text.size());
  } else {
    // The form that every version of the format knows.
    const std::size_t length = std::min<std::size_t>(text.size(), 0xffff);
    text = text.substr(0, length);
    out += static_cast<char>(kText16);
    out += static_cast<char>(length >> 8U);
    out += static_cast<char>(length & 0xffU);
  }
  out += text;
}

void packNumber(std::string& out, std::uint64_t number) {
  if (number < kFixMap) {
    out += static_cast<char>(number);
    return;
  }
  out += static_cast<char>(kUint64);
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> static_cast<unsigned>(shift));
}

}  // namespace vcc
