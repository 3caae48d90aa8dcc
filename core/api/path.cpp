// SPDX-License-Identifier: Apache-2.0
#include "api/path.h"

#include "base/encoding.h"

namespace vcc {
namespace {

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Status bad(std::string_view what) {
  return invalidArgument("path of the request: " + std::string(what) + "; send a path as the API describes it");
}

Result<std::string> decodeSegment(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size()) return bad("a percent escape is cut short");
      const int high = hexValue(raw[i + 1]);
      const int low = hexValue(raw[i + 2]);
      if (high < 0 || low < 0) return bad("a percent escape is not two hex digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
      if (c == '/' || c == '\\') return bad("a slash is percent-encoded");
    }
    if (c == '\0') return bad("it holds a NUL character");
    out.push_back(c);
  }
  if (!isUtf8(out)) return bad("it is not UTF-8");
  return out;
}

}  // namespace

Result<std::vector<std::string>> splitTarget(std::string_view target) {
  if (const auto scheme = target.find("://"); scheme != std::string_view::npos && target.front() != '/') {
    const auto slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  target = target.substr(0, target.find_first_of("?#"));
  if (target.empty() || target.front() != '/') return bad("it does not begin with a slash");
  std::vector<std::string> segments;
  for (std::size_t begin = 1; begin <= target.size();) {
    const std::size_t end = std::min(target.find('/', begin), target.size());
    VCC_ASSIGN_OR_RETURN(std::string segment, decodeSegment(target.substr(begin, end - begin)));
    segments.push_back(std::move(segment));
    begin = end + 1;
  }
  return segments;
}

}  // namespace vcc
