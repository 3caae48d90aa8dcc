// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_string.h"
#include "base/status.h"

namespace vcc {

/// Seals what records hold of secrets (architecture 19), under the data key of the data folder. Every sealed text is
/// bound to its place, so that one moved to another row or column does not open there. Immutable, thread safe.
class Sealer {
 public:
  /// `data_key` has kAeadKeyBytes; `random` outlives the sealer.
  Sealer(const SecretString& data_key, Random& random);

  /// Bytes for a column. `place` names table, column and key of the row, as placeOf() joins them.
  std::string seal(std::string_view text, std::string_view place) const;
  /// kDataLoss naming the place when the text was damaged or belongs to another place or data folder.
  Result<SecretString> open(std::string_view sealed, std::string_view place) const;
  /// True for what `seal` returns: records of earlier versions hold plain text.
  static bool isSealed(std::string_view text);

  /// 32 hex characters, the same for the same text and nothing to anybody without the data key.
  std::string fingerprint(std::string_view text) const;

 private:
  SecretString seal_key_;
  SecretString fingerprint_key_;
  Random& random_;
};

/// "unit.spec:0123...": where a sealed text belongs.
std::string placeOf(std::string_view column, std::string_view key);

}  // namespace vcc
