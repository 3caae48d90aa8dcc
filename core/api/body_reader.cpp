// SPDX-License-Identifier: Apache-2.0
#include "api/body_reader.h"

#include <algorithm>
#include <charconv>

namespace vcc {
namespace {

constexpr std::size_t kMaxLineBytes = 1024;     // a chunk's size with its extensions, or a trailer
constexpr std::size_t kMaxTrailerBytes = 8192;  // all of them

}  // namespace

BodyReader::BodyReader(std::int64_t announced, std::size_t limit_bytes)
    : limit_(limit_bytes), chunked_(announced == kChunked) {
  if (chunked_) {
    part_ = Part::kSize;
  } else {
    left_ = static_cast<std::size_t>(announced);
    if (left_ > limit_) {
      state_ = State::kTooLong;
    } else if (left_ == 0) {
      state_ = State::kComplete;
    }
  }
}

std::size_t BodyReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == State::kMore && taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    taken += part_ == Part::kData ? feedData(rest) : feedLine(rest);
  }
  return taken;
}

std::size_t BodyReader::feedData(std::string_view bytes) {
  const std::size_t count = std::min(left_, bytes.size());
  body_.append(bytes.substr(0, count));
  left_ -= count;
  if (left_ == 0) {
    if (chunked_) part_ = Part::kDataEnd;
    if (!chunked_) state_ = State::kComplete;
  }
  return count;
}

std::size_t BodyReader::feedLine(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  if (line_.size() + end > kMaxLineBytes) {
    state_ = State::kBroken;
    return 0;
  }
  line_.append(bytes.substr(0, end));
  if (end == bytes.size()) return end;
  if (line_.empty() || line_.back() != '\r') {
    state_ = State::kBroken;
  } else {
    line_.pop_back();
    state_ = endLine();
  }
  line_.clear();
  return end + 1;
}

BodyReader::State BodyReader::endLine() {
  if (part_ == Part::kDataEnd) {
    part_ = Part::kSize;
    return line_.empty() ? State::kMore : State::kBroken;
  }
  if (part_ == Part::kTrailer) {
    trailer_bytes_ += line_.size();
    if (line_.empty()) return State::kComplete;
    return trailer_bytes_ > kMaxTrailerBytes ? State::kBroken : State::kMore;
  }
  const char* const begin = line_.data();
  const char* const end = begin + std::min(line_.find_first_of("; \t"), line_.size());
  const auto [stop, error] = std::from_chars(begin, end, left_, 16);
  if (error == std::errc::result_out_of_range) return State::kTooLong;
  if (error != std::errc() || stop != end) return State::kBroken;
  if (left_ > limit_ - body_.size()) return State::kTooLong;
  part_ = left_ == 0 ? Part::kTrailer : Part::kData;
  return State::kMore;
}

}  // namespace vcc
