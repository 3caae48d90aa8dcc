// SPDX-License-Identifier: Apache-2.0
#include "api/path.h"

#include <algorithm>

#include "base/encoding.h"

namespace vcc {
namespace {

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::size_t kMaxQueryNames = 16;

Status bad(std::string_view what) {
  return invalidArgument("path of the request: " + std::string(what) + "; send a path as the API describes it");
}

enum class Part { kSegment, kQuery };

Result<std::string> decode(std::string_view raw, Part part) {
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
      if (part == Part::kSegment && (c == '/' || c == '\\')) return bad("a slash is percent-encoded");
    } else if (part == Part::kQuery && c == '+') {
      c = ' ';
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
    VCC_ASSIGN_OR_RETURN(std::string segment, decode(target.substr(begin, end - begin), Part::kSegment));
    segments.push_back(std::move(segment));
    begin = end + 1;
  }
  return segments;
}

Result<std::map<std::string, std::string, std::less<>>> splitQuery(std::string_view target) {
  std::map<std::string, std::string, std::less<>> query;
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return query;
  target.remove_prefix(mark + 1);
  for (std::size_t begin = 0; begin < target.size();) {
    const std::size_t end = std::min(target.find('&', begin), target.size());
    const std::string_view pair = target.substr(begin, end - begin);
    begin = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    VCC_ASSIGN_OR_RETURN(std::string name, decode(pair.substr(0, equals), Part::kQuery));
    VCC_ASSIGN_OR_RETURN(std::string value, decode(pair.substr(std::min(equals + 1, pair.size())), Part::kQuery));
    if (query.size() == kMaxQueryNames) return bad("its query has too many names");
    if (!query.emplace(std::move(name), std::move(value)).second) return bad("a name is twice in its query");
  }
  return query;
}

}  // namespace vcc
