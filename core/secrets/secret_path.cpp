// SPDX-License-Identifier: Apache-2.0
#include "secrets/secret_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kPathBytes = 1024;
constexpr std::size_t kSegmentBytes = 255;
constexpr std::size_t kSegments = 32;

Status checkSegment(std::string_view segment) {
  if (segment.empty()) return invalidArgument("path: it has an empty part; write one slash between two names");
  if (segment == "." || segment == "..") return invalidArgument("path: \".\" and \"..\" are no names");
  if (segment.size() > kSegmentBytes) {
    return invalidArgument(fmt::format("path: a part of it is longer than {} bytes", kSegmentBytes));
  }
  const bool control =
      std::ranges::any_of(segment, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control || !isUtf8(segment)) return invalidArgument("path: only printable UTF-8 is allowed in it");
  return okStatus();
}

}  // namespace

Status checkSecretSegments(std::string_view path) {
  if (path.size() > kPathBytes) return invalidArgument(fmt::format("path: it is longer than {} bytes", kPathBytes));
  std::size_t segments = 0;
  for (std::size_t begin = 0; begin <= path.size(); ++segments) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    VCC_RETURN_IF_ERROR(checkSegment(path.substr(begin, end - begin)));
    begin = end + 1;
  }
  if (segments > kSegments) return invalidArgument(fmt::format("path: it has more than {} parts", kSegments));
  return okStatus();
}

Status checkMount(std::string_view mount) {
  if (mount == kCubbyholeMount || mount == kSharedMount) return okStatus();
  return notFound(
      fmt::format("there is no secret engine {}/; those here are cubbyhole/ and secret/", cleanUtf8(mount, 64)));
}

Result<SecretPath> parseSecretPath(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  SecretPath path{std::string(text.substr(0, slash)), std::string(text.substr(std::min(slash + 1, text.size())))};
  VCC_RETURN_IF_ERROR(checkMount(path.mount));
  VCC_RETURN_IF_ERROR(checkSecretSegments(path.path));
  return path;
}

}  // namespace vcc
