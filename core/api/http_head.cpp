// SPDX-License-Identifier: Apache-2.0
#include "api/http_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vcc {
namespace {

constexpr std::size_t kMaxMethodBytes = 32;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool isNamed(std::string_view name, std::string_view lower_case) {
  return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

bool isTokenChar(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

bool isToken(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), isTokenChar); }

bool isControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// True when `list` ("keep-alive, Upgrade") has the item.
bool lists(std::string_view list, std::string_view item) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (isNamed(trim(list.substr(begin, end - begin)), item)) return true;
    begin = end + 1;
  }
  return false;
}

/// The rest of a head, line by line.
class HeadReader {
 public:
  explicit HeadReader(std::string_view text) : rest_(text) {}

  RequestHead read() {
    readRequestLine(nextLine());
    for (std::string_view line = nextLine(); !line.empty() && !head_.fault; line = nextLine()) readHeader(line);
    finish();
    return std::move(head_);
  }

 private:
  void fail(std::string text) {
    if (!head_.fault) head_.fault = HeadFault{HttpRefusal::kBadRequest, std::move(text)};
  }

  std::string_view nextLine() {
    const std::size_t end = std::min(rest_.find("\r\n"), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 2, rest_.size()));
    return line;
  }

  void readRequestLine(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
      return fail("first line of the request: it is not METHOD PATH HTTP/1.1");
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!isToken(method) || method.size() > kMaxMethodBytes) {
      return fail("first line of the request: the method is not a word of at most 32 characters");
    }
    head_.http.method = method;
    if (target.empty() || std::any_of(target.begin(), target.end(), [](char c) { return isControl(c) || c == ' '; })) {
      return fail("first line of the request: the path is empty or holds a space or a control character");
    }
    head_.http.target = target;
    if (version.size() != 8 || !version.starts_with("HTTP/1.") || version[7] < '0' || version[7] > '9') {
      return fail("first line of the request: it ends in no version that is served here; send HTTP/1.1");
    }
    old_ = version[7] == '0';
  }

  void readHeader(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, std::min(colon, line.size()));
    if (colon == std::string_view::npos || !isToken(name)) {
      return fail("headers of the request: a line is not NAME: VALUE");
    }
    const std::string_view value = trim(line.substr(colon + 1));
    if (std::any_of(value.begin(), value.end(), [](char c) { return isControl(c) && c != '\t'; })) {
      return fail("headers of the request: a value holds a control character");
    }
    take(name, value);
  }

  void take(std::string_view name, std::string_view value) {
    HttpHead& http = head_.http;
    if (isNamed(name, "x-vcc-access-token")) {
      http.token = value;
    } else if (isNamed(name, "x-vcc-privileged")) {
      http.privileged = value;
    } else if (isNamed(name, "x-vault-token")) {
      http.vault_token = value;
    } else if (isNamed(name, "x-vault-wrap-ttl")) {
      http.wrap_ttl = value;
    } else if (isNamed(name, "authorization")) {
      authorization_ = value;
    } else if (isNamed(name, "connection")) {
      closes_ = closes_ || lists(value, "close");
      keeps_ = keeps_ || lists(value, "keep-alive");
    } else if (isNamed(name, "expect")) {
      head_.expect_continue = isNamed(value, "100-continue");
    } else if (isNamed(name, "host")) {
      if (has_host_) fail("headers of the request: Host is there twice");
      has_host_ = true;
    } else if (isNamed(name, "content-length")) {
      takeLength(value);
    } else if (isNamed(name, "transfer-encoding")) {
      if (chunked_ || !isNamed(value, "chunked")) fail("headers of the request: Transfer-Encoding is not chunked");
      chunked_ = true;
    }
  }

  void takeLength(std::string_view value) {
    if (has_length_) return fail("headers of the request: Content-Length is there twice");
    has_length_ = true;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), head_.body_bytes);
    const bool digits = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (error != std::errc() || end != value.data() + value.size() || !digits) {
      fail("headers of the request: Content-Length is not a number");
    }
  }

  /// What no line alone can tell.
  void finish() {
    if (!old_ && !has_host_) fail("headers of the request: Host is missing");
    // Two ways to tell where a body ends are two opinions about where the next request begins.
    if (has_length_ && chunked_) {
      fail("headers of the request: Content-Length and Transfer-Encoding exclude each other");
    }
    if (old_ && chunked_) fail("headers of the request: HTTP/1.0 knows no Transfer-Encoding");
    if (chunked_) head_.body_bytes = kChunked;
    head_.keep_alive = !closes_ && (!old_ || keeps_);
    constexpr std::string_view kBearer = "Bearer ";
    if (head_.http.vault_token.empty() && authorization_.starts_with(kBearer)) {
      head_.http.vault_token = authorization_.substr(kBearer.size());
    }
  }

  std::string_view rest_;
  RequestHead head_;
  std::string_view authorization_;
  bool old_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool chunked_ = false;
  bool closes_ = false;
  bool keeps_ = false;
};

}  // namespace

HeadScan::Found HeadScan::fail(HttpRefusal refusal, std::string text) {
  fault_ = {refusal, std::move(text)};
  return Found::kFault;
}

HeadScan::Found HeadScan::scan(std::string_view bytes) {
  for (;;) {
    const std::size_t end = std::min(bytes.find('\n', at_), bytes.size());
    if (lines_ == 0 && end - line_begin_ > limits_.url_bytes + kMaxMethodBytes + sizeof(" HTTP/1.1\r")) {
      return fail(HttpRefusal::kUrlTooLong,
                  fmt::format("first line of the request: the URL is longer than {} bytes", limits_.url_bytes));
    }
    if (end > limits_.head_bytes || lines_ > limits_.headers + 1) {
      return fail(HttpRefusal::kHeadTooLarge,
                  fmt::format("headers of the request: they are longer than {} bytes together, or more than {}",
                              limits_.head_bytes, limits_.headers));
    }
    at_ = end;
    if (end == bytes.size()) return Found::kMore;
    if (end == line_begin_ || bytes[end - 1] != '\r') {
      return fail(HttpRefusal::kBadRequest, "head of the request: a line does not end with CR LF");
    }
    at_ = end + 1;
    const bool empty = end - line_begin_ == 1;
    line_begin_ = at_;
    if (empty) return Found::kEnd;
    ++lines_;
  }
}

RequestHead parseHead(std::string_view head) { return HeadReader(head).read(); }

}  // namespace vcc
