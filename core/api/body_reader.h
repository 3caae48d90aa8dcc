// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/http_head.h"

namespace vcc {

/// Finds the body in what a client sends after its head: so many bytes, or chunks (RFC 9112, 7.1; extensions and
/// trailers are dropped). Pure. One per request.
class BodyReader {
 public:
  /// `announced`: bytes, or kChunked.
  BodyReader(std::int64_t announced, std::size_t limit_bytes);

  enum class State { kMore, kComplete, kTooLong, kBroken };
  State state() const { return state_; }
  /// Takes what belongs to the body from the front of `bytes` and says how much that was; what follows is the next
  /// request. Nothing is taken unless the state is kMore.
  std::size_t feed(std::string_view bytes);
  std::string take() { return std::move(body_); }

 private:
  enum class Part { kSize, kData, kDataEnd, kTrailer };
  std::size_t feedData(std::string_view bytes);
  std::size_t feedLine(std::string_view bytes);
  State endLine();

  std::size_t limit_;
  bool chunked_;
  Part part_ = Part::kData;
  std::size_t left_ = 0;           // of the body, or of the chunk
  std::string line_;               // of the framing, without its LF
  std::size_t trailer_bytes_ = 0;  // seen so far
  std::string body_;
  State state_ = State::kMore;
};

}  // namespace vcc
