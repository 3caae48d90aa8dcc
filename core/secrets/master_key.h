// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/secret_string.h"
#include "base/status.h"
#include "secrets/sealer.h"
#include "store/store.h"

/// The key apart from the data: whoever has the data folder alone can read no secret (architecture 19).
namespace vcc {

/// Where the master key comes from; the first that is set counts. It never lies in the data folder.
struct MasterKeySource {
  SecretString passphrase;  ///< asked for at the start
  SecretString text;        ///< base64 of 32 bytes, from the environment
  std::string file;         ///< absolute path of a file with the same, mode 0600
};

/// The sealer of a data folder. A folder without a data key (a new one) gets one, sealed by the master key; then a
/// missing key file is made as well, 0600, and never again later: without its key a folder stays closed.
///
/// `data_dir` is for texts, and may not hold the file. kFailedPrecondition when the key is missing, is another one, or
/// its file is open to others: it says which and what to do, and nothing was changed. Blocks.
Result<std::unique_ptr<Sealer>> openSealer(Store& store, FileSystem& files, Random& random,
                                           const MasterKeySource& source, const std::string& data_dir);

}  // namespace vcc
