// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_string.h"
#include "base/status.h"
#include "model/records.h"
#include "secrets/sealer.h"
#include "secrets/secret_store.h"
#include "secrets/tokens.h"
#include "store/store.h"

/// Grants (architecture 18): the credentials of a unit are resolved once, with the token of whoever asks, sealed, and
/// used from then on by the engine, which has no token. References are never read again in the background.
namespace vcc {

/// What resolving brought.
struct Credentials {
  SecretString values;      ///< JSON object: key -> value
  std::string references;   ///< JSON object: key -> path, for the keys that came from the store
  std::string fingerprint;  ///< of `values`
};

/// The provider code of the error of a reference that cannot be read: the REST API's 403 VCPVaultReadException.
inline constexpr char kVaultReadFailed[] = "VCPVaultReadException";

/// `named` is a JSON object: key -> value or `vault://<mount>/<path>`. kPermissionDenied with kVaultReadFailed and the
/// known text "<token head>:<mount>/<path> vault read is failed: ..." when a reference cannot be read. Blocks for no
/// disk.
Result<Credentials> resolveCredentials(const Store& store, const Sealer& sealer, const Principal& who,
                                       const std::string& named);

/// What `grant` gives to somebody who asks for more machines of its unit: the references read anew with the caller's
/// own token; else, for the user who brought them (`may_reuse`: or a privileged super user), the values that are there.
/// kPermissionDenied with kVaultReadFailed otherwise. `reused` tells that the caller's token did not bring them.
Result<Credentials> renewCredentials(const Store& store, const Sealer& sealer, const Principal& who, const Grant& grant,
                                     bool may_reuse, bool& reused);

/// Writes a new grant of `credentials` and returns its id.
Result<std::string> putGrant(Tx& tx, const Sealer& sealer, Random& random, const Principal& who,
                             const Credentials& credentials);

/// The values. kUnauthenticated when they were purged, kDataLoss when they do not open.
Result<SecretString> openGrant(const Grant& grant, const Sealer& sealer);

/// Puts a new value of the store into every grant that came from there.
Status resealGrants(Tx& tx, const Sealer& sealer, const Secret& written, const SecretString& object);

/// Erases the grant unless a unit, a machine or a place of the sweep still points at it: nothing that it made can exist
/// any more.
void dropGrantIfUnused(Tx& tx, const std::string& grant_id);

/// Wipes the values of every grant that this token brought, for a leaked key: what they made can then be changed or
/// deleted only by hand in the cloud's own console. Returns how many grants that were.
Result<std::int64_t> purgeGrants(Tx& tx, std::string_view token_hash);

}  // namespace vcc
