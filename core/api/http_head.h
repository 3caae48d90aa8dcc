// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http_types.h"

/// The head of a request as text (RFC 9112), apart from any socket. Pure. Strict where two programs could read two
/// things: lines end with CR LF, no folded lines, no space before a colon, one Host, one way to tell the body's end.
namespace vcc {

struct HeadLimits {
  std::size_t head_bytes = std::size_t{32} << 10U;  ///< request line and all headers
  std::size_t url_bytes = std::size_t{8} << 10U;
  std::size_t headers = 100;
};

/// Why the listener itself refuses a request.
struct HeadFault {
  HttpRefusal refusal = HttpRefusal::kBadRequest;
  std::string text;
};

/// A body that comes in chunks.
inline constexpr std::int64_t kChunked = -1;

struct RequestHead {
  HttpHead http;                ///< without `id` and `peer`
  std::int64_t body_bytes = 0;  ///< announced, or kChunked
  bool keep_alive = false;      ///< the client would use the connection again
  bool expect_continue = false;
  /// Set: nothing but `http.method` and `http.target` is to be relied on, and nobody knows where the next request
  /// begins.
  std::optional<HeadFault> fault;
};

/// Where a head that arrives piece by piece ends.
class HeadScan {
 public:
  explicit HeadScan(const HeadLimits& limits) : limits_(limits) {}
  /// `bytes`: all that came so far, from the first byte of the request on.
  enum class Found { kMore, kEnd, kFault };
  Found scan(std::string_view bytes);
  /// Bytes of the head with its empty line, after kEnd.
  std::size_t size() const { return at_; }
  const HeadFault& fault() const { return fault_; }

 private:
  Found fail(HttpRefusal refusal, std::string text);

  HeadLimits limits_;
  std::size_t at_ = 0;          // looked at up to here
  std::size_t line_begin_ = 0;  // of the line that `at_` is in
  std::size_t lines_ = 0;       // complete ones, the request line first
  HeadFault fault_;
};

/// Takes a complete head apart.
RequestHead parseHead(std::string_view head);

}  // namespace vcc
