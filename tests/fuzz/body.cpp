// SPDX-License-Identifier: Apache-2.0
// Chunked bodies as they come from a socket, at once and in pieces.
#include "api/body_reader.h"
#include "fuzz.h"

using namespace vcc;

namespace {

constexpr std::size_t kLimit = 4096;

struct Read {
  BodyReader::State state = BodyReader::State::kMore;
  std::size_t taken = 0;
  std::string body;
  bool operator==(const Read&) const = default;
};

Read readIn(const std::string& bytes, std::size_t step) {
  BodyReader reader(kChunked, kLimit);
  Read read;
  while (reader.state() == BodyReader::State::kMore && read.taken < bytes.size()) {
    const std::string_view rest = std::string_view(bytes).substr(read.taken, step);
    const std::size_t taken = reader.feed(rest);
    fuzz::require(taken <= rest.size(), "more is taken than there is");
    read.taken += taken;
    if (taken == 0) break;
  }
  read.state = reader.state();
  read.body = reader.take();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = fuzz::text(data, size);
  const Read whole = readIn(bytes, bytes.size() + 1);
  const std::size_t step = size == 0 ? 1 : 1 + data[size - 1] % 16;
  const Read pieces = readIn(bytes, step);
  fuzz::require(whole.state == pieces.state && whole.body == pieces.body,
                "a body that differs when it comes in pieces");
  fuzz::require(whole.body.size() <= kLimit, "a body beyond the limit");
  if (whole.state != BodyReader::State::kComplete) return 0;
  fuzz::require(whole == pieces, "a body that ends elsewhere when it comes in pieces");
  fuzz::require(bytes.substr(0, whole.taken).ends_with("\r\n\r\n"), "a body that ends without an empty line");
  return 0;
}
