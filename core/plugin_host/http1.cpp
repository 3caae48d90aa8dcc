// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/http1.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>
#include <Poco/Exception.h>

#include <algorithm>
#include <charconv>

namespace vcc {
namespace {

constexpr std::size_t kMaxHead = 64U << 10U;
constexpr std::size_t kMaxHttp1Headers = 200;
constexpr std::size_t kMaxChunkLine = 1024;
constexpr std::int64_t kMaxRetryMs = 3'600'000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool sameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool isToken(std::string_view text) {
  static constexpr std::string_view kMore = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || kMore.find(c) != kMore.npos;
  });
}

bool isFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Does a comma-separated list hold `word`?
bool lists(std::string_view list, std::string_view word) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (sameWord(trimmed(list.substr(0, comma)), word)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

template <class Number>
bool number(std::string_view text, Number* out, int base = 10) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *out, base);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && !text.empty();
}

Status malformed(const std::string& what) { return dataLoss("its answer is not proper HTTP: " + what); }

}  // namespace

Status checkHttpRequest(const HttpRequest& request) {
  static constexpr std::string_view kOurs[] = {"host",       "user-agent", "content-length",   "transfer-encoding",
                                               "connection", "keep-alive", "proxy-connection", "proxy-authorization",
                                               "upgrade",    "te",         "expect",           "trailer"};
  if (!isToken(request.method) || request.method.size() > 16 || request.method == "CONNECT") {
    return invalidArgument("method must be a word such as GET or POST, and not CONNECT");
  }
  if (request.headers.size() > kMaxHttp1Headers) return invalidArgument("headers: there are more than 200");
  std::size_t size = 0;
  for (const auto& [name, value] : request.headers) {
    if (!isToken(name)) return invalidArgument("headers: a name holds other than letters, digits and dashes");
    if (!isFieldValue(value)) return invalidArgument("header " + name + " holds a line end or control character");
    if (std::any_of(std::begin(kOurs), std::end(kOurs), [&](std::string_view own) { return sameWord(own, name); })) {
      return invalidArgument("header " + name + " is set by the host; leave it out");
    }
    size += name.size() + value.size() + 4;
  }
  if (size > kMaxHead) return invalidArgument("headers: they have more than 65536 bytes");
  return okStatus();
}

std::string requestHead(const HttpRequest& request, const HttpUrl& url, const std::string& target,
                        const std::string& user_agent) {
  std::string head = request.method + " " + target + " HTTP/1.1\r\nHost: " + url.authority() +
                     "\r\nUser-Agent: " + user_agent + "\r\nConnection: keep-alive\r\n";
  for (const auto& [name, value] : request.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return head + "\r\n";
}

ResponseParser::ResponseParser(const std::string& method, std::size_t max_body)
    : no_body_(method == "HEAD" || method == "CONNECT"), max_body_(max_body) {}

Status ResponseParser::feed(std::string_view bytes) {
  started_ = started_ || !bytes.empty();
  buffer_ += bytes;
  bool more = true;
  while (more && !isDone()) VCC_RETURN_IF_ERROR(step(&more));
  return okStatus();
}

Status ResponseParser::close() {
  keep_alive_ = false;
  if (state_ == State::kUntilClose) state_ = State::kDone;
  return isDone() ? okStatus() : dataLoss("it closed the connection before its answer was complete");
}

/// Takes one piece off the buffer. `more` becomes false when it needs further bytes first.
Status ResponseParser::step(bool* more) {
  Status status;
  switch (state_) {
    case State::kHead: {
      const std::size_t end = buffer_.find("\r\n\r\n");
      *more = end != buffer_.npos;
      if (end > kMaxHead && buffer_.size() > kMaxHead) return malformed("its headers have more than 64 KiB");
      if (!*more) return okStatus();
      const std::string text = buffer_.substr(0, end + 2);
      buffer_.erase(0, end + 4);
      return head(text);
    }
    case State::kLength:
    case State::kChunk:
      *more = !buffer_.empty();
      VCC_RETURN_IF_ERROR(body(left_));
      if (left_ == 0) *more = true, state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
      return okStatus();
    case State::kUntilClose:
      *more = false;
      left_ = buffer_.size();
      return body(left_);
    case State::kDone:
      return okStatus();
    default:
      break;
  }
  const std::size_t end = buffer_.find("\r\n");
  *more = end != buffer_.npos;
  if (std::min(end, buffer_.size()) > kMaxChunkLine) return malformed("a chunk has an overlong line");
  if (!*more) return okStatus();
  const std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  if (state_ == State::kChunkSize) return chunkSize(line);
  if (state_ == State::kChunkEnd) {
    state_ = State::kChunkSize;
    return line.empty() ? okStatus() : malformed("a chunk is longer than it says");
  }
  trailer_ += line.size();
  if (trailer_ > kMaxHead) return malformed("its trailer has more than 64 KiB");
  if (line.empty()) state_ = State::kDone;
  return okStatus();
}

Status ResponseParser::head(std::string_view text) {
  response_ = {};
  const std::string_view line = text.substr(0, text.find("\r\n"));
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || line[8] != ' ' ||
      !number(line.substr(9, 3), &response_.status) || (line.size() > 12 && line[12] != ' ') ||
      response_.status < 100) {
    return malformed("a bad status line");
  }
  const bool old = line[7] == '0';
  for (text.remove_prefix(line.size() + 2); !text.empty(); text.remove_prefix(text.find("\r\n") + 2)) {
    VCC_RETURN_IF_ERROR(header(text.substr(0, text.find("\r\n"))));
  }
  if (response_.status == 101) return malformed("it changes to a protocol that nobody asked for");
  if (response_.status < 200) return okStatus();  // provisional: the real one follows
  const std::string_view connection = headerOf(response_.headers, "connection");
  keep_alive_ = old ? lists(connection, "keep-alive") : !lists(connection, "close");
  return framing();
}

Status ResponseParser::header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !isToken(line.substr(0, colon))) return malformed("a bad header name");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!isFieldValue(value)) return malformed("a control character in a header");
  if (response_.headers.size() == kMaxHttp1Headers) return malformed("more than 200 headers");
  response_.headers.emplace_back(line.substr(0, colon), value);
  return okStatus();
}

Status ResponseParser::framing() {
  state_ = State::kDone;
  if (no_body_ || response_.status == 204 || response_.status == 304) return okStatus();
  bool has_length = false;
  bool chunked = false;
  for (const auto& [name, value] : response_.headers) {
    if (sameWord(name, "transfer-encoding")) {
      if (chunked || !sameWord(value, "chunked")) return malformed("a transfer encoding other than chunked");
      chunked = true;
    } else if (sameWord(name, "content-length")) {
      std::size_t length = 0;
      if (!number(value, &length) || (has_length && length != left_)) return malformed("a bad Content-Length");
      has_length = true;
      left_ = length;
    }
  }
  if (chunked && has_length) return malformed("both a Content-Length and chunks");
  if (has_length && left_ > max_body_) return body(left_);
  if (chunked) {
    state_ = State::kChunkSize;
  } else if (!has_length) {
    state_ = State::kUntilClose;
    keep_alive_ = false;
  } else if (left_ > 0) {
    state_ = State::kLength;
  }
  return okStatus();
}

Status ResponseParser::chunkSize(std::string_view line) {
  if (!number(trimmed(line.substr(0, line.find(';'))), &left_, 16)) return malformed("a bad chunk size");
  state_ = left_ == 0 ? State::kTrailer : State::kChunk;
  return okStatus();
}

/// Moves up to `limit` bytes from the buffer to the body.
Status ResponseParser::body(std::size_t limit) {
  if (limit > max_body_ - response_.body.size()) {
    return Status(Code::kOutOfRange, "its answer is larger than " + std::to_string(max_body_) + " bytes");
  }
  const std::size_t size = std::min(limit, buffer_.size());
  response_.body.append(buffer_, 0, size);
  buffer_.erase(0, size);
  left_ -= size;
  return okStatus();
}

std::string_view headerOf(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (sameWord(key, name)) return value;
  }
  return {};
}

std::int64_t retryAfterMs(std::string_view value, const Clock& clock) {
  std::int64_t seconds = 0;
  if (number(value, &seconds)) return std::clamp<std::int64_t>(seconds, 0, kMaxRetryMs / 1000) * 1000;
  Poco::DateTime when;
  int zone = 0;
  if (value.empty() || value.size() > 64 ||
      !Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::HTTP_FORMAT, std::string(value), when, zone)) {
    return 0;
  }
  return std::clamp<std::int64_t>(when.timestamp().epochMicroseconds() / 1000 - clock.wallMs(), 0, kMaxRetryMs);
}

}  // namespace vcc
