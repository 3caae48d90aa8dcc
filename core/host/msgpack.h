// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vcc {

/// Reads MessagePack from the front of a buffer that may not be whole yet, one value after the other. Each getter takes
/// its value, or returns nothing and leaves the reader failed: `isShort` when more bytes may mend that, otherwise what
/// is there is of another type or no MessagePack. Never recurses and never allocates by a length that it was told.
/// Borrows the bytes.
class MsgpackReader {
 public:
  explicit MsgpackReader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return short_ || bad_; }
  bool isShort() const { return short_; }
  /// Bytes taken so far.
  std::size_t taken() const { return at_; }

  /// How many pairs follow, each a key and a value.
  std::optional<std::uint32_t> mapSize();
  std::optional<std::uint32_t> arraySize();
  /// Text or bytes. Lives as long as the buffer.
  std::optional<std::string_view> text();
  /// A number from 0.
  std::optional<std::uint64_t> number();
  /// Takes one value, whatever it is, with all in it.
  bool skip();

 private:
  struct Head {
    std::uint8_t byte = 0;
    std::uint64_t value = 0;  ///< the length, count or number behind it
  };
  std::optional<Head> head();
  std::optional<std::uint64_t> bigEndian(std::size_t bytes);
  std::nullopt_t fail();

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool short_ = false;
  bool bad_ = false;
};

/// Appends what requests need.
void packMap(std::string& out, std::uint8_t pairs);  ///< at most 15
void packText(std::string& out, std::string_view text);
void packNumber(std::string& out, std::uint64_t number);

}  // namespace vcc
