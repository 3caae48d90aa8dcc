// SPDX-License-Identifier: Apache-2.0
#include "api/body_reader.h"

#include <algorithm>
#include <charconv>
#include <istream>

namespace vcc {
namespace {

constexpr std::int64_t kShortRest = 64 << 10U;  // read off before the answer to keep the connection
constexpr std::int64_t kLingerBytes = std::int64_t{64} << 20U;
constexpr std::int64_t kLingerMs = 5000;
constexpr std::size_t kPiece = 64 << 10U;

Status badFraming(std::string_view what) { return invalidArgument("headers of the request: " + std::string(what)); }

}  // namespace

BodyReader::BodyReader(Poco::Net::HTTPServerRequestImpl& request, const Clock& clock, std::int64_t timeout_ms)
    : request_(request), clock_(clock), timeout_ms_(timeout_ms) {
  // Two ways to tell where a body ends are two opinions about where the next request begins.
  std::string length;
  bool has_length = false;
  bool chunked = false;
  for (const auto& [name, value] : request) {
    if (Poco::icompare(name, "Content-Length") == 0) {
      if (has_length) framing_ = badFraming("Content-Length is there twice");
      has_length = true;
      length = value;
    } else if (Poco::icompare(name, "Transfer-Encoding") == 0) {
      if (chunked || Poco::icompare(value, "chunked") != 0) framing_ = badFraming("Transfer-Encoding is not chunked");
      chunked = true;
    }
  }
  if (has_length && chunked) framing_ = badFraming("Content-Length and Transfer-Encoding exclude each other");
  if (chunked) {
    length_ = -1;
  } else if (has_length) {
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), length_);
    if (error != std::errc() || end != length.data() + length.size() || length_ < 0) {
      framing_ = badFraming("Content-Length is not a number");
    }
  }
  ended_ = framing_.ok() && length_ == 0;
}

BodyReader::End BodyReader::read(std::string& body) {
  const std::int64_t deadline = clock_.monoMs() + timeout_ms_;
  std::string piece(std::min(kPiece, length_ > 0 ? static_cast<std::size_t>(length_) : kPiece), '\0');
  while (!ended_) {
    std::istream& stream = request_.stream();
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const std::streamsize count = stream.gcount();
    taken_ += count;
    body.append(piece.data(), static_cast<std::size_t>(count));
    if (body.size() > kMaxBodyBytes) return End::kTooLong;
    if (length_ >= 0 && taken_ >= length_) {
      ended_ = true;
    } else if (!stream) {
      if (stream.bad()) return End::kTimeout;
      if (length_ >= 0) return End::kTruncated;
      ended_ = true;
    } else if (clock_.monoMs() > deadline) {
      return End::kTimeout;
    }
  }
  return End::kComplete;
}

bool BodyReader::finish() {
  // After chunks the connection is not used again: Poco's reader does not tell a broken chunk from the last one.
  if (!framing_.ok() || length_ < 0) return false;
  if (ended_) return true;
  if (length_ - taken_ > kShortRest) return false;
  std::string rest;
  return read(rest) == End::kComplete;
}

void BodyReader::linger() {
  if (ended_ || !framing_.ok()) return;
  const std::int64_t deadline = clock_.monoMs() + kLingerMs;
  const std::int64_t most = taken_ + kLingerBytes;
  std::string piece(kPiece, '\0');
  std::istream& stream = request_.stream();
  while (stream && taken_ < most && clock_.monoMs() < deadline && (length_ < 0 || taken_ < length_)) {
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    taken_ += stream.gcount();
  }
}

}  // namespace vcc
