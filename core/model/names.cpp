// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "model/cci.h"

namespace vcc {
namespace {

constexpr bool isLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
constexpr bool isAlnum(char c) { return isLower(c) || (c >= 'A' && c <= 'Z'); }
constexpr bool isHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <typename Predicate>
bool all(std::string_view text, Predicate allowed) {
  return std::ranges::all_of(text, allowed);
}

// Takes the part up to `separator` (or the rest) from the front of `text`.
std::string_view takeUntil(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

// Groups of lower-case letters and digits, joined by one '.', one or two '_', or any number of '-'.
bool isPathComponent(std::string_view text) {
  if (text.empty() || !isLower(text.front()) || !isLower(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t next = std::min(text.find_first_not_of(c, i), text.size());
    const std::size_t run = next - i;
    const bool ok = isLower(c) || c == '-' || (c == '.' && run == 1) || (c == '_' && run <= 2);
    if (!ok) return false;
    i = next;
    // A separator is followed by a letter or digit: "a.-b" is two separators.
    if (!isLower(c) && !isLower(text[i])) return false;
  }
  return true;
}

bool isDomainLabel(std::string_view text) {
  return !text.empty() && isAlnum(text.front()) && isAlnum(text.back()) &&
         all(text, [](char c) { return isAlnum(c) || c == '-'; });
}

bool isRegistry(std::string_view text) {
  std::string_view rest;  // behind the host: nothing, or ":port"
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    if (!all(text.substr(1, end - 1), [](char c) { return isHex(c) || c == ':'; })) return false;
    rest = text.substr(end + 1);
  } else {
    std::string_view host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
    if (host.ends_with('.')) return false;
    do {
      if (!isDomainLabel(takeUntil(host, '.'))) return false;
    } while (!host.empty());
  }
  if (rest.empty()) return true;
  const std::string_view port = rest.substr(1);
  return rest.front() == ':' && !port.empty() && port.size() <= 5 &&
         all(port, [](char c) { return c >= '0' && c <= '9'; });
}

// The first component is a registry when it could not be a path (the rule that docker and podman share).
bool namesRegistry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:[") != std::string_view::npos ||
         std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool isTag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && (isAlnum(text.front()) || text.front() == '_') &&
         all(text, [](char c) { return isAlnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool isDigest(std::string_view text) {
  const std::string_view algorithm = takeUntil(text, ':');
  return !algorithm.empty() && isAlnum(algorithm.front()) && isAlnum(algorithm.back()) &&
         all(algorithm, [](char c) { return isAlnum(c) || c == '+' || c == '.' || c == '_' || c == '-'; }) &&
         text.size() >= 32 && all(text, isHex);
}

bool isImageName(std::string_view image) {
  const std::size_t at = image.find('@');
  if (at != std::string_view::npos) {
    if (!isDigest(image.substr(at + 1))) return false;
    image = image.substr(0, at);
  }
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    if (!isTag(image.substr(colon + 1))) return false;
    image = image.substr(0, colon);
  }
  if (image.empty() || image.size() > 255 || image.ends_with('/')) return false;
  if (const std::size_t first = image.find('/');
      first != std::string_view::npos && namesRegistry(image.substr(0, first))) {
    if (!isRegistry(image.substr(0, first))) return false;
    image.remove_prefix(first + 1);
  }
  while (!image.empty()) {
    if (!isPathComponent(takeUntil(image, '/'))) return false;
  }
  return true;
}

}  // namespace

Status checkUnitName(std::string_view name) {
  if (!name.empty() && name.size() <= 64 && all(name, [](char c) { return isAlnum(c) || c == '_' || c == '-'; })) {
    return okStatus();
  }
  return invalidArgument(
      fmt::format("\"{}\" is not a unit name: 1 to 64 letters, digits, '_' or '-' are allowed", cleanUtf8(name, 64)));
}

Status checkVcName(std::string_view name) {
  if (name.empty() || name.size() > 255) return invalidArgument("a name has 1 to 255 bytes");
  if (!isUtf8(name)) return invalidArgument("the name is not UTF-8");
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    // U+0080 to U+009F, the second range of control characters, is C2 80 to C2 9F in UTF-8.
    const bool second_range = byte == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || second_range) {
      return invalidArgument("the name holds a control character; only printable characters are allowed");
    }
  }
  return okStatus();
}

Status checkImageName(std::string_view image) {
  if (image.size() <= 512 && isImageName(image)) return okStatus();
  return invalidArgument(fmt::format(
      "\"{}\" is not an image name: [registry[:port]/]path[:tag][@digest], the path in lower case, is expected",
      cleanUtf8(image, 128)));
}

}  // namespace vcc
