// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace vcc {

inline constexpr char kCubbyholeMount[] = "cubbyhole";
inline constexpr char kSharedMount[] = "secret";

/// A place in the store: mount "cubbyhole" or "secret", and a path without slash at either end.
struct SecretPath {
  std::string mount;
  std::string path;
  std::string text() const { return mount + "/" + path; }
};

/// Reads "cubbyhole/aws/access_key". Segments are 1 to 255 bytes of printable UTF-8 but "." and ".."; 1024 bytes and 32
/// segments in all. kInvalidArgument says what is wrong, kNotFound when there is no such mount.
Result<SecretPath> parseSecretPath(std::string_view text);

/// What a path may be, below its mount; kInvalidArgument says what is wrong.
Status checkSecretSegments(std::string_view path);
/// kNotFound, naming those that there are, for any other.
Status checkMount(std::string_view mount);

}  // namespace vcc
