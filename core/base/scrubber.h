// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.h"

namespace vcc {

/// What stands in place of a secret.
inline constexpr std::string_view kScrubbed = "***";

/// Takes known secret values out of texts that come back from clouds and drivers: errors, log lines, recordings.
///
/// A value is found as it is, as JSON writes it, percent-encoded and in base64; of a value with several lines (a PEM
/// key) also each line of 16 bytes or more. Values below 4 bytes are left alone: they occur in every text, and blotting
/// them out would tell them. Immutable, thread safe.
class Scrubber {
 public:
  Scrubber() = default;
  explicit Scrubber(const std::vector<SecretString>& values);

  /// `text` with every occurrence replaced by kScrubbed.
  std::string scrub(std::string_view text) const;

 private:
  void add(const std::string& form);

  std::vector<SecretString> forms_;  // longest first
};

}  // namespace vcc
