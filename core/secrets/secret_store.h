// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.h"
#include "base/status.h"
#include "secrets/sealer.h"
#include "secrets/secret_path.h"
#include "secrets/tokens.h"
#include "store/store.h"

/// The values that users keep here, as they would in Vault: `cubbyhole/` of each token, which nobody else sees, and
/// `secret/` (key-value version 1), which every token reads and writes (spec/operations 6.6, rest-protocol 12).
namespace vcc {

/// Bounds of the store: kOutOfRange for a value that is too long, kResourceExhausted for too many.
struct SecretLimits {
  std::size_t value_bytes = std::size_t{256} << 10U;  ///< the JSON object of one path
  std::size_t token_entries = 1000;                   ///< paths of one cubbyhole
  std::size_t shared_entries = 10000;                 ///< paths of secret/
};

/// Thread safe. Everything it is given outlives it. `who` is whoever authenticated; the API role matters only for
/// changes of `secret/`, which a readonly token may not make (kPermissionDenied).
class SecretStore {
 public:
  SecretStore(Store& store, const Sealer& sealer, SecretLimits limits = {})
      : store_(store), sealer_(sealer), limits_(limits) {}

  /// Stores a JSON object with at least one key, in place of what was there. The grants that came from this path get
  /// the new value in the same transaction (secrets/grants.h). kInvalidArgument for any other text.
  Status write(const Principal& who, const SecretPath& path, const SecretString& object);
  /// The object; kNotFound when there is none.
  Result<SecretString> read(const Principal& who, const SecretPath& path) const;
  /// Success also when there is none.
  Status remove(const Principal& who, const SecretPath& path);
  /// The names below a folder ("" = the whole mount), sorted, each once, folders with a slash at their end. kNotFound
  /// when there are none.
  Result<std::vector<std::string>> list(const Principal& who, const std::string& mount,
                                        const std::string& folder) const;

 private:
  Store& store_;
  const Sealer& sealer_;
  SecretLimits limits_;
};

/// The text under the key `value` of what `path` holds for `who`: what a `vault://` reference stands for. Errors as of
/// SecretStore::read; kInvalidArgument when there is no such text.
Result<SecretString> readReference(const ReadTx& tx, const Sealer& sealer, const Principal& who,
                                   const SecretPath& path);

/// Erases the cubbyhole of a token.
void eraseCubbyhole(Tx& tx, std::string_view token_hash);

}  // namespace vcc
