// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "plugin_host/http_transport.h"
#include "plugin_host/http_url.h"

/// HTTP/1.1 as text (RFC 9112), apart from any socket. Pure.
namespace vcc {

/// Refuses methods and headers that could change the framing or smuggle a second request.
Status checkHttpRequest(const HttpRequest& request);

/// The request up to its body. `target`: path and query, or the whole URL towards a proxy.
std::string requestHead(const HttpRequest& request, const HttpUrl& url, const std::string& target,
                        const std::string& user_agent);

/// Reads a response from pieces of any size.
class ResponseParser {
 public:
  /// `method` of the request: HEAD and CONNECT have no body.
  ResponseParser(const std::string& method, std::size_t max_body);

  /// kDataLoss: not HTTP; kOutOfRange: too large.
  Status feed(std::string_view bytes);
  /// The peer has closed: the end of some responses, a failure of others (kDataLoss).
  Status close();

  bool started() const { return started_; }
  bool isDone() const { return state_ == State::kDone; }
  /// After isDone: may the connection carry another request?
  bool keepsAlive() const { return keep_alive_ && buffer_.empty(); }
  HttpResponse take() { return std::move(response_); }

 private:
  enum class State { kHead, kLength, kChunkSize, kChunk, kChunkEnd, kTrailer, kUntilClose, kDone };

  Status step(bool* more);
  Status head(std::string_view text);
  Status header(std::string_view line);
  Status framing();
  Status chunkSize(std::string_view line);
  Status body(std::size_t limit);

  const bool no_body_;
  const std::size_t max_body_;
  State state_ = State::kHead;
  std::string buffer_;
  HttpResponse response_;
  std::size_t left_ = 0;  // bytes of the body, or of this chunk
  std::size_t trailer_ = 0;
  bool started_ = false;
  bool keep_alive_ = true;
};

/// Value of the first header `name` (case does not matter); empty when there is none.
std::string_view headerOf(const HttpHeaders& headers, std::string_view name);

/// Retry-After in seconds or as a date, in milliseconds, at most an hour; 0 for none or nonsense.
std::int64_t retryAfterMs(std::string_view value, const Clock& clock);

}  // namespace vcc
